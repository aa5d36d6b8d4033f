#include "rules/threshold.h"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

#include "fakes/rules/conformance.h"

namespace cam::rules {
namespace {

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

/// Whether one minute of that much crosses.
bool crosses(std::optional<std::uint64_t> bits, std::optional<std::uint64_t> packets, const Volume& volume) {
    CollectedMinutes collected;
    const MinuteTime minute = test::series_start();
    collected.add(minute);
    ClassVolumes classes{};
    classes[0] = volume;
    const Rule rule = test::threshold_rule({"192.0.2.0/24"}, bits, packets, 1);
    ThresholdPast past;
    return past.judge({minute, minute, collected}, {&classes, nullptr, minute}, rule, nullptr)
        .start.has_value();
}

TEST(ThresholdPastTest, ComparesWithoutRounding) {
    // 1 bit/s are 7.5 bytes a minute.
    EXPECT_FALSE(crosses(1, {}, {7, 0, 0}));
    EXPECT_TRUE(crosses(1, {}, {8, 0, 0}));
    EXPECT_FALSE(crosses(2, {}, {14, 0, 0}));
    EXPECT_TRUE(crosses(2, {}, {15, 0, 0}));
    EXPECT_FALSE(crosses({}, 1'000'000'000'000'000, {0, 60'000'000'000'000'000 - 1, 0}));
    EXPECT_TRUE(crosses({}, 1'000'000'000'000'000, {0, 60'000'000'000'000'000, 0}));
}

TEST(ThresholdPastTest, AThresholdThatNoCountReachesIsNeverCrossed) {
    EXPECT_FALSE(crosses(kMost, {}, {kMost, kMost, kMost}));
    EXPECT_FALSE(crosses({}, kMost, {kMost, kMost, kMost}));
    EXPECT_FALSE(crosses({}, kMost / 60 + 1, {kMost, kMost, kMost}));
    EXPECT_TRUE(crosses({}, kMost / 60 - 1, {kMost, kMost, kMost}));
    EXPECT_TRUE(crosses(2'459'565'876'494'606'880, {}, {kMost, kMost, kMost}));
}

TEST(ThresholdPastTest, AThresholdOfNothingIsAlwaysCrossed) {
    EXPECT_TRUE(crosses(0, {}, {}));
}

TEST(CollectedMinutesTest, LooksBackOverWhatWasNotCollectedButNotFar) {
    CollectedMinutes collected;
    const MinuteTime start = test::series_start();
    for (const int minute : {0, 1, 12, 13}) collected.add(start + std::chrono::minutes{minute});
    const MinuteTime last = start + std::chrono::minutes{13};
    EXPECT_EQ(collected.oldest_of_last(1, last), last);
    EXPECT_EQ(collected.oldest_of_last(3, last), start + std::chrono::minutes{1});
    EXPECT_EQ(collected.oldest_of_last(4, last), start);
    EXPECT_EQ(collected.oldest_of_last(4, last + std::chrono::minutes{1}), std::nullopt);
    EXPECT_EQ(collected.count(start, last), 3U);
}

TEST(CollectedMinutesTest, ForgetsAfterFiveHundredAndTwelve) {
    CollectedMinutes collected;
    const MinuteTime start = test::series_start();
    collected.add(start);
    collected.add(start + std::chrono::minutes{511});
    EXPECT_TRUE(collected.contains(start));
    collected.add(start + std::chrono::minutes{512});
    EXPECT_FALSE(collected.contains(start));
    collected.add(start + std::chrono::minutes{5000});
    EXPECT_FALSE(collected.contains(start + std::chrono::minutes{511}));
    EXPECT_FALSE(collected.contains(start + std::chrono::minutes{5001}));
    collected.add(start + std::chrono::minutes{100});
    EXPECT_FALSE(collected.contains(start + std::chrono::minutes{4708})) << "too old to be noted";
}

}  // namespace
}  // namespace cam::rules
