#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cam/notify/telegram.h"

namespace cam::notify {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGroup = "-1001234567890";
constexpr const char* kPrivate = "123456789";
constexpr SteadyTime kStart{std::chrono::hours(1)};

/// Sends `count` messages, each as early as may be after a random pause; gives the times.
std::vector<SteadyTime> send_greedily(SendPacer& pacer, int count, std::mt19937& random,
                                      int longest_pause_ms) {
    std::uniform_int_distribution<int> pause(0, longest_pause_ms);
    std::vector<SteadyTime> times;
    SteadyTime now = kStart;
    for (int i = 0; i < count; ++i) {
        now = pacer.earliest(now + std::chrono::milliseconds(pause(random)));
        pacer.sent(now);
        times.push_back(now);
    }
    return times;
}

/// The most messages in any span of that length, both ends included.
std::size_t most_within(const std::vector<SteadyTime>& times, std::chrono::milliseconds span) {
    std::size_t most = 0;
    for (auto first = times.begin(); first != times.end(); ++first) {
        const auto after = std::upper_bound(first, times.end(), *first + span);
        most = std::max(most, static_cast<std::size_t>(after - first));
    }
    return most;
}

TEST(SendPacerTest, LetsAShortBurstGoAtOnceAndThenOneMessageASecond) {
    for (const char* chat : {kGroup, kPrivate, "@channel"}) {
        SendPacer pacer(chat);
        for (std::size_t i = 0; i < SendPacer::kBurst; ++i) {
            EXPECT_EQ(pacer.earliest(kStart), kStart);
            pacer.sent(kStart);
        }
        EXPECT_EQ(pacer.earliest(kStart), kStart + 1s);
        EXPECT_EQ(pacer.earliest(kStart + 400ms), kStart + 1s);
        pacer.sent(kStart + 1s);
        EXPECT_EQ(pacer.earliest(kStart + 1s), kStart + 2s);
    }
}

TEST(SendPacerTest, AllowsTheWholeBurstAgainAfterAPause) {
    SendPacer pacer(kPrivate);
    for (int i = 0; i < 3; ++i) pacer.sent(kStart);
    const SteadyTime later = kStart + 3s;
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(pacer.earliest(later), later);
        pacer.sent(later);
    }
    EXPECT_EQ(pacer.earliest(later), later + 1s);
}

TEST(SendPacerTest, LetsAtMostTwentyMessagesIntoAGroupInAMinute) {
    SendPacer pacer(kGroup);
    std::mt19937 random(1);
    const std::vector<SteadyTime> times = send_greedily(pacer, 20, random, 0);
    EXPECT_EQ(times.back(), kStart + 17s);
    EXPECT_EQ(pacer.earliest(times.back()), kStart + 60s + 1ms);
}

TEST(SendPacerTest, HasNoLimitAMinuteForAPrivateChat) {
    SendPacer pacer(kPrivate);
    std::mt19937 random(1);
    EXPECT_EQ(send_greedily(pacer, 100, random, 0).back(), kStart + 97s);
}

TEST(SendPacerTest, CountsANameAndEveryNonPositiveIdAsAGroup) {
    for (const char* chat : {kGroup, "@channel", "0", "", "12x"}) {
        SendPacer pacer(chat);
        std::mt19937 random(1);
        EXPECT_GT(send_greedily(pacer, 21, random, 0).back(), kStart + 60s) << chat;
    }
}

TEST(SendPacerTest, NeverBreaksALimitWhateverThePauses) {
    for (unsigned seed = 0; seed < 60; ++seed) {
        for (const int longest_pause : {0, 10, 900, 1500, 4000, 30'000}) {
            std::mt19937 random(seed);
            SendPacer group(kGroup);
            SendPacer single(kPrivate);
            const std::vector<SteadyTime> in_group = send_greedily(group, 200, random, longest_pause);
            const std::vector<SteadyTime> in_private = send_greedily(single, 200, random, longest_pause);
            ASSERT_LE(most_within(in_group, 60s), 20U);
            for (const auto* times : {&in_group, &in_private}) {
                ASSERT_TRUE(std::is_sorted(times->begin(), times->end()));
                // A bucket of three that gains one a second: at most 3 + n within n seconds and a bit.
                for (const int seconds : {0, 1, 2, 5, 30, 90, 200})
                    ASSERT_LE(most_within(*times, std::chrono::seconds(seconds) + 999ms),
                              SendPacer::kBurst + static_cast<std::size_t>(seconds));
            }
        }
    }
}

TEST(SendPacerTest, KeepsToOneASecondForAsLongAsThereIsNoPause) {
    SendPacer pacer(kPrivate);
    std::mt19937 random(1);
    const std::vector<SteadyTime> times = send_greedily(pacer, 500, random, 0);
    for (std::size_t i = SendPacer::kBurst; i < times.size(); ++i)
        ASSERT_EQ(times[i] - times[i - 1], 1s) << i;
}

TEST(SendPacerTest, HeedsWhatOtherProcessesSentInAnyOrder) {
    SendPacer pacer(kGroup);
    for (int i = 0; i < 20; ++i) pacer.sent(kStart - std::chrono::seconds(i));
    EXPECT_EQ(pacer.earliest(kStart), kStart - 19s + 60s + 1ms);
}

TEST(SendPacerTest, IsNotHeldUpForLongByOthersWhoSendTooFast) {
    SendPacer pacer(kPrivate);
    for (int i = 0; i < 5000; ++i) pacer.sent(kStart);
    EXPECT_EQ(pacer.earliest(kStart), kStart + 1s);
}

TEST(SendPacerTest, ForgetsWhatIsOlderThanAMinute) {
    SendPacer pacer(kGroup);
    for (int i = 0; i < 20; ++i) pacer.sent(kStart);
    const SteadyTime later = kStart + 61s;
    pacer.sent(later);
    EXPECT_EQ(pacer.earliest(later), later);
}

}  // namespace
}  // namespace cam::notify
