#include "rules/advanced_ddos.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "cam/rules/evaluator.h"
#include "fakes/rules/conformance.h"
#include "fakes/rules/run_series.h"

namespace cam::rules {
namespace {

using std::chrono::minutes;
using Kind = AlertChange::Kind;

constexpr int kWeek = 7 * 24 * 60;

/// Packets/s of so many bytes, and flows/s, in one class and in those it belongs to.
void add(ClassVolumes& classes, std::initializer_list<TrafficClass> belongs_to,
         std::uint64_t packets_per_second, std::uint64_t bytes_per_packet, std::uint64_t flows_per_second) {
    for (const TrafficClass traffic_class : belongs_to)
        classes[static_cast<std::size_t>(traffic_class)] += Volume{
            packets_per_second * bytes_per_packet * 60, packets_per_second * 60, flows_per_second * 60};
}

/// An everyday mix: 80 Mbit/s, 10 kpps.
ClassVolumes everyday() {
    ClassVolumes classes{};
    add(classes, {TrafficClass::kAll, TrafficClass::kTcp, TrafficClass::kTcpAck}, 9'000, 1'000, 50);
    add(classes, {TrafficClass::kAll, TrafficClass::kTcp, TrafficClass::kTcpSyn}, 100, 60, 100);
    add(classes, {TrafficClass::kAll, TrafficClass::kUdp}, 900, 1'000, 50);
    return classes;
}

ClassVolumes udp(double mbps) {
    return test::traffic_of(mbps);
}

class AdvancedTest : public testing::Test {
protected:
    AdvancedTest() { evaluator_.set_rules({rule_}, time_); }

    std::vector<AlertChange> judge(const ClassVolumes& classes, std::optional<ClassVolumes> week_ago = {}) {
        std::vector<PrefixMinute> traffic;
        if (!classes[0].empty()) traffic.push_back({rule_.prefixes.front(), time_, classes});
        std::vector<PrefixMinute> before;
        if (week_ago) before.push_back({rule_.prefixes.front(), time_ - minutes{kWeek}, *week_ago});
        const auto changes = evaluator_.judge(time_, traffic, before);
        time_ += minutes{1};
        return changes;
    }
    /// Judges the same for so long; how many alerts started.
    int settle(int count, const ClassVolumes& classes, std::optional<ClassVolumes> week_ago = {}) {
        int started = 0;
        for (int i = 0; i < count; ++i) {
            for (const AlertChange& change : judge(classes, week_ago))
                started += change.kind == Kind::kStarted ? 1 : 0;
        }
        return started;
    }

    Rule rule_ = test::advanced_rule({"192.0.2.0/24"});
    MinuteTime time_ = test::series_start();
    Evaluator evaluator_;
};

TEST_F(AdvancedTest, NamesTheNarrowestClassOfASynFlood) {
    ASSERT_EQ(settle(120, everyday()), 0);
    ClassVolumes flood = everyday();
    add(flood, {TrafficClass::kAll, TrafficClass::kTcp, TrafficClass::kTcpSyn}, 200'000, 60, 1'000);
    const auto changes = judge(flood);
    ASSERT_EQ(changes.size(), 1U);
    const Alert& alert = changes[0].alert;
    EXPECT_EQ(alert.type, RuleType::kAdvancedDdos);
    EXPECT_EQ(alert.crossing.traffic_class, TrafficClass::kTcpSyn);
    EXPECT_EQ(alert.crossing.metric, AlertMetric::kPacketsPerSecond);
    EXPECT_EQ(alert.crossing.value, 200'100);
    EXPECT_EQ(alert.crossing.threshold, 10'000) << "the floor: three times 100 is less";
    EXPECT_NEAR(*alert.crossing.baseline, 100, 1e-3);
    EXPECT_EQ(alert.peak.packets_per_second, 210'000) << "of all traffic";
}

TEST_F(AdvancedTest, FindsASmallFloodOfARareClassUnderLargeTraffic) {
    ClassVolumes large{};
    add(large, {TrafficClass::kAll, TrafficClass::kTcp, TrafficClass::kTcpAck}, 1'000'000, 1'000, 10'000);
    ASSERT_EQ(settle(120, large), 0);
    add(large, {TrafficClass::kAll, TrafficClass::kGre}, 15'000, 1'000, 10);
    const auto changes = judge(large);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].alert.crossing.traffic_class, TrafficClass::kGre);
}

TEST_F(AdvancedTest, FindsManySmallFlows) {
    ASSERT_EQ(settle(120, everyday()), 0);
    ClassVolumes spread = everyday();
    add(spread, {TrafficClass::kAll, TrafficClass::kTcp, TrafficClass::kTcpSyn}, 9'000, 60, 9'000);
    const auto changes = judge(spread);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].alert.crossing.metric, AlertMetric::kFlowsPerSecond);
    EXPECT_EQ(changes[0].alert.crossing.threshold, 5'000);
}

TEST_F(AdvancedTest, AFloodOfAnyClassIsNamedByIt) {
    for (std::size_t c = 1; c < kTrafficClassCount; ++c) {
        Evaluator evaluator;
        evaluator.set_rules({rule_}, time_);
        ClassVolumes flood{};
        const auto traffic_class = static_cast<TrafficClass>(c);
        const bool is_tcp = traffic_class == TrafficClass::kTcpSyn ||
                            traffic_class == TrafficClass::kTcpAck || traffic_class == TrafficClass::kTcpRst;
        add(flood, {TrafficClass::kAll, traffic_class}, 100'000, 100, 100);
        if (is_tcp) add(flood, {TrafficClass::kTcp}, 100'000, 100, 100);
        std::vector<PrefixMinute> traffic{{rule_.prefixes.front(), time_, everyday()}};
        for (int i = 0; i < 60; ++i) evaluator.judge(time_ + minutes{i}, traffic, {});
        traffic[0].classes = flood;
        const auto changes = evaluator.judge(time_ + minutes{60}, traffic, {});
        ASSERT_EQ(changes.size(), 1U) << name(traffic_class);
        EXPECT_STREQ(name(changes[0].alert.crossing.traffic_class), name(traffic_class));
    }
}

TEST_F(AdvancedTest, TheSameTimeLastWeekIsASecondOpinion) {
    ASSERT_EQ(settle(120, udp(100), udp(100)), 0);
    EXPECT_EQ(settle(30, udp(900), udp(800)), 0) << "the weekly backup";
    EXPECT_EQ(settle(1, udp(2500), udp(800)), 1);
}

TEST_F(AdvancedTest, OfSeveralMinutesAWeekAgoTheLargestCounts) {
    settle(120, udp(100), udp(100));
    const std::vector<PrefixMinute> traffic{{rule_.prefixes.front(), time_, udp(900)}};
    std::vector<PrefixMinute> around;
    for (const double mbps : {100.0, 850.0, 100.0})
        around.push_back({rule_.prefixes.front(), time_ - minutes{kWeek}, udp(mbps)});
    EXPECT_TRUE(evaluator_.judge(time_, traffic, around).empty());
}

TEST_F(AdvancedTest, AnAttackAWeekAgoIsNoBaseline) {
    Alert old;
    old.rule_id = "r1";
    old.type = RuleType::kAdvancedDdos;
    old.prefixes = rule_.prefixes;
    old.started_at = time_ + minutes{100 - kWeek};
    old.ended_at = time_ + minutes{130 - kWeek};
    evaluator_.resume({old});
    ASSERT_EQ(settle(110, udp(100), udp(100)), 0);
    EXPECT_EQ(settle(1, udp(900), udp(900)), 1);
    EXPECT_TRUE(evaluator_.active().at(0).id.empty()) << "the old one is not active";
}

TEST_F(AdvancedTest, FindsASlowRampByTheDayAndTheWeek) {
    settle(1440, udp(100), udp(100));
    double mbps = 100;
    int started = 0;
    while (started == 0 && mbps < 5000) {
        mbps *= 1.005;  // doubles in 139 minutes: the mean of the last hour follows
        started = settle(1, udp(mbps), udp(100));
    }
    EXPECT_EQ(started, 1);
    EXPECT_LT(mbps, 1500);
    EXPECT_GT(mbps, 600);
}

TEST_F(AdvancedTest, TrafficThatComesBackAfterAnOutageIsNotAnAttack) {
    settle(1440, udp(300));
    settle(120, ClassVolumes{});
    EXPECT_EQ(settle(60, udp(320)), 0);
}

TEST_F(AdvancedTest, KnowsNothingAfterFourHoursOfGap) {
    settle(120, udp(10));
    time_ += minutes{241};
    EXPECT_EQ(settle(29, udp(900)), 0);
    EXPECT_EQ(settle(30, udp(900)), 0) << "what was learned is the level";
    EXPECT_EQ(settle(1, udp(3000)), 1);
}

TEST_F(AdvancedTest, StaysSilentOverThreeDaysOfNoiseByDayAndNight) {
    std::mt19937 random(7);
    std::lognormal_distribution<double> noise(0, 0.2);
    int started = 0;
    for (int minute = 0; minute < 3 * 1440; ++minute) {
        const double phase = 2 * std::numbers::pi * minute / 1440;
        const double level = 1000 * (1.1 - std::cos(phase));  // 100 to 2100 Mbit/s
        started += settle(1, udp(level * noise(random)));
    }
    EXPECT_EQ(started, 0);
}

TEST_F(AdvancedTest, TakesWhatLastsADayForTheNewLevel) {
    settle(120, udp(100));
    ASSERT_EQ(settle(1, udp(900)), 1);
    ASSERT_EQ(settle(1438, udp(900)), 0);
    EXPECT_EQ(evaluator_.active().size(), 1U);
    settle(180, udp(900));
    EXPECT_TRUE(evaluator_.active().empty());
    EXPECT_EQ(settle(1, udp(3000)), 1) << "the next attack is told";
}

TEST_F(AdvancedTest, AResumedAlertWithoutAStoredPastGoesByTheThresholdItBeganWith) {
    settle(120, udp(100));
    ASSERT_EQ(settle(1, udp(900)), 1);
    Evaluator next;
    next.set_rules({rule_}, time_);
    next.resume(evaluator_.active());
    std::vector<PrefixMinute> traffic{{rule_.prefixes.front(), time_, udp(900)}};
    EXPECT_EQ(next.judge(time_, traffic, {}).at(0).kind, Kind::kUpdated);
    traffic[0].classes = udp(100);
    next.judge(time_ + minutes{1}, traffic, {});
    next.judge(time_ + minutes{2}, traffic, {});
    const auto changes = next.judge(time_ + minutes{3}, traffic, {});
    ASSERT_EQ(changes.at(0).kind, Kind::kEnded);
    EXPECT_EQ(changes[0].alert.ended_at, time_ + minutes{1});
}

}  // namespace
}  // namespace cam::rules
