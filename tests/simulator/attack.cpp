#include "simulator/attack.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <string_view>

#include "simulator/colos.h"

namespace cam::simulator {
namespace {

using nlohmann::json;

struct Origin {
    std::string_view country;
    int asn;
    std::string_view name;
};

constexpr std::array<Origin, 6> kOrigins{{{"BD", 137959, "Vision Technologies Ltd."},
                                          {"BR", 270523, "EXAMPLE TELECOM_LTDA"},
                                          {"US", 64500, "Example Hosting, Inc."},
                                          {"CN", 64501, "EXAMPLE-NET_CN"},
                                          {"DE", 64502, "Example GmbH & Co. KG"},
                                          {"VN", 64503, "*Example* Networks"}}};

constexpr std::array<std::string_view, 4> kKnownSources{"103.118.76.198", "45.227.254.17", "8.8.4.20",
                                                        "1.2.4.9"};

std::string made_up_source(std::size_t index) {
    if (index < kKnownSources.size()) return std::string(kKnownSources.at(index));
    return "91." + std::to_string(100 + index / 65536 % 100) + "." + std::to_string(index / 256 % 256) + "." +
           std::to_string(index % 256);
}

std::string spoofed_source(std::size_t index) {
    return "10." + std::to_string(index / 65536 % 256) + "." + std::to_string(index / 256 % 256) + "." +
           std::to_string(index % 256 + 1);
}

std::vector<std::string> sources_of(const AttackOptions& attack) {
    if (!attack.source_addresses.empty()) return attack.source_addresses;
    const auto spoofed =
        static_cast<std::size_t>(std::lround(static_cast<double>(attack.sources) * attack.spoofed_share));
    std::vector<std::string> sources;
    for (std::size_t i = 0; i < attack.sources; ++i) {
        const std::size_t genuine = attack.sources - spoofed;
        sources.push_back(i < genuine ? made_up_source(i) : spoofed_source(i - genuine));
    }
    return sources;
}

Colo colo_of(std::string_view code) {
    const auto found =
        std::find_if(kColos.begin(), kColos.end(), [&](const Colo& one) { return one.code == code; });
    return found == kColos.end() ? Colo{code, "", ""} : *found;
}

std::int64_t share(std::int64_t total, std::size_t parts, std::size_t index) {
    const auto count = static_cast<std::int64_t>(parts);
    return total / count + (static_cast<std::int64_t>(index) < total % count ? 1 : 0);
}

int protocol_number(std::string_view name) {
    if (name == "ICMP") return 1;
    if (name == "TCP") return 6;
    if (name == "UDP") return 17;
    if (name == "GRE") return 47;
    if (name == "ESP") return 50;
    return 0;
}

json event_of(const AttackOptions& attack, const std::vector<std::string>& sources, std::size_t index) {
    const std::size_t source = index % sources.size();
    const bool is_spoofed = sources[source].starts_with("10.");
    const Origin origin = is_spoofed ? Origin{"", 0, ""} : kOrigins.at(source % kOrigins.size());
    const Colo colo = colo_of(attack.colos[index % attack.colos.size()]);
    std::string colo_name(colo.code);
    for (char& c : colo_name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const bool has_ports = attack.protocol == "TCP" || attack.protocol == "UDP";
    return {{"attackId", attack.attack_id},
            {"attackVector", attack.vector},
            {"ruleName", attack.rule},
            {"rulesetId", "3b64149bfa6e4220bbbc2bd6db589552"},
            {"mitigationReason", "BLOCKED"},
            {"mitigationSystem", "dosd"},
            {"outcome", "drop"},
            {"verdict", "drop"},
            {"direction", "ingress"},
            {"ipSourceAddress", sources[source]},
            {"sourcePort", has_ports ? 1024 + static_cast<int>(index * 7919 % 60000) : 0},
            {"ipDestinationAddress", attack.targets[index % attack.targets.size()]},
            {"destinationPort", attack.destination_port},
            {"ipProtocolName", attack.protocol},
            {"ipProtocol", protocol_number(attack.protocol)},
            {"tcpFlagsString", attack.tcp_flags},
            {"sourceAsn", origin.asn},
            {"sourceAsnName", origin.name},
            {"sourceCountry", origin.country},
            {"coloCode", colo.code},
            {"coloName", colo_name + "01"},
            {"coloCity", colo.city},
            {"coloCountry", colo.country},
            {"packets", share(attack.packets, attack.events, index)},
            {"bits", share(attack.bits, attack.events, index)}};
}

}  // namespace

std::vector<json> attack_events(const AttackOptions& attack, const AttackTime& time) {
    const std::vector<std::string> sources = sources_of(attack);
    const auto first = parse_moment(time.at);
    std::vector<json> events;
    for (std::size_t i = 0; i < attack.events; ++i) {
        const double gaps = attack.events > 1 ? static_cast<double>(attack.events - 1) : 1;
        const double offset = attack.over_seconds * static_cast<double>(i) / gaps;
        json event = event_of(attack, sources, i);
        if (time.seconds_ago) {
            event["at_seconds_ago"] = *time.seconds_ago - offset;
        } else if (time.seconds_after_start) {
            event["at_seconds_after_start"] = *time.seconds_after_start + offset;
        } else {
            const std::chrono::milliseconds later{std::llround(offset * 1000)};
            event["datetime"] = moment_text(first.value_or(machine_time()) + later);
        }
        if (time.appears_after_seconds) event["appears_after_seconds"] = *time.appears_after_seconds;
        events.push_back(std::move(event));
    }
    return events;
}

std::vector<json> attack_events(const AttackOptions& attack, Moment first) {
    return attack_events(attack, AttackTime{.at = moment_text(first)});
}

}  // namespace cam::simulator
