#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/rules/conformance.h"
#include "fakes/rules/run_series.h"

namespace cam::rules {
namespace {

using std::chrono::minutes;
using test::AlertLog;
using test::Series;

/// Contract section 6 word by word over one prefix' series, everything kept and added up anew each minute.
class NaiveZscore {
public:
    NaiveZscore(double z, double least) : z_(z), least_(least) {}

    /// nullopt: not collected. True: the alert is active after this minute.
    bool judge(std::optional<double> level) {
        minutes_.push_back({level, active_});
        if (!level) return active_;
        const std::vector<double> window = last_five();
        if (window.empty()) return active_;
        const std::optional<double> z = z_of(window);
        if (active_) {
            active_ = !z || *z >= z_;
        } else {
            active_ = z && *z >= z_ && floor_is_met_;
        }
        minutes_.back().in_alert = active_;
        return active_;
    }
    [[nodiscard]] double last_z() const { return last_z_; }

private:
    struct Minute {
        std::optional<double> level;
        bool in_alert;
    };
    std::vector<double> last_five() {
        std::vector<double> window;
        for (window_from_ = minutes_.size(); window_from_ > 0 && window.size() < 5; --window_from_) {
            if (minutes_.size() - window_from_ >= 15) return {};
            if (const auto& level = minutes_[window_from_ - 1].level) window.push_back(*level);
        }
        return window.size() == 5 ? window : std::vector<double>{};
    }
    std::optional<double> z_of(const std::vector<double>& window) {
        std::vector<double> normal;
        for (std::size_t i = window_from_ > 240 ? window_from_ - 240 : 0; i < window_from_; ++i) {
            if (minutes_[i].level && !minutes_[i].in_alert) normal.push_back(*minutes_[i].level);
        }
        if (normal.size() >= 30) {
            long double sum = 0;
            for (const double level : normal) sum += level;
            const long double mean = sum / static_cast<long double>(normal.size());
            long double squares = 0;
            for (const double level : normal) squares += (level - mean) * (level - mean);
            mean_ = static_cast<double>(mean);
            spread_ = static_cast<double>(std::sqrt(squares / static_cast<long double>(normal.size())));
            floor_is_met_ = mean_ >= least_;
        } else if (!active_) {
            return std::nullopt;
        }
        double now = 0;
        for (const double level : window) now += level / 5;
        last_z_ = (now - mean_) / (spread_ == 0 ? mean_ / 100 : spread_);
        return last_z_;
    }

