// Minutes of which more arrives after they were judged.

#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "cam/rules/evaluator.h"
#include "fakes/rules/conformance.h"
#include "fakes/rules/run_series.h"
#include "rules/packed_minutes.h"

namespace cam::rules {
namespace {

using namespace test;
using std::chrono::minutes;

constexpr const char* kA = "192.0.2.0/24";
constexpr const char* kB = "198.51.100.0/24";

MinuteTime at(int minute) {
    return series_start() + minutes{minute};
}

/// A judge whose figures may come late, and what the SOC was told.
class Watch {
public:
    explicit Watch(std::vector<Rule> rules, minutes correctable = minutes{15})
        : evaluator_(Evaluator::Options{correctable}) {
        EXPECT_TRUE(evaluator_.set_rules(std::move(rules), at(0)).empty());
    }
    void judge(int minute, const std::map<std::string, double>& mbps) {
        take(minute, evaluator_.judge(at(minute), traffic(minute, mbps), {}));
        last_ = minute;
    }
    std::vector<AlertChange> correct(const std::map<int, std::map<std::string, double>>& by_minute) {
        std::vector<CorrectedMinute> corrected;
        for (const auto& [minute, mbps] : by_minute)
            corrected.push_back({at(minute), traffic(minute, mbps), {}});
        const std::vector<AlertChange> changes = evaluator_.correct(corrected);
        take(last_, changes);
        return changes;
    }
    /// `r1 192.0.2.0/24 started 3 raised 3 ended 4`; raised is when it was told.
    [[nodiscard]] std::vector<std::string> told() const { return lines(log_.alerts()); }
    [[nodiscard]] const AlertLog& log() const { return log_; }
    [[nodiscard]] Evaluator& evaluator() { return evaluator_; }

    static std::vector<PrefixMinute> traffic(int minute, const std::map<std::string, double>& mbps) {
        std::vector<PrefixMinute> rows;
        for (const auto& [text, level] : mbps) {
            if (level > 0) rows.push_back({prefix(text), at(minute), traffic_of(level)});
        }
        return rows;
    }

private:
    void take(int minute, const std::vector<AlertChange>& changes) {
        log_.take(minute, changes);
        for (const AlertChange& change : changes) {
            if (change.kind != AlertChange::Kind::kStarted) continue;
            Alert kept = change.alert;
            kept.id = "id" + std::to_string(++ids_);
            evaluator_.adopt(kept);
        }
    }
    Evaluator evaluator_;
    AlertLog log_;
    int last_ = 0;
    int ids_ = 0;
};

using Lines = std::vector<std::string>;

TEST(CorrectingTest, AMissedAlertThatGoesOnStartsLateWithItsTrueStart) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 2)});
    watch.judge(0, {{kA, 100}});
    watch.judge(1, {{kA, 600}});  // half of it is late
    watch.judge(2, {{kA, 1100}});
    EXPECT_TRUE(watch.told().empty());
    watch.correct({{1, {{kA, 1200}}}});
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 1 raised 2"});
    const std::vector<Alert> active = watch.evaluator().active();
    ASSERT_EQ(active.size(), 1U);
    EXPECT_EQ(active[0].id, "id1");
    EXPECT_EQ(active[0].peak.bits_per_second, 1200e6);
    EXPECT_EQ(active[0].raised_at, WallTime{at(3)});
    watch.judge(3, {{kA, 1100}});
    watch.judge(4, {{kA, 100}});
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 1 raised 2 ended 4"});
    EXPECT_TRUE(watch.log().faults().empty());
}

TEST(CorrectingTest, AMissedAlertThatIsOverStartsAndEndsOnce) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 1)});
    for (int minute = 0; minute < 6; ++minute) watch.judge(minute, {{kA, 100}});
    const auto changes = watch.correct({{2, {{kA, 1500}}}, {3, {{kA, 1200}}}});
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].kind, AlertChange::Kind::kStarted);
    EXPECT_FALSE(changes[0].alert.ended_at.has_value());
    EXPECT_EQ(changes[1].alert.peak.bits_per_second, 1500e6);
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 2 raised 5 ended 4"});
    EXPECT_TRUE(watch.correct({{2, {{kA, 1600}}}}).empty()) << "told again";
    EXPECT_TRUE(watch.evaluator().active().empty());
}

