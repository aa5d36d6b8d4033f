#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cam/store/flow_store.h"
#include "store_fixture.h"

namespace cam::store {

inline Prefix prefix(std::string_view text) {
    const std::optional<Prefix> parsed = Prefix::parse(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value();
}

inline IpAddress address(std::string_view text) {
    const std::optional<IpAddress> parsed = IpAddress::parse(text);
    EXPECT_TRUE(parsed.has_value()) << text;
    return parsed.value();
}

/// `number` minutes after 2026-01-20 09:00.
inline MinuteTime minute_at(int number) {
    return std::chrono::floor<std::chrono::minutes>(kNow) + std::chrono::minutes{number};
}

inline Router make_router(std::string_view where, std::string_view called = "edge") {
    return {.id = "", .name = std::string(called), .address = address(where), .default_sampling = 1'000};
}

inline Rule make_rule(std::string_view called = "web") {
    Rule rule;
    rule.name = called;
    rule.prefixes = {prefix("185.54.80.0/22"), prefix("2a02:4460::/32")};
    rule.bandwidth_threshold = 1'000'000'000;
    rule.duration = std::chrono::minutes{2};
    return rule;
}

/// An alert of rule `r1` on one prefix, as the evaluator makes it: without an id.
inline Alert make_alert(std::string_view target = "185.54.80.0/22", int started = 0) {
    Alert alert;
    alert.rule_id = "r1";
    alert.rule_name = "web";
    alert.prefixes = {prefix(target)};
    alert.started_at = WallTime{minute_at(started)};
    alert.raised_at = alert.started_at + std::chrono::seconds{65};
    alert.crossing = {.metric = AlertMetric::kBitsPerSecond,
                      .value = 2.5e9,
                      .threshold = 1e9,
                      .traffic_class = TrafficClass::kAll,
                      .baseline = std::nullopt};
    alert.peak = alert.current = {.bits_per_second = 2.5e9, .packets_per_second = 3e5};
    return alert;
}

/// One message per alert that is to be told.
inline std::vector<Message> tell(const RecordReport& report) {
    std::vector<Message> messages;
    for (const Alert& alert : report.started) messages.push_back({MessageKind::kAlert, "START " + alert.id});
    for (const Alert& alert : report.ended) messages.push_back({MessageKind::kAlert, "END " + alert.id});
    return messages;
}

/// Traffic whose classes all differ.
inline PrefixMinute make_traffic(std::string_view target, MinuteTime minute, std::uint64_t bytes) {
    PrefixMinute traffic{.prefix = prefix(target), .minute = minute};
    traffic.classes[0] = {.bytes = bytes, .packets = bytes / 100, .flows = bytes / 1'000};
    const auto syn = static_cast<std::size_t>(TrafficClass::kTcpSyn);
    traffic.classes[syn] = {.bytes = bytes / 2, .packets = bytes / 200, .flows = bytes / 2'000};
    const auto other = static_cast<std::size_t>(TrafficClass::kOther);
    traffic.classes[other] = {.bytes = bytes / 4, .packets = bytes / 400, .flows = bytes / 4'000};
    return traffic;
}

inline Contributor make_contributor(std::string_view target, MinuteTime minute, TrafficFacet facet,
                                    std::string_view key, std::uint64_t bytes) {
    return {.prefix = prefix(target),
            .minute = minute,
            .facet = facet,
            .key = std::string(key),
            .volume = {.bytes = bytes, .packets = bytes / 100, .flows = 1}};
}

class FlowStoreTest : public SqliteStoreTest {
protected:
    [[nodiscard]] Result<std::unique_ptr<FlowStore>> open_flow(Access access = Access::kReadWrite) const {
        return FlowStore::open(options(access));
    }
    std::unique_ptr<FlowStore> must_open_flow(Access access = Access::kReadWrite) const {
        Result<std::unique_ptr<FlowStore>> store = open_flow(access);
        EXPECT_TRUE(store.has_value()) << (store ? "" : store.error().detail);
        return std::move(store).value();
    }
    /// A whole minute of this traffic.
    static Result<WriteReport> write(FlowStore& store, MinuteTime minute,
                                     const std::vector<PrefixMinute>& prefixes,
                                     const std::vector<Contributor>& contributors = {}) {
        return store.write_minute({.minute = minute,
                                   .from = WallTime{minute},
                                   .to = WallTime{minute} + std::chrono::minutes{1},
                                   .prefixes = prefixes,
                                   .contributors = contributors});
    }
    static Judgement starting(MinuteTime minute, std::vector<Alert> alerts) {
        return {.minute = minute, .ended = {}, .started = std::move(alerts), .updated = {}};
    }
};

}  // namespace cam::store
