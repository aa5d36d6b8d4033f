#include "cam/cloudflare/window_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "cam/base/check.h"
#include "cam/base/time_text.h"

namespace cam::cloudflare {
namespace {

using namespace std::chrono_literals;

WallTime at(const char* text) {
    const auto time = parse_time(text);
    check(time.has_value(), "bad time in a test");
    return *time;
}

const WallTime kStart = at("2026-01-19T22:00:00Z");

TEST(WindowPlanTest, AsksForTheWholeSpanIfItIsNarrowEnough) {
    WindowPlan plan{{kStart, kStart + 15min}, 24h};
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 15min}));
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 15min}));
    plan.complete();
    EXPECT_EQ(plan.next(), std::nullopt);
    EXPECT_EQ(plan.answered_to(), kStart + 15min);
}

TEST(WindowPlanTest, CutsAWideSpanIntoTheWidestWindows) {
    WindowPlan plan{{kStart, kStart + 25h}, 10h};
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 10h}));
    plan.complete();
    EXPECT_EQ(plan.next(), (TimeWindow{kStart + 10h, kStart + 20h}));
    plan.complete();
    EXPECT_EQ(plan.next(), (TimeWindow{kStart + 20h, kStart + 25h}));
    plan.complete();
    EXPECT_EQ(plan.next(), std::nullopt);
}

TEST(WindowPlanTest, RoundsOutwardsToWholeSeconds) {
    const WindowPlan plan{{kStart + 500ms, kStart + 1001ms}, 24h};
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 2s}));
}

TEST(WindowPlanTest, HasNothingToAskForAnEmptyOrReversedSpan) {
    EXPECT_EQ((WindowPlan{{kStart, kStart}, 1h}.next()), std::nullopt);
    EXPECT_EQ((WindowPlan{{kStart + 1h, kStart}, 1h}.next()), std::nullopt);
}

TEST(WindowPlanTest, HalvesUntilASingleSecondWhichItRefusesToHalve) {
    WindowPlan plan{{kStart, kStart + 5s}, 1h};
    EXPECT_TRUE(plan.halve());
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 2s}));
    EXPECT_TRUE(plan.halve());
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 1s}));
    EXPECT_FALSE(plan.halve());
    plan.complete();
    EXPECT_EQ(plan.next(), (TimeWindow{kStart + 1s, kStart + 2s}));
    plan.complete();
    EXPECT_EQ(plan.next(), (TimeWindow{kStart + 2s, kStart + 5s}));
}

TEST(WindowPlanTest, GoesBackToTheWidestWindowBehindABusyPlace) {
    WindowPlan plan{{kStart, kStart + 4h}, 1h};
    EXPECT_TRUE(plan.halve());
    plan.complete();
    plan.complete();
    EXPECT_EQ(plan.next(), (TimeWindow{kStart + 1h, kStart + 2h}));
}

TEST(WindowPlanTest, WidensAgainWhenToldAndKeepsTheHalvesThatAreStillToAsk) {
    WindowPlan plan{{kStart, kStart + 4h}, 2h};
    EXPECT_TRUE(plan.halve());
    plan.narrow(30min);
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 30min}));
    plan.widen(3h);
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 1h}));
    plan.widen(1min);
    plan.complete();
    plan.complete();
    EXPECT_EQ(plan.next(), (TimeWindow{kStart + 2h, kStart + 4h})) << "widen() never narrows";
}

TEST(WindowPlanTest, NarrowsTheWindowsStillToComeAndNeverWidensThem) {
    WindowPlan plan{{kStart, kStart + 4h}, 4h};
    plan.narrow(1h);
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 1h}));
    plan.narrow(3h);
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 1h}));
    EXPECT_TRUE(plan.halve());
    plan.narrow(10min);
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 10min}));
    plan.narrow(0s);
    EXPECT_EQ(plan.next(), (TimeWindow{kStart, kStart + 1s}));
}

TEST(WindowPlanTest, TakesAnyWidestWindowWithoutOverflow) {
    EXPECT_EQ((WindowPlan{{kStart, kStart + 24h}, std::chrono::seconds::max()}.next()),
              (TimeWindow{kStart, kStart + 24h}));
    EXPECT_EQ((WindowPlan{{kStart, kStart + 24h}, -5s}.next()), (TimeWindow{kStart, kStart + 1s}));
    EXPECT_EQ((WindowPlan{{WallTime{} - 1500ms, WallTime{}}, 1h}.next()),
              (TimeWindow{WallTime{} - 2s, WallTime{}}));
}

/// Whatever happens on the way, the windows that were answered are the span: in order, without hole or
/// overlap.
TEST(WindowPlanTest, CoversTheSpanExactlyWhateverIsHalvedAndNarrowed) {
    for (unsigned seed = 0; seed < 500; ++seed) {
        std::mt19937 random{seed};
        const auto pick = [&](int most) { return std::uniform_int_distribution<int>{0, most}(random); };
        const TimeWindow span{kStart + std::chrono::milliseconds{pick(5'000)},
                              kStart + std::chrono::milliseconds{5'000 + pick(400'000)}};
        std::chrono::seconds widest{1 + pick(300)};
        WindowPlan plan{span, widest};
        WallTime reached = std::chrono::floor<std::chrono::seconds>(span.from);
        while (const std::optional<TimeWindow> window = plan.next()) {
            ASSERT_EQ(window->from, reached) << seed;
            ASSERT_EQ(plan.answered_to(), reached) << seed;
            ASSERT_GE(window->length(), 1s) << seed;
            ASSERT_LE(window->length(), widest) << seed;
            ASSERT_EQ(window->length() % 1s, 0ms) << seed;
            const int what = pick(9);
            if (what < 4) {
                const bool halved = plan.halve();
                ASSERT_EQ(halved, window->length() > 1s) << seed;
                if (halved) {
                    ASSERT_EQ(plan.next()->length(), window->length() / 1s / 2 * 1s) << seed;
                    continue;
                }
            } else if (what == 4) {
                const std::chrono::seconds narrower{pick(300)};
                plan.narrow(narrower);
                widest = std::clamp<std::chrono::seconds>(narrower, 1s, widest);
                continue;
            }
            plan.complete();
            reached = window->to;
        }
        ASSERT_EQ(reached, std::chrono::ceil<std::chrono::seconds>(span.to)) << seed;
        ASSERT_EQ(plan.answered_to(), reached) << seed;
    }
}

}  // namespace
}  // namespace cam::cloudflare