TEST(CorrectingTest, WhatWasToldIsNotToldAgain) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 1)});
    watch.judge(0, {{kA, 100}});
    watch.judge(1, {{kA, 900}});
    watch.judge(2, {{kA, 1100}});
    watch.judge(3, {{kA, 1100}});
    // It began a minute earlier and was larger, as is known now.
    const auto changes = watch.correct({{1, {{kA, 1300}}}, {2, {{kA, 2000}}}});
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].kind, AlertChange::Kind::kUpdated);
    EXPECT_EQ(changes[0].alert.id, "id1");
    EXPECT_EQ(changes[0].alert.peak.bits_per_second, 2000e6);
    watch.judge(4, {{kA, 100}});
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 2 raised 2 ended 4"});
}

TEST(CorrectingTest, AnEndThatWasToldStays) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 1)});
    watch.judge(0, {{kA, 1100}});
    watch.judge(1, {{kA, 900}});   // ends here, for lack of what is late
    watch.judge(2, {{kA, 1100}});  // and starts again
    EXPECT_TRUE(watch.correct({{1, {{kA, 1100}}}}).size() <= 1U);
    watch.judge(3, {{kA, 100}});
    EXPECT_EQ(watch.told(), (Lines{"r1 192.0.2.0/24 started 0 raised 0 ended 1",
                                   "r1 192.0.2.0/24 started 2 raised 2 ended 3"}));
    EXPECT_TRUE(watch.log().faults().empty());
}

TEST(CorrectingTest, AnAlertOverAMinuteThatWasTakenForNotCollectedEndsIfItIsOver) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 1)});
    watch.judge(0, {{kA, 1100}});
    watch.judge(2, {{kA, 1100}});
    watch.correct({{1, {{kA, 1200}}}});  // minute 1 arrives whole
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 0 raised 0"});
    watch.judge(3, {{kA, 100}});
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 0 raised 0 ended 3"});
}

TEST(CorrectingTest, AMinuteThatIsTooOldOrYetToComeIsLeftOut) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 1)}, minutes{5});
    for (int minute = 0; minute < 10; ++minute) watch.judge(minute, {{kA, 100}});
    EXPECT_EQ(watch.evaluator().correctable_after(), at(4));
    EXPECT_TRUE(watch.correct({{4, {{kA, 1500}}}}).empty());
    EXPECT_TRUE(watch.correct({{10, {{kA, 1500}}}}).empty());
    EXPECT_EQ(watch.correct({{5, {{kA, 1500}}}}).size(), 2U);
}

