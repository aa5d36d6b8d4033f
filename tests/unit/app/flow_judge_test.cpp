// Minutes that are judged, alerts that start and end, and a database that refuses.

#include <gtest/gtest.h>

#include "flow_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kTarget = "185.54.82.4";
constexpr const char* kPrefix = "185.54.80.0/22";
constexpr std::uint64_t kMbit = 1'000'000;

class FlowJudgeTest : public FlowTest {
protected:
    /// A minute with so much traffic for the target, and its turn.
    void minute_of(std::uint64_t bits_per_second) {
        if (bits_per_second > 0) flood(kTarget, bits_per_second);
        turn_minute();
    }
    [[nodiscard]] std::vector<Alert> active() { return operators().active_alerts().value(); }
    [[nodiscard]] std::vector<Alert> alerts() {
        return operators().alerts({.active = {}, .rule_id = {}, .since = {}, .limit = 1'000}).value();
    }
    [[nodiscard]] double gauge(const char* name, MetricRegistry::Labels labels = {}) {
        return place_.metrics.gauge(name, "", std::move(labels)).value();
    }
};

TEST_F(FlowJudgeTest, AnAlertStartsAndEndsOnceWithTheRightFigures) {
    add(rule("web", {kPrefix}, 100 * kMbit, 2min));
    start();
    minute_of(120 * kMbit);
    EXPECT_TRUE(told().empty());
    minute_of(200 * kMbit);
    ASSERT_EQ(active().size(), 1U);
    const Alert raised = active().front();
    EXPECT_EQ(raised.started_at, WallTime{minute(0)});
    EXPECT_EQ(raised.crossing.value, 200e6);
    EXPECT_EQ(raised.crossing.threshold, 100e6);
    EXPECT_EQ(life_->queued(), 1);
    EXPECT_EQ(gauge("cam_alerts_active", {{"type", "threshold"}}), 1);
    minute_of(300 * kMbit);
    EXPECT_EQ(life_->queued(), 1) << "told again";
    minute_of(10 * kMbit);
    EXPECT_TRUE(active().empty());
    ASSERT_EQ(alerts().size(), 1U);
    EXPECT_EQ(alerts().front().ended_at, WallTime{minute(3)});
    EXPECT_EQ(alerts().front().peak.bits_per_second, 300e6);
    EXPECT_EQ(alerts().front().end_reason, "below");
    EXPECT_EQ(gauge("cam_alerts_active", {{"type", "threshold"}}), 0);
    const auto texts = told();
    ASSERT_EQ(texts.size(), 2U);
    EXPECT_NE(texts[0].find("200.00 Mbps"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("103.118.76.0/24"), std::string::npos) << texts[0];
    EXPECT_NE(texts[1].find("300.00 Mbps"), std::string::npos) << texts[1];
    EXPECT_EQ(minutes("judged"), 4U);
}

TEST_F(FlowJudgeTest, APartialMinuteIsStoredAndNotJudged) {
    add(rule("web", {kPrefix}, kMbit));
    place_.clock.advance(20s);
    start();
    minute_of(500 * kMbit);
    EXPECT_EQ(minutes("partial"), 1U);
    EXPECT_EQ(minutes("judged"), 0U);
    EXPECT_TRUE(alerts().empty());
    EXPECT_EQ(stored(kPrefix).bytes, 500 * kMbit * 60 / 8);
    ASSERT_EQ(collected().size(), 1U);
    EXPECT_EQ(collected()[0].covered, 40s);
}

TEST_F(FlowJudgeTest, AClockThatIsSetBackByAnHourDoesNotStopTheJudging) {
    add(rule("web", {kPrefix}, kMbit));
    start();
    minute_of(0);
    place_.clock.turn_wall(-1h);
    life_->round();
    turn_minute();
    minute_of(500 * kMbit);
    EXPECT_EQ(alerts().size(), 1U);
    minute_of(0);
    ASSERT_EQ(alerts().size(), 1U);
    EXPECT_TRUE(alerts().front().ended_at.has_value());
    EXPECT_EQ(minutes("judged"), 3U);
    EXPECT_EQ(told().size(), 2U);
}

TEST_F(FlowJudgeTest, AlertsOutliveTheProcessAndEndOnce) {
    add(rule("web", {kPrefix}, 100 * kMbit));
    start();
    minute_of(200 * kMbit);
    end();
    EXPECT_EQ(active().size(), 1U);
    place_.clock.advance(3s);
    start();
    minute_of(50 * kMbit);  // partial: neither traffic nor silence
    EXPECT_EQ(active().size(), 1U);
    minute_of(200 * kMbit);
    EXPECT_EQ(active().size(), 1U);
    minute_of(0);
    EXPECT_TRUE(active().empty());
    EXPECT_EQ(alerts().size(), 1U);
    EXPECT_EQ(told().size(), 2U);
}

TEST_F(FlowJudgeTest, AProcessThatIsKilledLosesTheOpenMinuteOnly) {
    add(rule("web", {kPrefix}, 100 * kMbit));
    start();
    minute_of(200 * kMbit);
    flood(kTarget, 200 * kMbit);
    life_.reset();  // kill -9: nothing is handed over
    place_.clock.advance(20s);
    start();
    turn_minute();
    minute_of(200 * kMbit);
    minute_of(0);
    EXPECT_EQ(alerts().size(), 1U);
    EXPECT_EQ(told().size(), 2U);
    EXPECT_EQ(stored(kPrefix).bytes, 2 * 200 * kMbit * 60 / 8);
}

TEST_F(FlowJudgeTest, ADeletedRuleEndsItsAlert) {
    const Rule made = add(rule("web", {kPrefix}, 100 * kMbit));
    start();
    minute_of(200 * kMbit);
    ASSERT_EQ(active().size(), 1U);
    ASSERT_TRUE(operators().remove_rule(made.id));
    follow_rules();
    minute_of(200 * kMbit);
    EXPECT_EQ(active().size(), 1U) << "the minute was counted by the old rules";
    minute_of(0);
    EXPECT_TRUE(active().empty());
    ASSERT_EQ(alerts().size(), 1U);
    EXPECT_EQ(alerts().front().end_reason, "rule_deleted");
    EXPECT_EQ(told().size(), 2U);
}

TEST_F(FlowJudgeTest, AChangedThresholdHoldsFromTheNextMinute) {
    Rule made = add(rule("web", {kPrefix}, 100 * kMbit));
    start();
    flood(kTarget, 50 * kMbit);
    made.bandwidth_threshold = 10 * kMbit;
    ASSERT_TRUE(operators().update_rule(made, place_.clock.wall()));
    follow_rules();
    turn_minute();
    EXPECT_TRUE(alerts().empty());
    minute_of(50 * kMbit);
    EXPECT_EQ(active().size(), 1U);
    EXPECT_EQ(gauge("cam_rules"), 1);
}

TEST_F(FlowJudgeTest, ARuleMadeWhileTheMonitorStartsIsCountedFromTheNextMinute) {
    start(1, {}, [this] { add(rule("web", {kPrefix}, 100 * kMbit)); });
    minute_of(200 * kMbit);
    EXPECT_EQ(minutes("judged"), 0U) << "counted by a plan without the rule";
    EXPECT_EQ(minutes("partial"), 1U);
    EXPECT_EQ(stored(kPrefix).bytes, 0U);
    minute_of(200 * kMbit);
    EXPECT_EQ(minutes("judged"), 1U);
    EXPECT_EQ(active().size(), 1U);
}

TEST_F(FlowJudgeTest, NoPlanIsPublishedAroundTheTurnOfAMinute) {
    start(2);
    place_.clock.advance(59'500ms);
    add(rule("web", {kPrefix}, kMbit));
    life_->round();
    EXPECT_EQ(place_.book.count("rules read"), 0U);
    place_.clock.advance(800ms);
    life_->round();
    EXPECT_EQ(place_.book.count("rules read"), 0U);
    pass(3s);
    EXPECT_EQ(place_.book.count("rules read"), 1U);
    turn_minute();
    EXPECT_EQ(minutes("judged"), 2U);
}

TEST_F(FlowJudgeTest, WorkersThatCountedByDifferentPlansMakeAMinuteThatIsNotJudged) {
    add(rule("web", {kPrefix}, kMbit));
    start(2);
    place_.clock.advance(1min);
    life_->step(0);
    add(rule("more", {"10.0.0.0/8"}, kMbit));
    life_->exchange().publish(FlowJudge::plan(operators()).value());
    life_->step(1);
    life_->judge();
    turn_minute();
    EXPECT_EQ(minutes("judged"), 1U);
    EXPECT_EQ(minutes("partial"), 1U);
}

TEST_F(FlowJudgeTest, AWorkerThatDoesNotHandOverHoldsNobodyUpForLong) {
    add(rule("web", {kPrefix}, kMbit));
    start(2);
    send("127.0.0.11", FlowFormat::kNetflow9, 1, {flow(kTarget, 10, 1'000)});
    place_.clock.advance(1min + 10ms);
    life_->step(0);
    life_->judge();
    EXPECT_EQ(collected().size(), 0U) << "the other one may be on its way";
    place_.clock.advance(20s);
    life_->judge();
    EXPECT_EQ(minutes("partial"), 1U);
    life_->step(1);  // too late, yet nothing is lost
    life_->judge();
    EXPECT_EQ(minutes("partial"), 2U);
    EXPECT_EQ(stored(kPrefix).bytes, 1'000U);
    EXPECT_EQ(collected().size(), 1U);
    EXPECT_FALSE(collected()[0].whole());
}

TEST_F(FlowJudgeTest, ManyAlertsOfAMinuteShareAMessage) {
    std::vector<std::string> prefixes;
    for (int i = 0; i < 30; ++i) prefixes.push_back("10.0." + std::to_string(i) + ".0/24");
    add(rule("many", prefixes, kMbit));
    start();
    for (int i = 0; i < 30; ++i)
        flood("10.0." + std::to_string(i) + ".1", (10 + static_cast<std::uint64_t>(i)) * kMbit);
    turn_minute();
    EXPECT_EQ(active().size(), 30U);
    auto texts = told();
    ASSERT_EQ(texts.size(), 6U);
    EXPECT_NE(texts[0].find("10.0.29.0/24"), std::string::npos) << "the largest first\n" << texts[0];
    EXPECT_NE(texts[5].find("25 more traffic alerts"), std::string::npos) << texts[5];
    EXPECT_NE(texts[5].find("10.0.24.0/24"), std::string::npos) << texts[5];
    turn_minute();
    texts = told();
    ASSERT_EQ(texts.size(), 6U);
    EXPECT_NE(texts[5].find("25 more traffic alerts ended"), std::string::npos) << texts[5];
}

}  // namespace
}  // namespace cam::app
