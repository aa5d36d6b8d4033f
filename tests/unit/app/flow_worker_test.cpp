// One worker: minutes that open and close, plans that change, a clock that is set.

#include <gtest/gtest.h>

#include "fakes/net/udp_sender.h"
#include "flow_fixture.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kBytes = 1'000;
constexpr const char* kRouter = "127.0.0.11";

class FlowWorkerTest : public FlowTest {
protected:
    void SetUp() override { add(rule("web", {"185.54.80.0/22"}, 1)); }
    void send_one() { send(kRouter, FlowFormat::kNetflow9, 1, {flow("185.54.82.4", 10, kBytes)}); }
    /// Time passes, and the worker makes a round.
    void work(milliseconds time) {
        place_.clock.advance(time);
        life_->step(0);
    }
    void set_clock(milliseconds by) {
        place_.clock.turn_wall(by);
        life_->step(0);
    }
    std::vector<WorkerMinute> closed() { return life_->exchange().take_minutes(); }
    static bool is_whole(const WorkerMinute& one) {
        return one.from == WallTime{one.counted.minute} && one.to == WallTime{one.counted.minute} + 1min;
    }
    static std::uint64_t bytes(const WorkerMinute& one) {
        std::uint64_t sum = 0;
        for (const PrefixMinute& traffic : one.counted.prefixes) sum += traffic.all().bytes;
        return sum;
    }
};

TEST_F(FlowWorkerTest, AMinuteIsHandedOverAtItsTurn) {
    start();
    send_one();
    work(59'999ms);
    EXPECT_TRUE(closed().empty());
    work(1ms);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 1U);
    EXPECT_EQ(minutes[0].counted.minute, minute(0));
    EXPECT_TRUE(is_whole(minutes[0]));
    EXPECT_EQ(bytes(minutes[0]), kBytes);
}

TEST_F(FlowWorkerTest, AMinuteWithoutTrafficIsHandedOverToo) {
    start();
    work(1min);
    work(1min);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 2U);
    EXPECT_EQ(minutes[1].counted.minute, minute(1));
    EXPECT_TRUE(is_whole(minutes[1]));
    EXPECT_EQ(bytes(minutes[1]), 0U);
}

TEST_F(FlowWorkerTest, WhatComesAtTheTurnBelongsToTheMinuteOfReceipt) {
    start();
    work(59'990ms);
    send_one();
    place_.clock.advance(20ms);
    send_one();
    work(1min);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 2U);
    EXPECT_EQ(bytes(minutes[0]), kBytes);
    EXPECT_EQ(bytes(minutes[1]), kBytes);
}

TEST_F(FlowWorkerTest, TheFirstMinuteIsTheRestOfIt) {
    place_.clock.advance(20s);
    start();
    send_one();
    work(40s);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 1U);
    EXPECT_EQ(minutes[0].from, FakeClock::kStart + 20s);
    EXPECT_EQ(minutes[0].to, FakeClock::kStart + 1min);
    EXPECT_EQ(bytes(minutes[0]), kBytes);
}

TEST_F(FlowWorkerTest, AMinuteThatIsClosedALittleLateIsWhole) {
    start();
    work(62s);
    work(58s);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 2U);
    EXPECT_TRUE(is_whole(minutes[0]));
    EXPECT_TRUE(is_whole(minutes[1]));
}

TEST_F(FlowWorkerTest, AMinuteInWhichTheWorkerHungIsNotWholeNorIsTheNext) {
    start();
    send_one();
    work(30s);
    work(50s);  // what came in between lay in the kernel's buffer
    work(40s);
    work(1min);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 3U);
    EXPECT_FALSE(is_whole(minutes[0]));
    EXPECT_EQ(bytes(minutes[0]), kBytes);
    EXPECT_EQ(minutes[1].from, FakeClock::kStart + 80s);
    EXPECT_TRUE(is_whole(minutes[2]));
}

struct Turn {
    const char* name;
    milliseconds by;
    int partial;  ///< minutes that are not whole, of those that the clock touched
};

class FlowWorkerClockTest : public FlowWorkerTest, public testing::WithParamInterface<Turn> {};

