#pragma once

#include <initializer_list>
#include <string>

#include "cam/base/time_text.h"
#include "cam/notify/render.h"
#include "unit/notify/samples.h"

// The data behind the golden texts of alerts.
namespace cam::notify::test {

inline Alert sample_alert() {
    Alert alert;
    alert.id = "a17";
    alert.rule_id = "r3";
    alert.rule_name = "edge_1G";
    alert.type = RuleType::kThreshold;
    alert.prefixes = {*Prefix::parse("185.54.80.0/22")};
    alert.started_at = *parse_time("2026-01-19T22:50:00Z");
    alert.raised_at = *parse_time("2026-01-19T22:55:04Z");
    alert.crossing = {.metric = AlertMetric::kBitsPerSecond, .value = 3.42e9, .threshold = 1e9};
    alert.peak = {4.2e9, 910'000};
    alert.current = {3.42e9, 812'345};
    return alert;
}

inline Alert sample_zscore_alert() {
    Alert alert = sample_alert();
    alert.rule_name = "anomaly";
    alert.type = RuleType::kZscore;
    alert.scope = RuleScope::kAggregate;
    alert.prefixes.push_back(*Prefix::parse("2a02:4460::/32"));
    alert.crossing = {.metric = AlertMetric::kZscore,
                      .value = 7.25,
                      .threshold = 4,
                      .baseline = 400e6,
                      .spread = 80e6,
                      .zscore_target = ZscoreTarget::kBits};
    return alert;
}

inline Alert sample_advanced_alert() {
    Alert alert = sample_alert();
    alert.rule_name = "ddos";
    alert.type = RuleType::kAdvancedDdos;
    alert.started_at = *parse_time("2026-01-19T22:54:00Z");
    alert.crossing = {.metric = AlertMetric::kPacketsPerSecond,
                      .value = 640'000,
                      .threshold = 10'000,
                      .traffic_class = TrafficClass::kTcpSyn,
                      .baseline = 120};
    return alert;
}

inline Alert sample_ended_alert() {
    Alert alert = sample_alert();
    alert.ended_at = *parse_time("2026-01-19T23:31:00Z");
    alert.current = {0.2e9, 40'000};
    alert.end_reason = "below";
    return alert;
}

inline AlertContributor contributor(TrafficFacet facet, const std::string& key, std::uint64_t percent) {
    return {facet, key, {percent * 250'000'000, percent * 500'000, percent * 60}, {}, {}};
}

/// 25 GB, 50 million packets and 6,000 flows in the minute: a reflection attack with some SYN.
inline AlertExplanation sample_explanation() {
    AlertExplanation explanation;
    const auto set = [&](TrafficClass traffic_class, std::uint64_t percent) {
        explanation.classes[static_cast<std::size_t>(traffic_class)] =
            contributor(TrafficFacet::kSource, "", percent).volume;
    };
    set(TrafficClass::kAll, 100);
    set(TrafficClass::kUdp, 81);
    set(TrafficClass::kTcp, 18);
    set(TrafficClass::kTcpSyn, 15);
    set(TrafficClass::kTcpAck, 3);
    set(TrafficClass::kIcmp, 1);
    auto& all = explanation.contributors;
    all.push_back(contributor(TrafficFacet::kSource, "198.41.0.0/24", 9));
    all.push_back(contributor(TrafficFacet::kSource, "103.118.76.0/24", 41));
    all.back().place = sample_place();
    all.push_back(contributor(TrafficFacet::kSource, "10.0.0.0/24", 12));
    all.back().spoofed = "private range";
    all.push_back(contributor(TrafficFacet::kSource, "45.227.254.0/24", 22));
    all.back().place.country_code = "BR";
    all.back().place.asn = 270523;
    all.push_back(contributor(TrafficFacet::kSourceAs, "270523", 22));
    all.push_back(contributor(TrafficFacet::kSourceAs, "137959", 41));
    all.back().place = sample_place();
    all.push_back(contributor(TrafficFacet::kSourceCountry, "BD", 41));
    all.push_back(contributor(TrafficFacet::kSourceCountry, "BR", 22));
    all.push_back(contributor(TrafficFacet::kSourcePort, "17/123", 80));
    all.push_back(contributor(TrafficFacet::kSourcePort, "6/40000", 2));
    all.push_back(contributor(TrafficFacet::kDestinationPort, "17/80", 80));
    all.push_back(contributor(TrafficFacet::kDestinationPort, "6/443", 18));
    all.push_back(contributor(TrafficFacet::kDestination, "185.54.82.4", 97));
    all.push_back(contributor(TrafficFacet::kInterface, "192.0.2.1#12", 70));
    all.push_back(contributor(TrafficFacet::kInterface, "192.0.2.2#3", 30));
    all.push_back(contributor(TrafficFacet::kExporter, "192.0.2.1", 70));
    all.push_back(contributor(TrafficFacet::kExporter, "192.0.2.2", 30));
    return explanation;
}

}  // namespace cam::notify::test
