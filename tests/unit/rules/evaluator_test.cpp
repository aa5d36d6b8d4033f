#include "cam/rules/evaluator.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/rules/conformance.h"
#include "fakes/rules/run_series.h"

namespace cam::rules {
namespace {

using std::chrono::minutes;
using Kind = AlertChange::Kind;
using test::prefix;
using test::threshold_rule;
using test::traffic_of;
using test::with_id;

const std::string kA = "192.0.2.0/24";
const std::string kB = "198.51.100.0/24";

MinuteTime at(int minute) {
    return test::series_start() + minutes{minute};
}

PrefixMinute row(const std::string& text, double mbps) {
    return {prefix(text), {}, traffic_of(mbps)};
}

std::vector<Kind> kinds(const std::vector<AlertChange>& changes) {
    std::vector<Kind> all;
    for (const AlertChange& change : changes) all.push_back(change.kind);
    return all;
}

/// An evaluator with one rule (1 Gbit/s) on kA, crossed since minute 0.
class EvaluatorTest : public testing::Test {
protected:
    EvaluatorTest() {
        evaluator_.set_rules({rule_}, at(0));
        started_ = judge(0, {row(kA, 1500)});
    }
    std::vector<AlertChange> judge(int minute, const std::vector<PrefixMinute>& traffic) {
        return evaluator_.judge(at(minute), traffic, {});
    }

