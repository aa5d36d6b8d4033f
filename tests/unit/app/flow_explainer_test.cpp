// What a minute's traffic was made of, and the messages that say so.

#include "app/flow_explainer.h"

#include <gtest/gtest.h>

#include "app/alert_composer.h"
#include "flow_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kTarget = "185.54.82.4";
constexpr const char* kPrefix = "185.54.80.0/22";

Flow from(const std::string& source, std::uint32_t bytes, std::uint32_t source_as = 0) {
    Flow made;
    made.source = FlowAddress::of(source);
    made.destination = FlowAddress::of(kTarget);
    made.source_port = 53;
    made.destination_port = 443;
    made.packets = 10;
    made.bytes = bytes;
    made.source_as = source_as;
    return made;
}

class FlowExplainerTest : public FlowTest {
protected:
    void SetUp() override {
        add(rule("web", {kPrefix, "10.0.0.0/8"}, 1));
        start();
    }
    /// The minute that these flows make.
    aggregate::CountedMinute minute_of(const std::vector<Flow>& flows) {
        send("127.0.0.11", FlowFormat::kNetflow9, 10, flows);
        place_.clock.advance(1min);
        life_->step(0);
        auto minutes = life_->exchange().take_minutes();
        EXPECT_EQ(minutes.size(), 1U);
        return std::move(minutes.front().counted);
    }
    static std::map<std::string, std::uint64_t> bytes_by_key(const std::vector<Contributor>& all,
                                                             TrafficFacet facet) {
        std::map<std::string, std::uint64_t> out;
        for (const Contributor& one : all) {
            if (one.facet == facet) out[one.key] = one.volume.bytes;
        }
        return out;
    }
    using Shares = std::map<std::string, std::uint64_t>;
};