TEST_P(FlowWorkerClockTest, ASetClockLosesNothingAndItsMinutesAreNotWhole) {
    start();
    work(30s);
    send_one();
    set_clock(GetParam().by);
    send_one();
    for (int i = 0; i < 60; ++i) work(3s);
    send_one();
    for (int i = 0; i < 40; ++i) work(3s);
    const auto minutes = closed();
    std::uint64_t sum = 0;
    int partial = 0;
    for (const WorkerMinute& one : minutes) {
        sum += bytes(one);
        partial += is_whole(one) ? 0 : 1;
    }
    EXPECT_EQ(sum, 3U * kBytes);
    EXPECT_EQ(partial, GetParam().partial);
    ASSERT_FALSE(minutes.empty());
    EXPECT_TRUE(is_whole(minutes.back()));
}

INSTANTIATE_TEST_SUITE_P(EachWay, FlowWorkerClockTest,
                         testing::Values(Turn{"ALittleForward", 2s, 0}, Turn{"ALittleBack", -2s, 0},
                                         Turn{"ForwardWithinTheMinute", 20s, 1},
                                         Turn{"ForwardIntoTheNextMinute", 40s, 2},
                                         Turn{"ForwardAnHour", 1h, 2}, Turn{"BackWithinTheMinute", -20s, 1},
                                         Turn{"BackIntoTheMinuteBefore", -50s, 1},
                                         Turn{"BackAnHour", -1h, 2}),
                         [](const auto& test) { return test.param.name; });

TEST_F(FlowWorkerTest, AStopHandsOverTheOpenMinuteUpToNow) {
    start();
    send_one();
    place_.clock.advance(25s);
    life_->end();
    const auto minutes = collected();
    ASSERT_EQ(minutes.size(), 1U);
    EXPECT_EQ(minutes[0].from, FakeClock::kStart);
    EXPECT_EQ(minutes[0].to, FakeClock::kStart + 25s);
    EXPECT_EQ(stored("185.54.80.0/22").bytes, kBytes);
}

TEST_F(FlowWorkerTest, AnotherPlanHoldsFromTheNextMinuteAndLosesNothing) {
    start();
    send_one();
    add(rule("one", {"185.54.82.0/24"}, 1));
    FlowPlan next = FlowJudge::plan(life_->store()).value();
    const std::int64_t generation = next.generation;
    life_->exchange().publish(std::move(next));
    send_one();
    work(1min);
    send_one();
    work(1min);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 2U);
    ASSERT_EQ(minutes[0].counted.prefixes.size(), 1U);
    EXPECT_EQ(minutes[0].counted.prefixes[0].prefix, prefix("185.54.80.0/22"));
    EXPECT_EQ(minutes[0].counted.prefixes[0].all().bytes, 2U * kBytes);
    EXPECT_LT(minutes[0].generation, generation);
    ASSERT_EQ(minutes[1].counted.prefixes.size(), 2U);
    EXPECT_EQ(bytes(minutes[1]), 2U * kBytes);
    EXPECT_EQ(minutes[1].generation, generation);
}

TEST_F(FlowWorkerTest, RecordsForNoRuleAreCountedAsSuch) {
    start();
    send(kRouter, FlowFormat::kNetflow9, 1, {flow("192.0.2.1"), flow("185.54.82.4"), flow("192.0.2.2")});
    work(1min);
    EXPECT_EQ(place_.counted("cam_flow_unwatched_records_total"), 2U);
    EXPECT_EQ(place_.counted("cam_flow_records_total", {{"protocol", "v9"}}), 3U);
}

TEST_F(FlowWorkerTest, GarbageIsCountedByItsReasonAndHarmsNobody) {
    start();
    send_one();
    const UdpSender stranger("127.0.0.99", place_.port);
    stranger.send("GET / HTTP/1.1\r\n\r\n");
    stranger.send(std::string("\0\x09\0\x01", 4));
    ++sent_;  // this one is recognised
    for (int i = 0; i < 10; ++i) life_->step(0);
    send_one();
    work(1min);
    const auto minutes = closed();
    ASSERT_EQ(minutes.size(), 1U);
    EXPECT_EQ(bytes(minutes[0]), 2U * kBytes);
    EXPECT_EQ(place_.counted("cam_flow_dropped_total", {{"reason", "unknown_version"}}), 1U);
    EXPECT_EQ(place_.counted("cam_flow_dropped_total", {{"reason", "malformed"}}), 1U);
}

}  // namespace
}  // namespace cam::app
