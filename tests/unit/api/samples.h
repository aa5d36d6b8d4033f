#pragma once

#include <string>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "cam/base/time_text.h"
#include "cam/model/alert.h"
#include "cam/model/exporter_status.h"

namespace cam::api {

inline Alert active_alert() {
    Alert alert;
    alert.id = "alert-2";
    alert.rule_id = "rule-1";
    alert.rule_name = "web";
    alert.prefixes = {*Prefix::parse("10.0.0.0/8")};
    alert.started_at = *parse_time("2026-01-19T22:51:00Z");
    alert.raised_at = *parse_time("2026-01-19T22:52:03Z");
    alert.crossing = {.metric = AlertMetric::kBitsPerSecond, .value = 2e9, .threshold = 1e9, .baseline = {}};
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

/// Makes a router over HTTP; the answer's result.
inline nlohmann::json router_named(const std::string& name, const std::string& address,
                                   httplib::Client& client) {
    const nlohmann::json body = {{"name", name}, {"router_ip", address}};
    return nlohmann::json::parse(client.Post("/routers", body.dump(), "")->body).at("result");
}

}  // namespace cam::api
