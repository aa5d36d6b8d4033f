// What the page and the API show of minutes that lie in ClickHouse.

#include "app/rule_preview.h"
#include "app/traffic_history.h"
#include "app/traffic_view.h"
#include "judge_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kPrefix = "185.54.80.0/22";
constexpr std::uint64_t kMbit = 1'000'000;

class ClickHouseHistoryTest : public JudgeTest {
protected:
    [[nodiscard]] std::unique_ptr<ClickHouseHistory> history() const {
        Settings::Traffic::ClickHouse settings;
        settings.url = engine->url();
        settings.database = database_;
        settings.password = Secret{test::Engine::kPassword};
        return must(ClickHouseHistory::open(settings, geo_));
    }
};

TEST_F(ClickHouseHistoryTest, ChartsContributorsAndPreviewsAreOfTheMinutesThatWereJudged) {
    add("web", {kPrefix}, 100 * kMbit, 2min);
    start();
    turn_minute();
    const MinuteTime first = now();
    for (const double mbps : {20.0, 120.0, 200.0, 300.0, 10.0}) minute_of(mbps);
    const auto told = alerts();
    ASSERT_EQ(told.size(), 1U) << book_.text();
    const MinuteTime end = first + 5min;
    const Prefix prefix = *Prefix::parse(kPrefix);
    const auto stored = history();

    const auto points = must(summed_series(*stored, {prefix}, {.from = first, .to = end}));
    ASSERT_EQ(points.size(), 5U);
    EXPECT_EQ(points[2].sum[0].bits_per_second(), 200e6);
    EXPECT_EQ(points[2].collected, 1U);
    EXPECT_EQ(must(stored->collected_minutes(first - 1h, end)).back().minute, first + 4min);
    const auto latest = must(stored_minute(*stored, {}, end));
    ASSERT_TRUE(latest);
    EXPECT_GE(latest->minute, first + 4min);

    const auto parts = must(traffic_parts(*stored, geo_, prefix, {.from = first, .to = end}, 5));
    EXPECT_EQ(parts.all.bits_per_second(), 650e6);
    const auto largest = [&](TrafficFacet facet) {
        for (const Contributor& one : parts.largest) {
            if (one.facet == facet) return one.key;
        }
        return std::string{"none"};
    };
    EXPECT_EQ(largest(TrafficFacet::kSource), "103.118.76.0/24");
    EXPECT_EQ(largest(TrafficFacet::kSourcePort), "17/53");
    EXPECT_EQ(largest(TrafficFacet::kSourceCountry), "BD");

    Rule rule = operators().rules().value().front();
    const auto preview = must(preview_rule({.history = *stored, .alerts = operators()}, rule, first, end,
                                           clock_, std::chrono::seconds{60}));
    ASSERT_EQ(preview.alerts.size(), 1U);
    EXPECT_EQ(preview.alerts[0].started_at, told[0].started_at);
    EXPECT_EQ(preview.alerts[0].ended_at, told[0].ended_at);
    EXPECT_EQ(preview.alerts[0].peak.bits_per_second, told[0].peak.bits_per_second);
}

TEST_F(ClickHouseHistoryTest, AServerThatIsAwayIsAnErrorAndNotSilence) {
    start();
    turn_minute();
    const auto stored = history();
    const MinuteTime from = now() - 10min;
    engine->kill();
    EXPECT_FALSE(stored->minute(from));
    EXPECT_FALSE(stored->collected_minutes(from, from + 5min));
    EXPECT_FALSE(summed_series(*stored, {*Prefix::parse(kPrefix)}, {.from = from, .to = from + 5min}));
}

}  // namespace
}  // namespace cam::app
