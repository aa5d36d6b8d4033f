#pragma once

#include <string>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "cam/base/time_text.h"
#include "cam/model/alert.h"
#include "cam/model/attack.h"
#include "cam/model/delivery.h"
#include "cam/model/exporter_status.h"
#include "cam/model/monitor_status.h"
#include "cam/model/stored_event.h"

namespace cam::api {

inline Alert active_alert() {
    Alert alert;
    alert.id = "alert-2";
    alert.rule_id = "rule-1";
    alert.rule_name = "web";
    alert.prefixes = {*Prefix::parse("10.0.0.0/8")};
    alert.started_at = *parse_time("2026-01-19T22:51:00Z");
    alert.raised_at = *parse_time("2026-01-19T22:52:03Z");
    alert.crossing = {.metric = AlertMetric::kBitsPerSecond, .value = 2e9, .threshold = 1e9};
    alert.peak = {.bits_per_second = 3e9, .packets_per_second = 500.5};
    alert.current = {.bits_per_second = 2e9, .packets_per_second = 400};
    return alert;
}

inline Alert ended_alert() {
    Alert alert = active_alert();
    alert.id = "alert-1";
    alert.type = RuleType::kAdvancedDdos;
    alert.scope = RuleScope::kAggregate;
    alert.prefixes.push_back(*Prefix::parse("2001:db8::/32"));
    alert.ended_at = *parse_time("2026-01-19T22:55:00Z");
    alert.end_reason = "below";
    alert.crossing = {.metric = AlertMetric::kFlowsPerSecond,
                      .value = 100,
                      .threshold = 50,
                      .traffic_class = TrafficClass::kTcpSyn,
                      .baseline = 12.5};
    return alert;
}

inline Alert zscore_alert() {
    Alert alert = active_alert();
    alert.type = RuleType::kZscore;
    alert.crossing = {.metric = AlertMetric::kZscore,
                      .value = 6,
                      .threshold = 4,
                      .baseline = 100,
                      .spread = 2.5,
                      .zscore_target = ZscoreTarget::kPackets};
    return alert;
}

inline ExporterStatus exporter(const std::string& address) {
    ExporterStatus status{ExporterKey{*IpAddress::parse(address)}};
    status.protocols = {ExportProtocol::kNetflow9, ExportProtocol::kSflow5};
    status.last_seen = *parse_time("2026-01-19T22:51:50Z");
    status.templates = 3;
    status.datagrams = 10;
    status.flow_records = 200;
    status.lost_datagrams = 1;
    status.lost_records = 2;
    status.dropped = {{"no_template", 4}};
    status.sampling = {{.protocol = ExportProtocol::kNetflow9,
                        .domain = 7,
                        .sampler = 1,
                        .rate = *SamplingRate::one_in(1000),
                        .source = SamplingSource::kOptions}};
    return status;
}

inline StoredEvent stored_event(std::int64_t id) {
    StoredEvent event;
    event.id = id;
    event.event_hash = "0a";
    event.attack_id = "a";
    event.event_datetime = "2026-01-19T22:51:50Z";
    event.source_port = 53;
    return event;
}

inline Attack an_attack(const std::string& id) {
    Attack attack;
    attack.attack_id = id;
    attack.vectors = {"SYN Flood"};
    attack.rule_names = {"TCP-0001"};
    attack.first_seen = *parse_time("2026-01-19T22:51:50Z");
    attack.last_seen = *parse_time("2026-01-19T22:59:50Z");
    attack.volume = {.packets = 1'000, .bits = 64'000, .events = 7};
    attack.targets = {"185.54.82.4"};
    attack.target_count = 1;
    attack.source_count = 5;
    attack.newest_event = 12;
    attack.active = true;
    return attack;
}

inline AttackDetail attack_detail(const std::string& id) {
    AttackDetail detail;
    detail.attack = an_attack(id);
    const DroppedVolume volume{.packets = 600, .bits = 40'000, .events = 4};
    detail.countries = {.largest = {{.key = "BD", .name = std::nullopt, .volume = volume}}, .left_out = 0};
    detail.asns = {.largest = {{.key = "137959", .name = "Vision", .volume = volume}}, .left_out = 3};
    detail.complete_since = *parse_time("2026-01-19T00:00:00Z");
    return detail;
}

inline AttackTimeline attack_timeline() {
    AttackTimeline timeline;
    timeline.start = *parse_time("2026-01-19T22:50:00Z");
    timeline.step = std::chrono::seconds{300};
    timeline.series = {{.attack_id = "a", .vectors = {"SYN Flood"}, .packets = {1, 0}, .bits = {8, 0}}};
    timeline.other =
        AttackTimeline::Series{.attack_id = "other", .vectors = {}, .packets = {0, 2}, .bits = {0, 9}};
    timeline.other_count = 4;
    return timeline;
}

inline BothSides both_sides() {
    BothSides both;
    both.prefix = Prefix::parse("185.54.80.0/22");
    both.rule_ids = {"rule-1"};
    const MinuteTime start = std::chrono::floor<std::chrono::minutes>(*parse_time("2026-01-19T22:51:00Z"));
    both.minutes = {
        {.start = start, .dropped = {.bits_per_second = 1e9, .packets_per_second = 1e5}, .arrived = {}},
        {.start = start + std::chrono::minutes{1},
         .dropped = {.bits_per_second = 1e9, .packets_per_second = 1e5},
         .arrived = TrafficRate{.bits_per_second = 2.5e7, .packets_per_second = 100.5}}};
    both.usual_bits_per_second = 1e6;
    both.leaked_share = 0.0234;
    both.note = "note";
    return both;
}

inline Delivery delivery(std::int64_t id, DeliveryState state) {
    Delivery made;
    made.id = id;
    made.kind = "event";
    made.state = state;
    made.created_at = *parse_time("2026-01-19T22:51:50Z");
    made.attempts = 2;
    made.next_attempt_at = *parse_time("2026-01-19T22:52:50Z");
    made.last_error = "429";
    made.text = "*<b>x</b>*";
    return made;
}

inline MonitorStatus monitor_status() {
    MonitorStatus status;
    status.version = "1.2.3";
    status.organization = "SOC";
    status.now = *parse_time("2026-01-19T23:00:00Z");
    status.started_at = *parse_time("2026-01-19T20:00:00Z");
    status.ready = true;
    status.reasons = {"Telegram does not answer"};
    status.conditions = {{.name = "telegram",
                          .headline = "Telegram does not answer",
                          .details = {"timeout"},
                          .since = *parse_time("2026-01-19T22:00:00Z")}};
    status.polling.last_ok_at = *parse_time("2026-01-19T22:59:00Z");
    status.polling.interval = std::chrono::seconds{300};
    status.polling.outcome = "done";
    status.outbox = MonitorStatus::Outbox{
        .waiting = 3, .oldest_at = *parse_time("2026-01-19T22:10:00Z"), .last_sent_at = std::nullopt};
    status.city = GeoEdition{
        .type = GeoEdition::Type::kFree, .built = *parse_time("2026-01-13T00:00:00Z"), .path = "/city.mmdb"};
    status.flow.enabled = true;
    status.flow.last_minute = std::chrono::floor<std::chrono::minutes>(*parse_time("2026-01-19T22:59:00Z"));
    status.flow.exporters = 2;
    status.flow.silent_exporters = {"edge (192.0.2.1)"};
    status.prefixes = {{.prefix = "185.54.80.0/22", .advertised = true},
                       {.prefix = "185.54.81.0/24", .advertised = false},
                       {.prefix = "2a02:4460::/32", .advertised = std::nullopt}};
    status.prefixes_checked_at = *parse_time("2026-01-19T22:45:00Z");
    status.alerts_active = 1;
    status.attacks_24h = 9;
    return status;
}

/// Makes a router over HTTP; the answer's result.
inline nlohmann::json router_named(const std::string& name, const std::string& address,
                                   httplib::Client& client) {
    const nlohmann::json body = {{"name", name}, {"router_ip", address}};
    return nlohmann::json::parse(client.Post("/routers", body.dump(), "")->body).at("result");
}

}  // namespace cam::api