    double z_;
    double least_;
    std::vector<Minute> minutes_;
    std::size_t window_from_ = 0;
    bool active_ = false;
    bool floor_is_met_ = false;
    double mean_ = 0;
    double spread_ = 0;
    double last_z_ = 0;
};

/// Ten hours of noise with attacks, quiet times and gaps.
std::vector<std::optional<double>> random_mbps(unsigned seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> unit(0, 1);
    const double base = std::pow(10, unit(random) * 5 - 1);
    std::vector<std::optional<double>> all;
    while (all.size() < 600) {
        const double kind = unit(random);
        const double factor = kind < 0.6 ? 1 : kind < 0.8 ? 1 + 5 * unit(random) : kind < 0.9 ? 0 : -1;
        const auto length = static_cast<int>(1 + unit(random) * (factor == 1 ? 120 : 12));
        for (int i = 0; i < length; ++i) {
            if (factor < 0) {
                all.emplace_back();
            } else {
                all.emplace_back(base * factor * (0.9 + 0.2 * unit(random)));
            }
        }
    }
    return all;
}

TEST(ZscoreTest, AgreesMinuteByMinuteWithANaiveReference) {
    std::size_t alerts = 0;
    for (unsigned seed = 0; seed < 200; ++seed) {
        Evaluator evaluator;
        const Rule rule = test::zscore_rule({"192.0.2.0/24"}, Sensitivity::kHigh, ZscoreTarget::kBits);
        evaluator.set_rules({rule}, test::series_start());
        NaiveZscore naive(3, 1e6);
        MinuteTime time = test::series_start();
        for (const std::optional<double>& mbps : random_mbps(seed)) {
            std::vector<PrefixMinute> traffic;
            std::optional<double> level;
            if (mbps) {
                const ClassVolumes classes = test::traffic_of(*mbps);
                level = classes[0].bits_per_second();
                if (classes[0].bytes > 0) traffic.push_back({rule.prefixes.front(), time, classes});
            }
            const bool expected = naive.judge(level);
            if (mbps) {
                for (const AlertChange& change : evaluator.judge(time, traffic, {})) {
                    if (change.kind != AlertChange::Kind::kStarted) continue;
                    ++alerts;
                    EXPECT_NEAR(change.alert.crossing.value / naive.last_z(), 1, 1e-4);
                    EXPECT_EQ(change.alert.started_at, time);
                }
                ASSERT_EQ(evaluator.active().size(), expected ? 1U : 0U)
                    << "seed " << seed << " minute " << AlertLog::offset(time) << " z " << naive.last_z();
            }
            time += minutes{1};
        }
    }
    EXPECT_GT(alerts, 200U);  // or nothing was compared
}

Series one(std::string text, Sensitivity sensitivity = Sensitivity::kLow) {
    return {"",
            {test::zscore_rule({"192.0.2.0/24"}, sensitivity, ZscoreTarget::kBits)},
            {{"192.0.2.0/24", test::levels(text)}},
            {},
            {}};
}

TEST(ZscoreTest, TellsTheBaselineAndTheSpreadInBitsPerSecond) {
    std::string text;  // mean 100, population standard deviation 10
    for (int i = 0; i < 120; ++i) text += "1x90 1x110 ";
    const AlertLog log = test::run(one(text + "4x101 1x351"));
    ASSERT_EQ(test::lines(log.alerts()).size(), 1U);
    const Crossing& crossing = log.last("r1", "192.0.2.0/24").crossing;
    EXPECT_EQ(crossing.metric, AlertMetric::kZscore);
    EXPECT_EQ(crossing.threshold, 5);
    EXPECT_NEAR(crossing.value, 5.1, 1e-6);
    EXPECT_NEAR(*crossing.baseline, 100e6, 1);
    EXPECT_NEAR(*crossing.spread, 10e6, 1);
    EXPECT_EQ(crossing.zscore_target, ZscoreTarget::kBits);
}

TEST(ZscoreTest, TellsPacketsPerSecondForTheTargetPackets) {
    Series series = one("60x75 5x300");
    series.rules = {test::zscore_rule({"192.0.2.0/24"}, Sensitivity::kLow, ZscoreTarget::kPackets)};
    const AlertLog log = test::run(series);
    ASSERT_EQ(log.alerts().size(), 1U);
    EXPECT_NEAR(*log.last("r1", "192.0.2.0/24").crossing.baseline, 12'500, 1e-6);
    EXPECT_EQ(log.last("r1", "192.0.2.0/24").crossing.zscore_target, ZscoreTarget::kPackets);
}

TEST(ZscoreTest, LearnsNothingOfAnAlertThatLastsForDays) {
    const AlertLog log = test::run(one("300x100 4500x1000 10x100"));
    ASSERT_EQ(log.alerts().size(), 1U);
    EXPECT_EQ(log.alerts()[0].started, 300);
    EXPECT_EQ(log.alerts()[0].ended, 4804) << "not before the traffic is back where it was";
}

TEST(ZscoreTest, ARuleMadeAnewTakesTheStoredMinutesOfANewLevelForItsBaseline) {
    Series series = one("300x100 300x1000");
    Evaluator evaluator;
    evaluator.set_rules(series.rules, test::series_start());
    MinuteTime time = test::series_start();
    for (int i = 0; i < series.minutes(); ++i, time += minutes{1})
        evaluator.judge(time, series.traffic(i), {});
    const std::vector<Alert> before = evaluator.active();
    ASSERT_EQ(before.size(), 1U);

    Rule anew = series.rules.front();
    anew.id = "made anew";
    const auto ended = evaluator.set_rules({anew}, time);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].alert.end_reason, "rule_deleted");
    for (int i = 0; i < series.minutes(); ++i)
        evaluator.warm_up(test::series_start() + minutes{i}, series.traffic(i));
    for (int i = 0; i < 10; ++i, time += minutes{1}) {
        EXPECT_TRUE(evaluator.judge(time, series.traffic(series.minutes() - 1), {}).empty());
    }
    std::vector<PrefixMinute> attack = series.traffic(series.minutes() - 1);
    for (PrefixMinute& row : attack) row.classes[0].bytes *= 10;
    EXPECT_EQ(evaluator.judge(time, attack, {}).size(), 1U) << "the next attack is told";
}

TEST(ZscoreTest, KeepsTheBaselineFromBeforeAnAlertThatOutlastsIt) {
    const AlertLog log = test::run(one("300x100 600x1000 10x100"));
    ASSERT_EQ(log.alerts().size(), 1U);
    EXPECT_EQ(log.alerts()[0].ended, 904) << "when the mean of five is back at the baseline";
}

TEST(ZscoreTest, AResumedAlertWithoutAStoredPastGoesByTheBaselineItBeganWith) {
    Series series = one("300x100 5x1000");
    Evaluator first;
    first.set_rules(series.rules, test::series_start());
    MinuteTime time = test::series_start();
    for (int i = 0; i < series.minutes(); ++i, time += minutes{1}) first.judge(time, series.traffic(i), {});
    ASSERT_EQ(first.active().size(), 1U);

    Evaluator second;
    second.set_rules(series.rules, time);
    second.resume(first.active());
    const Series after = one("9x1000 5x100");
    for (int i = 0; i < after.minutes(); ++i, time += minutes{1}) {
        const auto changes = second.judge(time, after.traffic(i), {});
        ASSERT_EQ(changes.size(), 1U);
        EXPECT_EQ(changes[0].kind, i < 13 ? AlertChange::Kind::kUpdated : AlertChange::Kind::kEnded) << i;
    }
}

}  // namespace
}  // namespace cam::rules
