#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/rules/conformance.h"
#include "fakes/rules/run_series.h"

namespace cam::rules {
namespace {

using test::AlertLog;
using test::Series;

class ConformanceTest : public testing::TestWithParam<Series> {};

TEST_P(ConformanceTest, GivesTheseAlertsAtTheseMinutes) {
    const AlertLog log = test::run(GetParam());
    EXPECT_EQ(test::lines(log.alerts()), test::lines(GetParam().alerts));
    EXPECT_EQ(log.faults(), std::vector<std::string>{});
}

/// Restarted in every minute: the alerts, the baselines and the counts go on as if nothing had been.
TEST_P(ConformanceTest, GivesTheSameAlertsWhereTheProcessRestartsInBetween) {
    const Series& series = GetParam();
    const int step = std::max(1, series.minutes() / 40);
    for (int restart = 1; restart < series.minutes(); restart += step) {
        AlertLog log;
        std::vector<Alert> ended;
        Evaluator first;
        first.set_rules(series.rules, test::series_start());
        Evaluator second;
        for (int minute = 0; minute < series.minutes(); ++minute) {
            const MinuteTime time = test::series_start() + std::chrono::minutes{minute};
            if (minute == restart) {
                second.set_rules(series.rules, time);
                std::vector<Alert> alerts = first.active();
                alerts.insert(alerts.end(), ended.begin(), ended.end());
                second.resume(alerts);
                const auto past = static_cast<int>(second.past_needed().count());
                for (int before = std::max(0, restart - past); before < restart; ++before) {
                    if (series.is_collected(before))
                        second.warm_up(test::series_start() + std::chrono::minutes{before},
                                       series.traffic(before));
                }
            }
            if (!series.is_collected(minute)) continue;
            Evaluator& evaluator = minute < restart ? first : second;
            const std::vector<AlertChange> changes = evaluator.judge(time, series.traffic(minute), {});
            for (const AlertChange& change : changes) {
                if (change.kind == AlertChange::Kind::kEnded) ended.push_back(change.alert);
            }
            log.take(minute, changes);
        }
        EXPECT_EQ(test::lines(log.alerts()), test::lines(series.alerts)) << "restart at " << restart;
        EXPECT_EQ(log.faults(), std::vector<std::string>{});
        if (HasFailure()) return;
    }
}

std::string name_of(const testing::TestParamInfo<Series>& info) {
    return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Threshold, ConformanceTest, testing::ValuesIn(test::threshold_series()), name_of);
INSTANTIATE_TEST_SUITE_P(Zscore, ConformanceTest, testing::ValuesIn(test::zscore_series()), name_of);
INSTANTIATE_TEST_SUITE_P(AdvancedDdos, ConformanceTest, testing::ValuesIn(test::advanced_series()), name_of);

}  // namespace
}  // namespace cam::rules