TEST_F(FlowExplainerTest, TellsSourcesPlacesNetworksPortsAndWhoSawIt) {
    const auto minute =
        minute_of({from("103.118.76.1", 3'000), from("103.118.76.9", 1'000), from("8.8.8.8", 500)});
    ASSERT_EQ(minute.prefixes.size(), 1U);
    const auto all = explain(minute, minute.prefixes[0], place_.geo, 10);
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kSource),
              (Shares{{"103.118.76.0/24", 40'000}, {"8.8.8.0/24", 5'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kSourceCountry), (Shares{{"BD", 40'000}, {"US", 5'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kSourceAs), (Shares{{"137959", 40'000}, {"15169", 5'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kSourcePort), (Shares{{"17/53", 45'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kDestinationPort), (Shares{{"17/443", 45'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kDestination), (Shares{{kTarget, 45'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kExporter), (Shares{{"127.0.0.11", 45'000}}));
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kInterface), (Shares{{"127.0.0.11#1", 45'000}}));
}

TEST_F(FlowExplainerTest, TheExportersOwnAsCountsMoreThanTheDatabase) {
    const auto minute = minute_of({from("103.118.76.1", 3'000, 64'500)});
    const auto all = explain(minute, minute.prefixes[0], place_.geo, 10);
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kSourceAs), (Shares{{"64500", 30'000}}));
}

TEST_F(FlowExplainerTest, OnlyTheLargestAreTold) {
    std::vector<Flow> flows;
    for (unsigned i = 1; i <= 30; ++i) flows.push_back(from("45.0." + std::to_string(i) + ".1", 1'000 * i));
    const auto minute = minute_of(flows);
    const auto all = explain(minute, minute.prefixes[0], place_.geo, 3);
    EXPECT_EQ(bytes_by_key(all, TrafficFacet::kSource),
              (Shares{{"45.0.30.0/24", 300'000}, {"45.0.29.0/24", 290'000}, {"45.0.28.0/24", 280'000}}));
}

TEST_F(FlowExplainerTest, AMinuteOfManyPrefixesStaysWithinWhatTheDatabaseKeeps) {
    std::vector<std::string> prefixes;
    std::vector<Flow> flows;
    for (int i = 0; i < 200; ++i) {
        prefixes.push_back("10.0." + std::to_string(i) + ".0/24");
        flows.push_back(from("103.118.76.1", 1'000 + static_cast<std::uint32_t>(i)));
        flows.back().destination = FlowAddress::of("10.0." + std::to_string(i) + ".1");
    }
    add(rule("many", prefixes, 1));
    start();
    const auto minute = minute_of(flows);
    ASSERT_EQ(minute.prefixes.size(), 201U);
    const auto all = explain_largest(minute, place_.geo);
    EXPECT_LE(all.size(), store::FlowStore::kContributorsPerMinute);
    const auto told_of = [&](const char* of) {
        return std::any_of(all.begin(), all.end(),
                           [&](const Contributor& one) { return one.prefix == prefix(of); });
    };
    EXPECT_TRUE(told_of("10.0.199.0/24"));
    EXPECT_FALSE(told_of("10.0.0.0/24"));
}

class AlertComposerTest : public FlowExplainerTest {
protected:
    static Alert alert(std::vector<std::string> prefixes, double bits) {
        Alert made;
        made.rule_name = "web";
        for (const std::string& one : prefixes) made.prefixes.push_back(prefix(one));
        made.scope = prefixes.size() > 1 ? RuleScope::kAggregate : RuleScope::kPerPrefix;
        made.crossing = {.metric = AlertMetric::kBitsPerSecond, .value = bits, .threshold = 1};
        made.peak = made.current = {.bits_per_second = bits, .packets_per_second = 1};
        return made;
    }
    static std::size_t with(const std::vector<Message>& messages, std::string_view part) {
        return static_cast<std::size_t>(
            std::count_if(messages.begin(), messages.end(),
                          [&](const Message& one) { return one.text.find(part) != std::string::npos; }));
    }
};

TEST_F(AlertComposerTest, AStartIsExplainedByTheMinuteOfItsPrefixes) {
    std::vector<Flow> flows{from("103.118.76.1", 3'000), from("8.8.8.8", 1'000), from("192.168.5.5", 500)};
    flows[1].destination = FlowAddress::of("10.1.1.1");
    const auto minute = minute_of(flows);
    const notify::RenderOptions options{.organization = "TEST SOC", .geoip = std::nullopt};
    const auto one = compose_alerts({.started = {alert({kPrefix}, 5e6)}, .ended = {}, .kept = {}}, minute,
                                    place_.geo, options);
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].kind, MessageKind::kAlert);
    EXPECT_EQ(with(one, "103.118.76.0/24"), 1U) << one[0].text;
    EXPECT_EQ(with(one, "Vision Technologies Ltd."), 1U) << one[0].text;
    EXPECT_EQ(with(one, "8.8.8.0/24"), 0U) << one[0].text;
    EXPECT_EQ(with(one, "Spoofed"), 1U) << one[0].text;
    const auto both =
        compose_alerts({.started = {alert({kPrefix, "10.0.0.0/8"}, 5e6)}, .ended = {}, .kept = {}}, minute,
                       place_.geo, options);
    EXPECT_EQ(with(both, "8.8.8.0/24"), 1U) << both[0].text;
}

TEST_F(AlertComposerTest, APrefixWithinAnotherOfTheAlertIsNotExplainedTwice) {
    std::vector<Flow> flows{from("103.118.76.1", 1'000), from("8.8.8.8", 1'000)};
    flows[1].destination = FlowAddress::of("185.54.80.1");
    auto minute = minute_of(flows);
    ASSERT_EQ(minute.prefixes.size(), 1U);
    PrefixMinute inner{.prefix = prefix("185.54.82.0/24"), .minute = minute.minute};
    for (std::size_t i = 0; i < inner.classes.size(); ++i) {
        const Volume& whole = minute.prefixes[0].classes[i];
        inner.classes[i] = {.bytes = whole.bytes / 2, .packets = whole.packets / 2, .flows = whole.flows / 2};
    }
    minute.prefixes.push_back(inner);
    const auto told =
        compose_alerts({.started = {alert({kPrefix, "185.54.82.0/24"}, 5e6)}, .ended = {}, .kept = {}},
                       minute, place_.geo, {.organization = "TEST SOC", .geoip = std::nullopt});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(with(told, "`103.118.76.0/24` 50%"), 1U) << told[0].text;
    EXPECT_EQ(with(told, "`8.8.8.0/24` 50%"), 1U) << told[0].text;
}

TEST_F(AlertComposerTest, SixHaveAMessageEachAndMoreShareTheLast) {
    const auto minute = minute_of({});
    const notify::RenderOptions options{.organization = "TEST SOC", .geoip = std::nullopt};
    store::RecordReport report;
    for (int i = 0; i < 6; ++i)
        report.started.push_back(alert({"10." + std::to_string(i) + ".0.0/16"}, 1e6 * i));
    EXPECT_EQ(compose_alerts(report, minute, place_.geo, options).size(), 6U);
    report.started.push_back(alert({kPrefix}, 9e9));
    const auto messages = compose_alerts(report, minute, place_.geo, options);
    ASSERT_EQ(messages.size(), 6U);
    EXPECT_NE(messages[0].text.find(kPrefix), std::string::npos) << "the largest first";
    EXPECT_EQ(with(messages, "2 more traffic alerts"), 1U);
    EXPECT_EQ(messages.back().kind, MessageKind::kAlert);
}

TEST_F(AlertComposerTest, ATargetIsItsPrefixOrTheirNumber) {
    EXPECT_EQ(alert_target(alert({kPrefix}, 1)), kPrefix);
    EXPECT_EQ(alert_target(alert({kPrefix, "10.0.0.0/8"}, 1)), "2 prefixes");
}

}  // namespace
}  // namespace cam::app
