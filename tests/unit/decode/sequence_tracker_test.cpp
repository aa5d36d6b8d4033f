#include "decode/sequence_tracker.h"

#include <gtest/gtest.h>

namespace cam::decode {
namespace {

using std::chrono::seconds;
constexpr SequenceTracker::Units kOne{.by_standard = 1, .by_habit = 1};

class SequenceTrackerTest : public testing::Test {
protected:
    std::uint64_t lost(std::uint32_t sequence, std::optional<SequenceTracker::Units> held = kOne) {
        return tracker_.saw({.sequence = sequence, .uptime_ms = uptime_}, held, now_).lost;
    }
    SequenceTracker tracker_;
    SteadyTime now_{seconds{100}};
    std::optional<std::uint32_t> uptime_;
};

TEST_F(SequenceTrackerTest, TheFirstDatagramLosesNothing) {
    EXPECT_EQ(lost(4711), 0U);
}

TEST_F(SequenceTrackerTest, AGapIsWhatIsMissing) {
    lost(10);
    EXPECT_EQ(lost(14), 3U);
    EXPECT_EQ(lost(15), 0U);
}

TEST_F(SequenceTrackerTest, WhatComesLateTakesItselfOffTheLossOnce) {
    lost(10);
    EXPECT_EQ(lost(13), 2U);
    EXPECT_EQ(tracker_.saw({.sequence = 11, .uptime_ms = {}}, kOne, now_).late, 1U);
    EXPECT_EQ(tracker_.saw({.sequence = 12, .uptime_ms = {}}, kOne, now_).late, 1U);
    EXPECT_EQ(tracker_.saw({.sequence = 12, .uptime_ms = {}}, kOne, now_).late, 0U) << "sent twice";
    EXPECT_EQ(lost(14), 0U);
}

TEST_F(SequenceTrackerTest, AResetInEitherDirectionLosesNoMillions) {
    lost(4'000'000'000);
    EXPECT_EQ(lost(0), 0U);
    EXPECT_EQ(lost(1), 0U);
    EXPECT_EQ(lost(2'000'000'000), 0U);
    EXPECT_EQ(lost(2'000'000'002), 1U);
}

TEST_F(SequenceTrackerTest, ALongSilenceMayHaveLostMore) {
    lost(0);
    now_ += seconds{60};
    EXPECT_EQ(lost(20'000'001), 20'000'000U);
    EXPECT_EQ(lost(30'000'000), 0U) << "not within the same second";
}

TEST_F(SequenceTrackerTest, AnUptimeThatGoesBackIsARestartAndNotALateDatagram) {
    uptime_ = 900'000;
    lost(500);
    uptime_ = 1'000;
    EXPECT_EQ(lost(490), 0U);
    EXPECT_EQ(lost(492), 1U) << "the new sequence is followed at once";
}

TEST_F(SequenceTrackerTest, AnUptimeThatWrapsIsNoRestart) {
    uptime_ = 0xffff'ff00;
    lost(5);
    uptime_ = 100;
    EXPECT_EQ(lost(8), 2U);
}

TEST_F(SequenceTrackerTest, WhatCouldNotBeCountedMakesTheNextDatagramTheFirst) {
    lost(10, std::nullopt);
    EXPECT_EQ(lost(500), 0U);
    EXPECT_EQ(lost(502), 1U);
}

TEST_F(SequenceTrackerTest, EitherUnitFitsAndALossIsToldInTheOneThatIsUsed) {
    constexpr SequenceTracker::Units kTwenty{.by_standard = 1, .by_habit = 20};
    lost(0, kTwenty);
    EXPECT_EQ(lost(20, kTwenty), 0U);
    const auto step = tracker_.saw({.sequence = 60, .uptime_ms = {}}, kTwenty, now_);
    EXPECT_EQ(step.lost, 20U);
    EXPECT_TRUE(step.is_in_habit_units);
}

}  // namespace
}  // namespace cam::decode