    Rule rule_ = threshold_rule({kA}, 1'000'000'000, std::nullopt, 1);
    Evaluator evaluator_;
    std::vector<AlertChange> started_;
};

TEST_F(EvaluatorTest, TellsAllOfAnAlertThatStarts) {
    ASSERT_EQ(kinds(started_), std::vector{Kind::kStarted});
    const Alert& alert = started_[0].alert;
    EXPECT_EQ(alert.id, "");
    EXPECT_EQ(alert.rule_id, "r1");
    EXPECT_EQ(alert.rule_name, "edge");
    EXPECT_EQ(alert.type, RuleType::kThreshold);
    EXPECT_EQ(alert.scope, RuleScope::kPerPrefix);
    EXPECT_EQ(alert.prefixes, std::vector{prefix(kA)});
    EXPECT_EQ(alert.started_at, at(0));
    EXPECT_EQ(alert.raised_at, at(1));
    EXPECT_EQ(alert.ended_at, std::nullopt);
    EXPECT_EQ(alert.end_reason, "");
    EXPECT_EQ(alert.crossing, (Crossing{AlertMetric::kBitsPerSecond, 1.5e9, 1e9}));
    EXPECT_EQ(alert.peak.bits_per_second, 1.5e9);
    EXPECT_EQ(alert.peak.packets_per_second, 250'000);
}

TEST_F(EvaluatorTest, UpdatesPeakAndCurrentEachMinuteAndEndsOnce) {
    const auto second = judge(1, {row(kA, 2000)});
    ASSERT_EQ(kinds(second), std::vector{Kind::kUpdated});
    EXPECT_EQ(second[0].alert.peak.bits_per_second, 2e9);
    EXPECT_EQ(second[0].alert.current.bits_per_second, 2e9);
    const auto third = judge(2, {row(kA, 1200)});
    EXPECT_EQ(third[0].alert.peak.bits_per_second, 2e9);
    EXPECT_EQ(third[0].alert.current.bits_per_second, 1.2e9);
    const auto fourth = judge(3, {});
    ASSERT_EQ(kinds(fourth), std::vector{Kind::kEnded});
    EXPECT_EQ(fourth[0].alert.ended_at, at(3));
    EXPECT_EQ(fourth[0].alert.end_reason, "below");
    EXPECT_EQ(fourth[0].alert.current.bits_per_second, 0);
    EXPECT_TRUE(judge(4, {}).empty());
    EXPECT_TRUE(evaluator_.active().empty());
}

TEST_F(EvaluatorTest, ThePeakIsTheWholeAlertsAlsoBeforeItWasRaised) {
    Evaluator evaluator;
    evaluator.set_rules({threshold_rule({kA}, 1'000'000'000, std::nullopt, 3)}, at(0));
    evaluator.judge(at(0), std::vector{row(kA, 900)}, {});
    evaluator.judge(at(1), std::vector{row(kA, 9000)}, {});
    evaluator.judge(at(2), std::vector{row(kA, 1100)}, {});
    const auto changes = evaluator.judge(at(3), std::vector{row(kA, 1200)}, {});
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].alert.started_at, at(1));
    EXPECT_EQ(changes[0].alert.peak.bits_per_second, 9e9);
}

TEST_F(EvaluatorTest, KeepsAnAlertWhoseRuleIsRenamed) {
    rule_.name = "renamed";
    EXPECT_TRUE(evaluator_.set_rules({rule_}, at(1)).empty());
    const auto changes = judge(1, {row(kA, 1500)});
    ASSERT_EQ(kinds(changes), std::vector{Kind::kUpdated});
    EXPECT_EQ(changes[0].alert.rule_name, "edge");
}

TEST_F(EvaluatorTest, EndsTheAlertOfARuleThatIsDeleted) {
    const auto changes = evaluator_.set_rules({}, at(1));
    ASSERT_EQ(kinds(changes), std::vector{Kind::kEnded});
    EXPECT_EQ(changes[0].alert.end_reason, "rule_deleted");
    EXPECT_EQ(changes[0].alert.ended_at, at(1));
    EXPECT_TRUE(judge(1, {row(kA, 1500)}).empty());
}

TEST_F(EvaluatorTest, EndsTheAlertOfARuleThatJudgesOtherwiseAndBeginsAnew) {
    rule_.bandwidth_threshold = 1'200'000'000;
    const auto changes = evaluator_.set_rules({rule_}, at(1));
    ASSERT_EQ(kinds(changes), std::vector{Kind::kEnded});
    EXPECT_EQ(changes[0].alert.end_reason, "rule_changed");
    const auto next = judge(1, {row(kA, 1500)});
    ASSERT_EQ(kinds(next), std::vector{Kind::kStarted});
    EXPECT_EQ(next[0].alert.crossing.threshold, 1.2e9);
}

TEST_F(EvaluatorTest, EndsOnlyTheAlertOfThePrefixThatIsTakenAway) {
    rule_.prefixes.push_back(prefix(kB));
    EXPECT_TRUE(evaluator_.set_rules({rule_}, at(1)).empty());
    EXPECT_EQ(kinds(judge(1, {row(kA, 1500), row(kB, 1500)})), (std::vector{Kind::kUpdated, Kind::kStarted}));
    rule_.prefixes = {prefix(kB)};
    const auto changes = evaluator_.set_rules({rule_}, at(2));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].alert.prefixes, std::vector{prefix(kA)});
    EXPECT_EQ(changes[0].alert.end_reason, "rule_changed");
    EXPECT_EQ(kinds(judge(2, {row(kA, 1500), row(kB, 1500)})), std::vector{Kind::kUpdated});
}

TEST_F(EvaluatorTest, ALongerDurationGoesByTheMinutesThatWere) {
    judge(1, {row(kA, 1500)});
    rule_.duration = minutes{3};
    EXPECT_EQ(evaluator_.set_rules({rule_}, at(2)).size(), 1U);
    const auto changes = judge(2, {row(kA, 1500)});
    ASSERT_EQ(kinds(changes), std::vector{Kind::kStarted});
    EXPECT_EQ(changes[0].alert.started_at, at(0));
}

TEST_F(EvaluatorTest, AnAlertIsAdoptedByItsOwnOnly) {
    Alert alert = started_[0].alert;
    alert.id = "a7";
    alert.raised_at = at(1) + std::chrono::seconds{3};
    evaluator_.adopt(alert);
    EXPECT_EQ(evaluator_.active().at(0).id, "a7");
    EXPECT_EQ(evaluator_.active().at(0).raised_at, alert.raised_at);
    Alert other = alert;
    other.id = "a8";
    other.started_at = at(-10);
    evaluator_.adopt(other);
    other.rule_id = "r9";
    evaluator_.adopt(other);
    EXPECT_EQ(evaluator_.active().at(0).id, "a7");
    EXPECT_EQ(judge(1, {}).at(0).alert.id, "a7");
}

TEST_F(EvaluatorTest, AResumedAlertGoesOnAndIsNotStartedAgain) {
    Alert alert = started_[0].alert;
    alert.id = "a7";
    Evaluator next;
    next.resume({alert});  // before or after the rules
    next.set_rules({rule_}, at(5));
    const auto changes = next.judge(at(5), std::vector{row(kA, 1100)}, {});
    ASSERT_EQ(kinds(changes), std::vector{Kind::kUpdated});
    EXPECT_EQ(changes[0].alert.id, "a7");
    EXPECT_EQ(changes[0].alert.peak.bits_per_second, 1.5e9);
    EXPECT_EQ(kinds(next.judge(at(6), {}, {})), std::vector{Kind::kEnded});
}

TEST_F(EvaluatorTest, AResumedAlertWhoseRuleOrPrefixIsGoneEnds) {
    Alert deleted = started_[0].alert;
    deleted.rule_id = "r9";
    Alert changed = started_[0].alert;
    changed.prefixes = {prefix(kB)};
    Evaluator next;
    next.set_rules({rule_}, at(5));
    next.resume({deleted, changed});
    const auto changes = next.judge(at(5), {}, {});
    ASSERT_EQ(kinds(changes), (std::vector{Kind::kEnded, Kind::kEnded}));
    EXPECT_EQ(changes[0].alert.end_reason, "rule_deleted");
    EXPECT_EQ(changes[1].alert.end_reason, "rule_changed");
    EXPECT_EQ(changes[0].alert.ended_at, at(5));
    EXPECT_TRUE(next.judge(at(6), {}, {}).empty());
}

TEST_F(EvaluatorTest, AMinuteThatWasJudgedIsNotJudgedAgain) {
    EXPECT_TRUE(judge(0, {}).empty());
    judge(3, {row(kA, 1500)});
    EXPECT_TRUE(judge(2, {}).empty()) << "or an old minute ends the alert";
    EXPECT_EQ(kinds(judge(4, {})), std::vector{Kind::kEnded});
}

TEST_F(EvaluatorTest, AClockThatIsTurnedBackStopsNothing) {
    const int turned = -500;
    const auto still = judge(turned, {row(kA, 1500)});
    EXPECT_EQ(kinds(still), std::vector{Kind::kUpdated});
    const auto over = judge(turned + 1, {});
    ASSERT_EQ(kinds(over), std::vector{Kind::kEnded});
    EXPECT_GE(*over[0].alert.ended_at, over[0].alert.started_at);
    EXPECT_EQ(kinds(judge(turned + 2, {row(kA, 1500)})), std::vector{Kind::kStarted});
}

TEST_F(EvaluatorTest, ANewRuleHasAPastOnlyAfterAWarmUpThatOthersDoNotFeel) {
    Rule slow = with_id(threshold_rule({kA}, 1'000'000'000, std::nullopt, 3), "r2");
    for (int minute = 1; minute < 4; ++minute) judge(minute, {row(kA, 1500)});
    evaluator_.set_rules({rule_, slow}, at(4));
    EXPECT_EQ(evaluator_.past_needed(), minutes{13});
    for (int minute = 0; minute < 4; ++minute) evaluator_.warm_up(at(minute), std::vector{row(kA, 1500)});
    const auto changes = judge(4, {row(kA, 1500)});
    EXPECT_EQ(kinds(changes), (std::vector{Kind::kUpdated, Kind::kStarted}));
    EXPECT_EQ(changes[1].alert.rule_id, "r2");
    EXPECT_EQ(changes[1].alert.started_at, at(2));
}

TEST_F(EvaluatorTest, ANewPrefixOfARuleBeginsWithoutAPast) {
    rule_.duration = minutes{2};
    rule_.prefixes.push_back(prefix(kB));
    evaluator_.set_rules({rule_}, at(1));
    EXPECT_EQ(kinds(judge(1, {row(kA, 1500), row(kB, 1500)})), std::vector{Kind::kStarted});
    EXPECT_EQ(kinds(judge(2, {row(kA, 1500), row(kB, 1500)})), (std::vector{Kind::kUpdated, Kind::kStarted}));
}

TEST_F(EvaluatorTest, APrefixThatNoRuleHasIsNoMatter) {
    EXPECT_EQ(kinds(judge(1, {row(kB, 9000), row(kA, 1500)})), std::vector{Kind::kUpdated});
}

TEST_F(EvaluatorTest, APrefixThatIsNamedTwiceIsOneTarget) {
    Rule twice = with_id(threshold_rule({kB, kB}, 1'000'000'000, std::nullopt, 1), "r2");
    Rule sum = twice;
    sum.id = "r3";
    sum.scope = RuleScope::kAggregate;
    sum.bandwidth_threshold = 2'000'000'000;
    evaluator_.set_rules({twice, sum}, at(1));
    EXPECT_EQ(judge(1, {row(kB, 1500)}).size(), 1U);
}

TEST_F(EvaluatorTest, AskedForNothingItDoesNothing) {
    Evaluator idle;
    EXPECT_EQ(idle.past_needed(), minutes{0});
    EXPECT_TRUE(idle.judge(at(0), std::vector{row(kA, 1)}, {}).empty());
    EXPECT_TRUE(idle.active().empty());
}

TEST(EvaluatorPastTest, ASensitivityThatIsChangedKeepsTheBaseline) {
    Rule rule = test::zscore_rule({kA}, Sensitivity::kLow, ZscoreTarget::kBits);
    Evaluator evaluator;
    evaluator.set_rules({rule}, at(0));
    for (int minute = 0; minute < 60; ++minute) evaluator.judge(at(minute), std::vector{row(kA, 100)}, {});
    rule.zscore_sensitivity = Sensitivity::kHigh;
    evaluator.set_rules({rule}, at(60));
    EXPECT_EQ(evaluator.judge(at(60), std::vector{row(kA, 116)}, {}).size(), 1U);
    rule.zscore_target = ZscoreTarget::kPackets;
    EXPECT_EQ(evaluator.set_rules({rule}, at(61)).size(), 1U);
    EXPECT_TRUE(evaluator.judge(at(61), std::vector{row(kA, 900)}, {}).empty()) << "packets have no past yet";
    EXPECT_EQ(evaluator.past_needed(), minutes{255});
}

/// Four stored hours in which only kA was counted, then a rule on kB, or on both, with steady traffic.
std::size_t alerts_after_warm_up(Rule rule, std::optional<int> written) {
    if (written) rule.updated_at = at(*written);
    Evaluator evaluator;
    evaluator.set_rules({rule}, at(240));
    for (int minute = 0; minute < 240; ++minute) evaluator.warm_up(at(minute), std::vector{row(kA, 900)});
    std::size_t alerts = 0;
    for (int minute = 240; minute < 340; ++minute) {
        for (const auto& change : evaluator.judge(at(minute), std::vector{row(kA, 900), row(kB, 5000)}, {}))
            alerts += change.kind == Kind::kStarted ? 1 : 0;
    }
    return alerts;
}

TEST(EvaluatorPastTest, WhatWasNotCountedBeforeARuleWasWrittenIsNotSilence) {
    const Rule zscore = test::zscore_rule({kB}, Sensitivity::kLow, ZscoreTarget::kBits);
    const Rule advanced = test::advanced_rule({kB});
    const Rule sum = test::summed(test::advanced_rule({kA, kB}));
    for (const Rule& rule : {zscore, advanced, sum}) {
        EXPECT_EQ(alerts_after_warm_up(rule, 239), 0U) << name(rule.type) << name(rule.scope);
        EXPECT_EQ(alerts_after_warm_up(rule, 0), 1U) << name(rule.type) << name(rule.scope);
    }
}

TEST(EvaluatorPastTest, APrefixThatAnOlderRuleCountedHasItsPast) {
    Rule rule = test::advanced_rule({kA});
    rule.updated_at = at(240);
    Evaluator evaluator;
    evaluator.set_rules({rule}, at(240));
    for (int minute = 0; minute < 240; ++minute) evaluator.warm_up(at(minute), std::vector{row(kA, 100)});
    EXPECT_EQ(evaluator.judge(at(240), std::vector{row(kA, 5000)}, {}).size(), 1U);
}

}  // namespace
}  // namespace cam::rules
