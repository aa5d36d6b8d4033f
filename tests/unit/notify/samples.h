#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/time_text.h"
#include "cam/model/mitigation_event.h"
#include "cam/model/reports.h"
#include "cam/notify/render.h"
#include "fakes/model/lasting_text.h"

// The data behind the golden texts.
namespace cam::notify::test {

inline std::string golden(const std::string& name) {
    std::ifstream file(std::string(CAM_GOLDEN_DIR) + "/" + name + ".txt", std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline MitigationEvent sample_event() {
    MitigationEvent event;
    event.datetime = "2026-01-19T22:51:50Z";
    event.time = parse_time(*event.datetime);
    event.attack_id = "k9z3t-xx1g6wwhgqngq523mp0nr";
    event.attack_vector = "ICMP Flood";
    event.rule_name = "ICMP-0001";
    event.rule_id = "0123456789abcdef0123456789abcdef";
    event.source_ip = "103.118.76.198";
    event.source = IpAddress::parse(*event.source_ip);
    event.source_port = 46181;
    event.destination_ip = "185.54.82.4";
    event.destination = IpAddress::parse(*event.destination_ip);
    event.destination_port = 0;
    event.protocol = "ICMP";
    event.tcp_flags = "";
    event.colo_code = "SOF";
    event.colo_country = "BG";
    event.colo_city = "Sofia";
    event.outcome = "drop";
    event.mitigation_reason = "BLOCKED";
    event.packets = 1500;
    event.bits = 9'000'000;
    return event;
}

inline Place sample_place() {
    return {.city = "Pābna",
            .country = "Bangladesh",
            .country_code = "BD",
            .asn = 137959,
            .organization = "Vision Technologies Ltd."};
}

/// Where the samples' sources are, as their GeoIP databases know it.
inline Place sample_place_of(const IpAddress& address) {
    if (address == IpAddress::parse("103.118.76.198")) return sample_place();
    Place place;
    if (address == IpAddress::parse("45.227.254.17")) {
        place.country_code = "BR";
        place.asn = 270523;
    }
    return place;
}

inline RenderOptions sample_options() {
    RenderOptions options;
    options.place_of = sample_place_of;
    return options;
}

inline void set_source(MitigationEvent& event, std::string_view address) {
    event.source_ip = lasting(std::string(address));
    event.source = IpAddress::parse(address);
}

/// One event of the aggregated sample, before it stands in a notice.
struct SampleRow {
    const char* address;
    const char* time;
    const char* vector;
    const char* colo;
    const char* colo_country;
    std::uint64_t packets;
};

/// 15 events of one attack, 8 sources (3 of them spoofed), 15,000 packets, 54 Mbit.
struct SampleAttack {
    std::vector<MitigationEvent> events;
    std::vector<EventNotice> notices;

    SampleAttack() {
        static constexpr SampleRow kRows[] = {
            {"103.118.76.198", "2026-01-19T22:52:00Z", "ICMP Flood", "SOF", "BG", 2000},
            {"103.118.76.198", "2026-01-19T22:50:00Z", "ICMP Flood", "SOF", "BG", 2000},
            {"103.118.76.198", "2026-01-19T22:53:00Z", "ICMP Flood", "SOF", "BG", 1500},
            {"45.227.254.17", "2026-01-19T22:52:10Z", "GRE Flood", "AMS", "NL", 2000},
            {"45.227.254.17", "2026-01-19T22:52:11Z", "GRE Flood", "AMS", "NL", 1500},
            {"10.0.0.1", "2026-01-19T22:52:12Z", "ICMP Flood", "SOF", "BG", 1500},
            {"10.0.0.1", "2026-01-19T22:52:13Z", "ICMP Flood", "SOF", "BG", 1500},
            {"192.168.1.1", "2026-01-19T22:52:14Z", "ICMP Flood", "SOF", "BG", 500},
            {"172.16.0.9", "2026-01-19T22:52:15Z", "ICMP Flood", "SOF", "BG", 500},
            {"198.41.0.4", "2026-01-19T22:52:16Z", "ICMP Flood", "SOF", "BG", 400},
            {"198.41.0.4", "2026-01-19T22:52:17Z", "GRE Flood", "AMS", "NL", 400},
            {"8.8.8.8", "2026-01-19T22:52:18Z", "GRE Flood", "AMS", "NL", 400},
            {"8.8.8.8", "2026-01-19T22:52:19Z", "GRE Flood", "AMS", "NL", 300},
            {"9.9.9.9", "2026-01-19T22:54:00Z", "GRE Flood", "AMS", "NL", 300},
            {"9.9.9.9", "2026-01-19T22:55:00Z", "GRE Flood", "AMS", "NL", 200},
        };
        for (const SampleRow& row : kRows) {
            MitigationEvent event = sample_event();
            set_source(event, row.address);
            event.datetime = row.time;
            event.time = parse_time(row.time);
            event.attack_vector = row.vector;
            event.colo_code = row.colo;
            event.colo_country = row.colo_country;
            event.packets = row.packets;
            event.bits = 3'600'000;
            events.push_back(event);
        }
        for (const MitigationEvent& event : events) notices.push_back(notice(event));
    }
    SampleAttack(const SampleAttack&) = delete;
    SampleAttack& operator=(const SampleAttack&) = delete;

private:
    static EventNotice notice(const MitigationEvent& event) {
        EventNotice made{&event, std::nullopt};
        const std::string_view address = *event.source_ip;
        if (address == "10.0.0.1" || address == "192.168.1.1" || address == "172.16.0.9")
            made.spoofed = "private range";
        return made;
    }
};

inline AttackHistory sample_history() {
    return {.attacks_total = 6,
            .attacks_this_month = 6,
            .mitigations = 402,
            .last = LastAttack{.at = parse_time("2026-01-19T21:51:00Z"),
                               .vector = "SYN Flood",
                               .target = "185.54.82.4",
                               .megabits_per_second = 1200.0}};
}

inline StartupReport sample_startup() {
    StartupReport report;
    report.version = "1.3.8";
    report.geoip =
        GeoEdition{GeoEdition::Type::kCommercial, *parse_time("2026-01-20T06:00:00Z"), "City.mmdb"};
    report.bgp = BgpStatus{.advertised = 0, .unknown = 0, .total = 5};
    report.history = sample_history();
    report.services = {{"Webhook", ServiceState::kActive},
                       {"Autowithdraw", ServiceState::kActive},
                       {"Dashboard", ServiceState::kActive}};
    return report;
}

/// True if `line` is one whole line of `text`.
inline bool has_line(const std::string& text, std::string_view line) {
    return ("\n" + text + "\n").find("\n" + std::string(line) + "\n") != std::string::npos;
}

inline bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace cam::notify::test