TEST(CorrectingTest, OnlyTheTargetsThatChangedAreJudgedAgain) {
    Watch watch({threshold_rule({kA, kB}, 1'000'000'000, {}, 1),
                 with_id(summed(threshold_rule({kA, kB}, 1'500'000'000, {}, 1)), "r2")});
    watch.judge(0, {{kA, 100}, {kB, 1200}});
    watch.judge(1, {{kA, 100}, {kB, 1200}});
    const auto changes = watch.correct({{0, {{kA, 400}, {kB, 1200}}}});
    ASSERT_EQ(changes.size(), 2U) << "the sum was missed; the alert of the other prefix is not touched";
    EXPECT_EQ(changes[0].alert.rule_id, "r2");
    EXPECT_EQ(changes[0].kind, AlertChange::Kind::kStarted);
    EXPECT_EQ(changes[1].kind, AlertChange::Kind::kEnded);
}

TEST(CorrectingTest, ARuleIsNotHeldAgainstMinutesBeforeItWasMade) {
    Watch watch({threshold_rule({kA}, 1'000'000'000, {}, 1)});
    for (int minute = 0; minute < 4; ++minute) watch.judge(minute, {{kA, 900}});
    EXPECT_TRUE(watch.evaluator()
                    .set_rules({threshold_rule({kA}, 800'000'000, {}, 1),
                                with_id(threshold_rule({kA}, 1'000'000'000, {}, 1), "r2")},
                               at(4))
                    .empty());
    watch.judge(4, {{kA, 100}});
    EXPECT_TRUE(watch.correct({{2, {{kA, 1500}}}}).empty());
    EXPECT_EQ(watch.correct({{4, {{kA, 900}}}}).size(), 1U);
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 4 raised 4"});
}

TEST(CorrectingTest, AnUnchangedRuleIsCorrectedOverAChangeOfOthers) {
    const Rule mine = threshold_rule({kA}, 1'000'000'000, {}, 1);
    Watch watch({mine});
    watch.judge(0, {{kA, 100}});
    watch.judge(1, {{kA, 600}});
    static_cast<void>(watch.evaluator().set_rules(
        {with_id(zscore_rule({kB}, Sensitivity::kLow, ZscoreTarget::kBits), "r0"), mine}, at(2)));
    watch.judge(2, {{kA, 1200}});
    watch.correct({{1, {{kA, 1200}}}});
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 2 raised 2"});
    watch.judge(3, {{kA, 10}});
    watch.correct({{1, {{kA, 1200}, {kB, 5}}}});
    EXPECT_EQ(watch.told(), Lines{"r1 192.0.2.0/24 started 2 raised 2 ended 3"});
}

TEST(CorrectingTest, AResumedAlertGoesOnUnderItsId) {
    Evaluator evaluator(Evaluator::Options{minutes{15}});
    static_cast<void>(evaluator.set_rules({threshold_rule({kA}, 1'000'000'000, {}, 1)}, at(0)));
    Alert alert;
    alert.id = "old";
    alert.rule_id = "r1";
    alert.prefixes = {prefix(kA)};
    alert.started_at = at(-30);
    evaluator.resume({alert});
    static_cast<void>(evaluator.judge(at(0), Watch::traffic(0, {{kA, 1100}}), {}));
    static_cast<void>(evaluator.judge(at(1), Watch::traffic(1, {{kA, 1100}}), {}));
    const std::vector<CorrectedMinute> late{{at(0), Watch::traffic(0, {{kA, 1900}}), {}}};
    const auto changes = evaluator.correct(late);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].kind, AlertChange::Kind::kUpdated);
    EXPECT_EQ(changes[0].alert.id, "old");
    const auto ended = evaluator.judge(at(2), {}, {});
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].alert.id, "old");
    EXPECT_EQ(ended[0].alert.peak.bits_per_second, 1900e6);
}

TEST(CorrectingTest, TheNextProcessFindsWhatCameLateWhileNoneRan) {
    Evaluator evaluator(Evaluator::Options{minutes{15}});
    static_cast<void>(evaluator.set_rules({threshold_rule({kA, kB}, 1'000'000'000, {}, 1)}, at(0)));
    const auto known = [](const char* id, const char* target, int started, std::optional<int> ended) {
        Alert alert;
        alert.id = id;
        alert.rule_id = "r1";
        alert.prefixes = {prefix(target)};
        alert.started_at = at(started);
        alert.raised_at = at(started + 1);
        if (ended) alert.ended_at = at(*ended);
        return alert;
    };
    evaluator.resume({known("now", kA, 5, {}), known("over", kB, -3, 2)});
    evaluator.warm_up(at(-1), Watch::traffic(-1, {{kB, 1200}}));
    for (int minute = 0; minute < 7; ++minute) {
        std::map<std::string, double> mbps{{kA, minute >= 5 ? 1100 : 10}, {kB, minute < 2 ? 1200 : 10}};
        if (minute == 3) mbps = {{kA, 1500}, {kB, 1300}};  // of which most was missing
        evaluator.add_judged(at(minute), Watch::traffic(minute, mbps), {});
    }
    AlertLog log;
    for (const AlertChange& change : evaluator.judge_again()) {
        if (change.kind == AlertChange::Kind::kUpdated) {
            EXPECT_EQ(change.alert.id, "now");
            continue;
        }
        log.take(6, {change});
    }
    EXPECT_EQ(lines(log.alerts()), (Lines{"r1 192.0.2.0/24 started 3 raised 6 ended 4",
                                          "r1 198.51.100.0/24 started 3 raised 6 ended 4"}));
    ASSERT_EQ(evaluator.active().size(), 1U);
    EXPECT_EQ(evaluator.active()[0].id, "now");
    EXPECT_EQ(evaluator.judge(at(7), {}, {}).size(), 1U);
}

/// Every series with known answers, with parts of its minutes arriving late: nobody is told twice, nothing
/// that the right figures say is missing, and what comes after is judged by the right figures.
class LateSeriesTest : public testing::TestWithParam<Series> {};

TEST_P(LateSeriesTest, ComesToTheSameAlerts) {
    const Series& series = GetParam();
    std::mt19937 random(20261127);
    int checked = 0;
    // The last minute that is judged by figures that are wrong until later.
    for (const int lateness : {1, 3, 14}) {
        Watch watch(series.rules);
        std::map<int, std::set<int>> due;  // minutes to correct after that minute
        // Beyond the end nothing is judged, but the last corrections come.
        for (int minute = 0; minute < series.minutes() + lateness; ++minute) {
            std::map<std::string, double> now;
            if (minute < series.minutes() && series.is_collected(minute)) {
                const bool is_late = random() % 3 == 0;
                for (const PrefixMinute& one : series.traffic(minute)) {
                    const double level = static_cast<double>(one.all().bytes) / 7.5e6;
                    now[one.prefix.text()] = is_late ? level * 0.6 : level;
                }
                watch.judge(minute, now);
                if (is_late) due[minute + lateness].insert(minute);
            }
            std::map<int, std::map<std::string, double>> corrections;
            for (const int past : due[minute]) {
                for (const PrefixMinute& one : series.traffic(past))
                    corrections[past][one.prefix.text()] = static_cast<double>(one.all().bytes) / 7.5e6;
            }
            if (!corrections.empty()) watch.correct(corrections);
        }
        EXPECT_TRUE(watch.log().faults().empty()) << series.name << " " << lateness;
        // Each expected alert was told: perhaps later, perhaps in parts where a dip was told meanwhile.
        const auto overlaps = [&](const ExpectedAlert& a, const ExpectedAlert& b) {
            const int end_of_all = series.minutes();
            return a.rule_id == b.rule_id && a.prefix == b.prefix &&
                   a.started < b.ended.value_or(end_of_all) && b.started < a.ended.value_or(end_of_all);
        };
        // One that wrong figures raised keeps its minutes out of the baseline, as any alert that was told.
        const auto is_false = [&](const ExpectedAlert& told) {
            return std::none_of(series.alerts.begin(), series.alerts.end(),
                                [&](const ExpectedAlert& expected) { return overlaps(told, expected); });
        };
        const std::vector<ExpectedAlert>& told = watch.log().alerts();
        if (std::any_of(told.begin(), told.end(), is_false)) continue;
        for (const ExpectedAlert& expected : series.alerts) {
            EXPECT_TRUE(std::any_of(told.begin(), told.end(),
                                    [&](const ExpectedAlert& one) { return overlaps(one, expected); }))
                << series.name << " " << lateness << ": " << line(expected)
                << " told: " << testing::PrintToString(watch.told());
            ++checked;
        }
    }
    EXPECT_TRUE(checked > 0 || series.alerts.empty());
}

std::vector<Series> all_series() {
    std::vector<Series> all = threshold_series();
    for (Series& one : zscore_series()) all.push_back(std::move(one));
    for (Series& one : advanced_series()) all.push_back(std::move(one));
    return all;
}

INSTANTIATE_TEST_SUITE_P(Conformance, LateSeriesTest, testing::ValuesIn(all_series()),
                         [](const auto& one) { return one.param.name; });

TEST(CorrectingTest, BaselinesAreThoseOfTheRightFigures) {
    // Two evaluators: one sees the right figures at once, the other late. Afterwards they agree for hours.
    const std::vector<Rule> rules{zscore_rule({kA}, Sensitivity::kHigh, ZscoreTarget::kBits),
                                  with_id(advanced_rule({kA}), "r2")};
    Watch late(rules);
    Watch prompt(rules);
    std::mt19937 random(7);
    std::uniform_real_distribution<double> level(90, 110);
    for (int minute = 0; minute < 600; ++minute) {
        double mbps = level(random);
        if (minute % 97 == 96) mbps *= 4;
        prompt.judge(minute, {{kA, mbps}});
        const bool is_late = minute < 400 && minute % 2 == 0 && minute % 97 != 96;
        late.judge(minute, {{kA, is_late ? mbps * 0.99 : mbps}});
        if (is_late) late.correct({{minute, {{kA, mbps}}}});
    }
    EXPECT_EQ(late.told(), prompt.told());
    EXPECT_GT(prompt.told().size(), 4U);
}

TEST(PackedMinuteTest, KeepsEveryCountAndTheLargestOfDoubles) {
    ClassVolumes large{};
    large[0] = {~0ULL, 1, 0};
    large[9] = {0, 128, 127};
    ClassVolumes small{};
    small[0] = {5, 7, 1};
    const PackedMinute packed(std::vector<PrefixMinute>{
        {prefix(kB), at(0), small}, {prefix(kA), at(0), large}, {prefix(kB), at(1), large}});
    const auto out = packed.unpacked(at(3));
    ASSERT_EQ(out.size(), 2U);
    EXPECT_EQ(out[0].prefix, prefix(kA));
    EXPECT_EQ(out[0].classes, large);
    EXPECT_EQ(out[0].minute, at(3));
    EXPECT_EQ(out[1].classes[0], (Volume{~0ULL, 7, 1}));
    EXPECT_EQ(out[1].classes[9], large[9]);
}

}  // namespace
}  // namespace cam::rules
