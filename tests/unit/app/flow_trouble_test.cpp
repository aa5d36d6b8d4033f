// What goes wrong around the flow monitor: a database that refuses, routers that fall silent.

#include <gtest/gtest.h>

#include "flow_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kTarget = "185.54.82.4";
constexpr const char* kPrefix = "185.54.80.0/22";
constexpr std::uint64_t kMbit = 1'000'000;

class FlowTroubleTest : public FlowTest {
protected:
    void SetUp() override { add(rule("web", {kPrefix}, 100 * kMbit)); }
    /// Another program holds the write lock.
    void lock() {
        other_.emplace(place_.database());
        other_->run("BEGIN EXCLUSIVE");
    }
    void unlock() { other_.reset(); }
    void minutes_of(int count, std::uint64_t bits_per_second) {
        for (int i = 0; i < count; ++i) {
            flood(kTarget, bits_per_second);
            turn_minute();
        }
    }
    [[nodiscard]] std::vector<Alert> alerts() {
        return operators().alerts({.active = {}, .rule_id = {}, .since = {}, .limit = 1'000}).value();
    }
    [[nodiscard]] std::vector<std::string> past_database() {
        std::vector<std::string> texts;
        for (const UnqueuedMessage& one : life_->conditions().take_unqueued())
            texts.push_back(one.message.text);
        return texts;
    }
    void listed(const std::string& address) {
        ASSERT_TRUE(operators().create_router({.id = {},
                                               .name = "edge " + address.substr(address.rfind('.') + 1),
                                               .address = IpAddress::parse(address).value(),
                                               .default_sampling = 1},
                                              place_.clock.wall()));
    }

    std::optional<PlainSqlite> other_;
};

TEST_F(FlowTroubleTest, MinutesWaitForALockedDatabaseAndAreJudgedInOrder) {
    start();
    minutes_of(1, 10 * kMbit);
    lock();
    minutes_of(1, 200 * kMbit);
    minutes_of(1, 300 * kMbit);
    minutes_of(3, 10 * kMbit);
    EXPECT_EQ(place_.book.count("minute cannot be written"), 1U);
    EXPECT_EQ(place_.book.count("condition raised condition=flow_store"), 1U);
    EXPECT_EQ(count(past_database(), "Traffic minutes cannot be written"), 1U);
    EXPECT_TRUE(told().empty());
    unlock();
    minutes_of(1, 10 * kMbit);
    ASSERT_EQ(alerts().size(), 1U);
    EXPECT_EQ(alerts()[0].started_at, WallTime{minute(1)});
    EXPECT_EQ(alerts()[0].ended_at, WallTime{minute(3)});
    EXPECT_EQ(alerts()[0].peak.bits_per_second, 300e6);
    const auto texts = told();
    EXPECT_EQ(count(texts, "Traffic minutes are written again"), 1U);
    EXPECT_EQ(texts.size(), 3U);
    EXPECT_EQ(stored(kPrefix).bytes, (5 * 10 + 200 + 300) * kMbit * 60 / 8);
    EXPECT_EQ(minutes("judged"), 7U);
    EXPECT_EQ(minutes("dropped"), 0U);
}

TEST_F(FlowTroubleTest, AShortLockIsNobodysTrouble) {
    start();
    lock();
    minutes_of(1, 200 * kMbit);
    pass(10s);
    unlock();
    pass(1s);
    EXPECT_EQ(alerts().size(), 1U);
    EXPECT_EQ(place_.book.count("condition raised"), 0U);
    EXPECT_EQ(told().size(), 1U);
}

TEST_F(FlowTroubleTest, BeyondTheBoundTheOldestMinutesAreDroppedAndCounted) {
    start(1, {.waiting_minutes = 3});
    lock();
    minutes_of(8, 10 * kMbit);
    EXPECT_EQ(minutes("dropped"), 4U);
    EXPECT_EQ(place_.book.count("minute dropped, too many wait"), 4U);
    unlock();
    minutes_of(1, 10 * kMbit);
    EXPECT_EQ(stored(kPrefix).bytes, 5 * 10 * kMbit * 60 / 8);
    EXPECT_EQ(collected().size(), 5U);
}

TEST_F(FlowTroubleTest, WhatCannotBeWrittenAtTheEndIsCountedAsDropped) {
    start();
    lock();
    minutes_of(2, 10 * kMbit);
    life_->end();
    EXPECT_EQ(minutes("dropped"), 3U) << "two whole ones and the open one";
    EXPECT_EQ(place_.book.count("minutes dropped, the process ends"), 1U);
}

TEST_F(FlowTroubleTest, WhileTheDatabaseRefusesARoundTriesItOnce) {
    templates_every_ = 1;
    start();
    flood(kTarget, 10 * kMbit);
    lock();
    turn_minute();
    const auto before = std::chrono::steady_clock::now();
    flood(kTarget, 10 * kMbit);
    pass(10s);
    // The database's patience is 20 ms here; states, pruning and silence would each wait for it as well.
    EXPECT_LT(std::chrono::steady_clock::now() - before, 2s);
    EXPECT_TRUE(PlainSqlite(place_.database()).run("SELECT exporter FROM flow_decoder_state").empty());
    unlock();
    pass(10s);
    EXPECT_EQ(PlainSqlite(place_.database()).run("SELECT exporter FROM flow_decoder_state"), "127.0.0.11");
}

TEST_F(FlowTroubleTest, ASilentRouterIsToldOnceAndSoIsItsReturn) {
    listed("127.0.0.11");
    listed("127.0.0.12");
    start();
    const auto sends = [&](const char* router) {
        send(router, FlowFormat::kNetflow9, 1, {flow(kTarget)});
        pass(6s);
    };
    sends("127.0.0.11");
    sends("127.0.0.12");
    for (int i = 0; i < 30; ++i) {
        pass(1min);
        sends("127.0.0.11");
    }
    auto texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("A router sends no flows"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("edge 12 (127.0.0.12)"), std::string::npos) << texts[0];
    EXPECT_EQ(texts[0].find("127.0.0.11"), std::string::npos) << texts[0];
    sends("127.0.0.12");
    pass(6s);
    texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("All routers send flows again"), std::string::npos) << texts[0];
}

TEST_F(FlowTroubleTest, ANewRouterHasTenMinutes) {
    start();
    for (int i = 0; i < 15; ++i) pass(1min);
    listed("127.0.0.12");
    follow_rules();
    for (int i = 0; i < 8; ++i) turn_minute();
    EXPECT_TRUE(told().empty());
    for (int i = 0; i < 5; ++i) turn_minute();
    EXPECT_EQ(count(told(), "A router sends no flows"), 1U);
}

TEST_F(FlowTroubleTest, TheDatabaseHearsWhichExportersStillSend) {
    start();
    send("127.0.0.11", FlowFormat::kNetflow9, 1, {flow(kTarget)});
    send("127.0.0.12", FlowFormat::kNetflow9, 1, {flow(kTarget)});
    pass(6s);
    const auto seen = [&](const char* exporter) {
        return PlainSqlite(place_.database())
            .run(std::string("SELECT seen_at FROM flow_decoder_state WHERE exporter = '") + exporter + "'");
    };
    const std::string first = seen("127.0.0.11");
    for (int i = 0; i < 130; ++i) {
        pass(1min);
        send("127.0.0.11", FlowFormat::kNetflow9, 1, {flow(kTarget)});
        pass(6s);
    }
    EXPECT_GT(seen("127.0.0.11"), first);
    EXPECT_EQ(seen("127.0.0.12").substr(0, 16), first.substr(0, 16));
}

}  // namespace
}  // namespace cam::app
