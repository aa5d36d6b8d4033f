// The preview against the flow monitor that lived through the same minutes, and the traffic behind charts.

#include "app/rule_preview.h"

#include <gtest/gtest.h>

#include "app/traffic_view.h"
#include "flow_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kTarget = "185.54.82.4";
constexpr const char* kPrefix = "185.54.80.0/22";
constexpr const char* kOther = "185.54.84.0/22";
constexpr const char* kInner = "185.54.82.0/24";
constexpr std::uint64_t kMbit = 1'000'000;
constexpr std::chrono::seconds kBudget{20};

class RulePreviewTest : public FlowTest {
protected:
    void minute_of(std::uint64_t bits_per_second, const char* target = kTarget) {
        if (bits_per_second > 0) flood(target, bits_per_second);
        turn_minute();
    }
    TrafficHistory& history() {
        if (!history_) history_.emplace(operators());
        return *history_;
    }
    [[nodiscard]] std::vector<Alert> alerts() {
        return operators().alerts({.active = {}, .rule_id = {}, .since = {}, .limit = 1'000}).value();
    }
    Result<api::RulePreview> preview(const Rule& rule, int from, int to,
                                     std::chrono::milliseconds budget = kBudget) {
        return preview_rule({.history = history(), .alerts = operators()}, rule, minute(from), minute(to),
                            place_.clock, budget);
    }
    /// Minutes as the collector writes them, without sockets: for pasts of days.
    void store_minutes(int from, int to, const std::function<std::uint64_t(int)>& bits_per_second) {
        for (int number = from; number < to; ++number) {
            PrefixMinute one{.prefix = prefix(kPrefix), .minute = minute(number)};
            one.classes[0] = {bits_per_second(number) * 60 / 8, 60 * 1'000, 60};
            const std::vector<PrefixMinute> traffic{one};
            ASSERT_TRUE(operators().write_minute({.minute = minute(number),
                                                  .from = minute(number),
                                                  .to = minute(number + 1),
                                                  .prefixes = traffic,
                                                  .contributors = {}}));
        }
    }
    /// Everything that does not come from telling: ids, and when it was told.
    static void expect_same(const std::vector<Alert>& told, const std::vector<Alert>& previewed) {
        ASSERT_EQ(told.size(), previewed.size());
        for (std::size_t i = 0; i < told.size(); ++i) {
            EXPECT_EQ(told[i].started_at, previewed[i].started_at) << i;
            EXPECT_EQ(told[i].ended_at, previewed[i].ended_at) << i;
            EXPECT_EQ(told[i].end_reason, previewed[i].end_reason) << i;
            EXPECT_EQ(told[i].prefixes, previewed[i].prefixes) << i;
            EXPECT_EQ(told[i].crossing, previewed[i].crossing) << i;
            EXPECT_EQ(told[i].peak.bits_per_second, previewed[i].peak.bits_per_second) << i;
            EXPECT_EQ(told[i].peak.packets_per_second, previewed[i].peak.packets_per_second) << i;
        }
    }

private:
    std::optional<SqliteHistory> history_;
};

TEST_F(RulePreviewTest, AThresholdRuleWouldHaveDoneWhatItDid) {
    const Rule made = add(rule("web", {kPrefix, kOther}, 100 * kMbit, 2min));
    start();
    for (const std::uint64_t mbit : {10U, 120U, 130U, 90U, 100U, 100U, 100U, 0U, 200U, 0U, 300U, 300U, 0U}) {
        minute_of(mbit * kMbit);
    }
    minute_of(150 * kMbit, "185.54.84.9");
    minute_of(150 * kMbit, "185.54.84.9");
    const auto seen = preview(made, 0, 15);
    ASSERT_TRUE(seen) << seen.error().detail;
    EXPECT_EQ(seen->minutes_judged, 15U);
    EXPECT_EQ(seen->alerts.size(), 4U);
    EXPECT_FALSE(seen->alerts.front().ended_at) << "the last one is still active";
    expect_same(alerts(), seen->alerts);
    EXPECT_TRUE(seen->without_traffic.empty());
}

TEST_F(RulePreviewTest, AZscoreRuleWouldHaveDoneWhatItDid) {
    Rule unusual;
    unusual.name = "unusual";
    unusual.prefixes = {prefix(kPrefix)};
    unusual.type = RuleType::kZscore;
    unusual.zscore_sensitivity = Sensitivity::kHigh;
    unusual.zscore_target = ZscoreTarget::kBits;
    const Rule made = add(unusual);
    start();
    for (std::uint64_t number = 0; number < 50; ++number) minute_of((100 + number % 7) * kMbit);
    for (int number = 0; number < 6; ++number) minute_of(400 * kMbit);
    for (std::uint64_t number = 0; number < 12; ++number) minute_of((100 + number % 7) * kMbit);
    ASSERT_GE(alerts().size(), 1U);
    const auto seen = preview(made, 0, 68);
    ASSERT_TRUE(seen) << seen.error().detail;
    expect_same(alerts(), seen->alerts);
}

TEST_F(RulePreviewTest, AnAdvancedRuleOnASumWouldHaveDoneWhatItDid) {
    Rule sum;
    sum.name = "sum";
    sum.prefixes = {prefix(kPrefix), prefix(kOther)};
    sum.type = RuleType::kAdvancedDdos;
    sum.scope = RuleScope::kAggregate;
    const Rule made = add(sum);
    start();
    for (std::uint64_t number = 0; number < 40; ++number) minute_of((20 + number % 5) * kMbit);
    for (int number = 0; number < 5; ++number) minute_of(9'000 * kMbit);
    for (int number = 0; number < 5; ++number) minute_of(20 * kMbit);
    ASSERT_GE(alerts().size(), 1U) << "a comparison of nothing shows nothing";
    const auto seen = preview(made, 0, 50);
    ASSERT_TRUE(seen) << seen.error().detail;
    expect_same(alerts(), seen->alerts);
}

TEST_F(RulePreviewTest, MinutesThatWereNotWhollyCollectedAreLeftOutAsTheyWereLive) {
    const Rule made = add(rule("web", {kPrefix}, 100 * kMbit));
    place_.clock.advance(20s);
    start();
    minute_of(500 * kMbit);
    minute_of(200 * kMbit);
    minute_of(0);
    const auto seen = preview(made, 0, 3);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->minutes_judged, 2U);
    EXPECT_EQ(seen->alerts.size(), 1U);
    expect_same(alerts(), seen->alerts);
}

TEST_F(RulePreviewTest, StoresNothingAndNamesPrefixesThatNobodyCounted) {
    add(rule("web", {kPrefix}, 100 * kMbit));
    start();
    minute_of(50 * kMbit);
    const auto seen = preview(rule("new", {kPrefix, "192.0.2.0/24"}, 10 * kMbit), 0, 1);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->alerts.size(), 1U);
    EXPECT_EQ(seen->without_traffic, std::vector{prefix("192.0.2.0/24")});
    EXPECT_TRUE(alerts().empty());
    EXPECT_EQ(operators().rules()->size(), 1U);
    EXPECT_FALSE(seen->suggestion.bits_per_second);
    EXPECT_NE(seen->suggestion.reasoning.find("1440"), std::string::npos) << seen->suggestion.reasoning;
}

TEST_F(RulePreviewTest, SuggestsHalfAsMuchAgainAsIsUsualOutsideOfAlerts) {
    // Two days of 100 to 109 Mbps, two odd minutes, and an attack of an hour that a stored alert covers.
    store_minutes(0, 2'880, [](int number) -> std::uint64_t {
        if (number >= 1'000 && number < 1'060) return 5'000 * kMbit;
        if (number == 500 || number == 2'000) return 900 * kMbit;
        return (100 + static_cast<std::uint64_t>(number % 10)) * kMbit;
    });
    Alert attack;
    attack.rule_id = attack.rule_name = "r";
    attack.prefixes = {prefix(kPrefix)};
    attack.started_at = minute(1'000);
    attack.raised_at = minute(1'001);
    const auto none = [](const store::RecordReport&) { return std::vector<Message>{}; };
    auto recorded = operators().record(
        {.minute = minute(1'000), .ended = {}, .started = {attack}, .updated = {}}, minute(2'880), none);
    ASSERT_TRUE(recorded);
    attack = recorded->started.at(0);
    attack.ended_at = minute(1'060);
    attack.end_reason = "below";
    ASSERT_TRUE(operators().record({.minute = minute(1'060), .ended = {attack}, .started = {}, .updated = {}},
                                   minute(2'880), none));
    const auto seen = preview(rule("new", {kPrefix}, 1'000 * kMbit), 0, 2'880);
    ASSERT_TRUE(seen) << seen.error().detail;
    // 2,820 minutes count; the two odd ones are within the highest thousandth. 1.5 * 109 Mbps = 163.5.
    EXPECT_EQ(seen->suggestion.bits_per_second, 170 * kMbit) << seen->suggestion.reasoning;
    EXPECT_EQ(seen->suggestion.packets_per_second, 1'500U);
    EXPECT_NE(seen->suggestion.reasoning.find("2820 whole minutes"), std::string::npos)
        << seen->suggestion.reasoning;
    ASSERT_EQ(seen->alerts.size(), 1U);
    EXPECT_EQ(seen->alerts[0].started_at, WallTime{minute(1'000)});
    EXPECT_EQ(seen->alerts[0].ended_at, WallTime{minute(1'060)});

    const TrafficPoint day = summed_series(history(), {prefix(kPrefix)},
                                           {.from = minute(0), .to = minute(2'880), .step = 1'440min})
                                 ->at(0);
    EXPECT_EQ(day.collected, 1'440U);
    EXPECT_EQ(day.peak.bits_per_second(), 5e9);
}

TEST_F(RulePreviewTest, ItsWorkIsBounded) {
    std::vector<std::string> many;
    for (int i = 0; i < 1'000; ++i) many.push_back(fmt::format("10.{}.{}.0/24", i / 256, i % 256));
    const auto large = preview(rule("many", many, kMbit), 0, 7 * 24 * 60);
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error().code, ErrorCode::kInvalid);
    EXPECT_NE(large.error().detail.find("days: for 1000 prefixes"), std::string::npos)
        << large.error().detail;
    const auto late = preview(rule("one", {kPrefix}, kMbit), 0, 60, 0ms);
    ASSERT_FALSE(late);
    EXPECT_NE(late.error().detail.find("too long"), std::string::npos) << late.error().detail;
}

TEST_F(RulePreviewTest, ASumCountsEachPacketOnceAndItsPeakIsOfTheSum) {
    add(rule("web", {kPrefix, kInner, kOther}, 9'000 * kMbit));
    start();
    flood(kTarget, 100 * kMbit);
    flood("185.54.84.9", 50 * kMbit);
    turn_minute();
    minute_of(80 * kMbit, "185.54.84.9");
    EXPECT_EQ(outermost({prefix(kInner), prefix(kOther), prefix(kPrefix)}),
              (std::vector{prefix(kPrefix), prefix(kOther)}));
    const auto sum = summed_series(history(), {prefix(kPrefix), prefix(kInner), prefix(kOther)},
                                   {.from = minute(-1), .to = minute(3), .step = 2min});
    ASSERT_TRUE(sum);
    ASSERT_EQ(sum->size(), 2U);
    EXPECT_EQ((*sum)[0].collected, 1U) << "the minute before the start is unknown";
    EXPECT_EQ((*sum)[0].sum[0].bits_per_second(), 150e6);
    EXPECT_EQ((*sum)[0].peak.bits_per_second(), 150e6);
    EXPECT_EQ((*sum)[1].sum[0].bits_per_second(), 80e6);
}

TEST_F(RulePreviewTest, TheLatestMinuteAndItsPartsAreFound) {
    EXPECT_FALSE(stored_minute(history(), {}, place_.clock.wall()).value());
    add(rule("web", {kPrefix}, 9'000 * kMbit));
    start();
    minute_of(100 * kMbit);
    minute_of(40 * kMbit);
    const auto latest = stored_minute(history(), {}, place_.clock.wall()).value();
    ASSERT_TRUE(latest);
    EXPECT_EQ(latest->minute, minute(1));
    ASSERT_EQ(latest->prefixes.size(), 1U);
    EXPECT_EQ(latest->prefixes[0].all().bits_per_second(), 40e6);
    EXPECT_EQ(stored_minute(history(), minute(0), place_.clock.wall()).value()->minute, minute(0));
    const auto parts =
        traffic_parts(history(), place_.geo, prefix(kPrefix), {.from = minute(0), .to = minute(2)}, 5);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->all.bytes, 140 * kMbit * 60 / 8);
    const auto source =
        std::find_if(parts->largest.begin(), parts->largest.end(),
                     [](const Contributor& one) { return one.facet == TrafficFacet::kSource; });
    ASSERT_NE(source, parts->largest.end());
    EXPECT_EQ(source->key, "103.118.76.0/24");
    EXPECT_EQ(source->volume.bytes, parts->all.bytes);
}

}  // namespace
}  // namespace cam::app
