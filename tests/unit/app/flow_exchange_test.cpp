#include "app/flow_exchange.h"

#include <thread>

#include <gtest/gtest.h>

namespace cam::app {
namespace {

using namespace std::chrono_literals;

FlowPlan plan(std::int64_t generation) {
    return {.counting = aggregate::CountingPlan::compile({}), .generation = generation, .routers = {}};
}

WorkerMinute closed(std::size_t worker, int minute) {
    WorkerMinute out;
    out.worker = worker;
    out.counted.minute = MinuteTime{std::chrono::minutes{minute}};
    return out;
}

decode::ExporterReport report(std::array<std::uint8_t, 4> address, std::uint64_t datagrams) {
    return {.exporter = ExporterKey{IpAddress::v4(address)}, .sampling = {}, .datagrams = datagrams};
}

TEST(FlowExchangeTest, WorkersSeeThePlanThatWasPublishedLast) {
    FlowExchange exchange(plan(1));
    EXPECT_EQ(exchange.plan().generation, 1);
    exchange.publish(plan(2));
    exchange.publish(plan(3));
    EXPECT_EQ(exchange.plan().generation, 3);
}

TEST(FlowExchangeTest, MinutesAreTakenOnceInTheOrderInWhichTheyCame) {
    FlowExchange exchange(plan(1));
    exchange.hand_over(closed(0, 1));
    exchange.hand_over(closed(1, 1));
    exchange.hand_over(closed(0, 2));
    const auto taken = exchange.take_minutes();
    ASSERT_EQ(taken.size(), 3U);
    EXPECT_EQ(taken[1].worker, 1U);
    EXPECT_EQ(taken[2].counted.minute, MinuteTime{2min});
    EXPECT_TRUE(exchange.take_minutes().empty());
}

TEST(FlowExchangeTest, StatesOfAllWorkersAreTakenOnce) {
    FlowExchange exchange(plan(1));
    const ExporterKey one{IpAddress::v4({192, 0, 2, 1})};
    exchange.hand_over(std::vector<decode::Decoder::SavedState>{{one, "a"}, {one, "b"}});
    exchange.hand_over(std::vector<decode::Decoder::SavedState>{{one, "c"}});
    EXPECT_EQ(exchange.take_states().size(), 3U);
    EXPECT_TRUE(exchange.take_states().empty());
}

TEST(FlowExchangeTest, WhatAWorkerShowsReplacesWhatItShowedBefore) {
    FlowExchange exchange(plan(1));
    exchange.show(1, {report({192, 0, 2, 1}, 5)});
    exchange.show(0, {report({192, 0, 2, 2}, 7)});
    exchange.show(1, {report({192, 0, 2, 1}, 6), report({192, 0, 2, 3}, 1)});
    const auto all = exchange.exporters();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].datagrams, 7U);
    EXPECT_EQ(all[1].datagrams, 6U);
}

TEST(FlowExchangeTest, AWaitEndsWithAMinuteOrAStop) {
    FlowExchange exchange(plan(1));
    const auto before = std::chrono::steady_clock::now();
    exchange.hand_over(closed(0, 1));
    exchange.wait(1min, {});  // one is there already
    static_cast<void>(exchange.take_minutes());
    std::stop_source stop;
    std::jthread other([&] { exchange.hand_over(closed(0, 2)); });
    exchange.wait(1min, stop.get_token());
    static_cast<void>(exchange.take_minutes());
    std::jthread stopper([&] { stop.request_stop(); });
    exchange.wait(1min, stop.get_token());
    EXPECT_LT(std::chrono::steady_clock::now() - before, 30s);
}

}  // namespace
}  // namespace cam::app
