// Alerts from ClickHouse's minutes: late ones, silent ones, and a server that goes away.

#include "judge_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kPrefix = "185.54.80.0/22";
constexpr std::uint64_t kMbit = 1'000'000;

class ClickHouseJudgeTest : public JudgeTest {};

TEST_F(ClickHouseJudgeTest, AnAlertStartsAndEndsOnceWithTheRightFiguresAndItsSources) {
    add("web", {kPrefix}, 100 * kMbit, 2min);
    start();
    turn_minute();
    const MinuteTime first = now();
    minute_of(120);
    EXPECT_TRUE(told().empty());
    minute_of(200);
    ASSERT_EQ(active().size(), 1U) << book_.text();
    EXPECT_EQ(active().front().started_at, WallTime{first});
    EXPECT_EQ(active().front().raised_at, WallTime{first + 2min});
    EXPECT_EQ(active().front().crossing.value, 200e6);
    minute_of(300);
    minute_of(10);
    EXPECT_TRUE(active().empty());
    ASSERT_EQ(alerts().size(), 1U);
    EXPECT_EQ(alerts().front().ended_at, WallTime{first + 3min});
    EXPECT_EQ(alerts().front().peak.bits_per_second, 300e6);
    const auto texts = told();
    ASSERT_EQ(texts.size(), 2U);
    EXPECT_NE(texts[0].find("200.00 Mbps"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("103.118.76.0/24"), std::string::npos) << "not explained: " << texts[0];
    EXPECT_NE(texts[0].find("UDP/53"), std::string::npos) << texts[0];
    EXPECT_NE(texts[1].find("300.00 Mbps"), std::string::npos) << texts[1];
}

TEST_F(ClickHouseJudgeTest, ARuleIsCountedAndJudgedFromTheNextMinuteOn) {
    start();
    turn_minute();
    minute_of(500);
    add("web", {kPrefix}, 100 * kMbit);
    pass(2s);
    EXPECT_EQ(metrics_.counter("cam_clickhouse_plans_total", "").value(), 2U) << "written within a round";
    minute_of(500);  // the rest of the minute in which the rule was made
    EXPECT_TRUE(alerts().empty());
    minute_of(500);
    ASSERT_EQ(alerts().size(), 1U) << book_.text();
}

TEST_F(ClickHouseJudgeTest, AMinuteWaitsForASourceThatStaysBehindButNotForEver) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    const MinuteTime minute = now();
    receive(minute + 5s, record("203.0.113.9", 40, 1), "slow/0");
    receive(minute + 5s, record("203.0.113.9", 40, 1), "quick/0");
    receive(minute + 1min + 2s, record("203.0.113.9", 40, 1), "quick/0");
    write();
    turn_minute();
    EXPECT_EQ(windows("judged"), 0U) << "the other source may have more of it";
    receive(minute + 30s, record("185.54.82.4", 200 * kMbit * 60 / 8, 1'000), "slow/0");
    receive(minute + 1min + 3s, record("203.0.113.9", 40, 1), "slow/0");
    write();
    step();
    EXPECT_EQ(windows("judged"), 1U);
    EXPECT_EQ(alerts().size(), 1U);
    // Now it is dead.
    receive(minute + 2min + 2s, record("203.0.113.9", 40, 1), "quick/0");
    write();
    turn_minute();
    EXPECT_EQ(windows("judged"), 1U);
    pass(31s);
    EXPECT_EQ(windows("judged"), 2U);
}

TEST_F(ClickHouseJudgeTest, WhatArrivesLateIsJudgedAgainAndToldOnce) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    const MinuteTime first = now();
    for (int i = 0; i < 4; ++i) minute_of(10);
    EXPECT_TRUE(told().empty());
    receive(first + 1min + 20s, record("185.54.82.4", 400 * kMbit * 60 / 8, 1'000), "late/0");
    write();
    pass(11s);
    ASSERT_EQ(alerts().size(), 1U) << book_.text();
    EXPECT_EQ(alerts().front().started_at, WallTime{first + 1min});
    EXPECT_EQ(alerts().front().ended_at, WallTime{first + 2min});
    EXPECT_EQ(alerts().front().peak.bits_per_second, 410e6);
    auto texts = told();
    EXPECT_EQ(texts.size(), 2U) << "a start and an end";
    // More of the same, and of the newest minute: it goes on.
    receive(first + 1min + 21s, record("185.54.82.4", kMbit, 1), "late/0");
    receive(first + 3min + 20s, record("185.54.82.4", 400 * kMbit * 60 / 8, 1'000), "late/0");
    write();
    pass(11s);
    texts = told();
    EXPECT_EQ(texts.size(), 1U);
    ASSERT_EQ(active().size(), 1U);
    EXPECT_EQ(active().front().started_at, WallTime{first + 3min});
    EXPECT_EQ(windows("corrected"), 3U);
    minute_of(10);
    pass(31s);  // the late one is waited for again
    EXPECT_TRUE(active().empty());
    EXPECT_EQ(told().size(), 1U);
}

TEST_F(ClickHouseJudgeTest, SilenceIsToldOnceAndEndsNoAlert) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    minute_of(200);
    EXPECT_EQ(told().size(), 1U);
    for (int i = 0; i < 6; ++i) turn_minute();  // nothing arrives
    auto texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("No flows arrive"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("web: 185.54.80.0/22"), std::string::npos) << texts[0];
    EXPECT_EQ(active().size(), 1U) << "silence was taken for peace";
    minute_of(200);
    for (int i = 0; i < 2; ++i) pass(1s);
    EXPECT_EQ(active().size(), 1U);
    EXPECT_EQ(windows("not_collected"), 5U);
    EXPECT_EQ(windows("partial"), 1U) << "the minute in which it fell silent";
    texts = told();
    EXPECT_EQ(count(texts, "Flows arrive again"), 1U);
    EXPECT_EQ(texts.size(), 1U);
}

TEST_F(ClickHouseJudgeTest, AServerThatIsAwayIsToldOnceAndEveryMinuteIsJudgedOnceWhenItIsBack) {
    add("web", {kPrefix}, 100 * kMbit);
    add("idle", {"198.51.100.0/24"}, 100 * kMbit);
    start();
    turn_minute();
    minute_of(200);
    EXPECT_EQ(told().size(), 1U);
    const MinuteTime down = now();
    engine->kill();
    for (int i = 0; i < 20; ++i) pass(15s);
    auto texts = told();
    ASSERT_EQ(texts.size(), 1U) << "once";
    EXPECT_NE(texts[0].find("Traffic cannot be read from ClickHouse"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("web: 185.54.80.0/22"), std::string::npos) << texts[0];
    EXPECT_EQ(active().size(), 1U);
    EXPECT_EQ(metrics_.gauge("cam_clickhouse_up", "").value(), 0);
    engine->start();
    // What the collectors kept meanwhile.
    for (int i = 0; i < 5; ++i) {
        const double mbps = i == 1 || i == 2 ? 10 : 200;
        const auto bytes = static_cast<std::uint64_t>(mbps * 7.5e6);
        receive(down + std::chrono::minutes{i} + 9s, record("185.54.82.4", bytes, 1'000));
    }
    receive(down + 5min + 2s, record("203.0.113.9", 40, 1));
    write();
    for (int i = 0; i < 3; ++i) pass(21s);
    EXPECT_EQ(windows("judged"), 6U) << book_.text();
    texts = told();
    EXPECT_EQ(count(texts, "ClickHouse answers again"), 1U);
    EXPECT_EQ(texts.size(), 3U) << "and the alert ended and began again, as it did";
    ASSERT_EQ(alerts().size(), 2U);
    EXPECT_EQ(alerts()[1].ended_at, WallTime{down + 1min});
    EXPECT_EQ(alerts()[0].started_at, WallTime{down + 3min});
}

TEST_F(ClickHouseJudgeTest, AServerThatHangsIsLikeOneThatIsAway) {
    add("web", {kPrefix}, 100 * kMbit);
    start(500ms);
    turn_minute();
    minute_of(200);
    static_cast<void>(told());
    engine->pause();
    for (int i = 0; i < 4; ++i) pass(30s);
    EXPECT_EQ(told().size(), 1U);
    EXPECT_EQ(active().size(), 1U);
    engine->go_on();
    for (int i = 0; i < 3; ++i) pass(30s);
    EXPECT_EQ(count(told(), "ClickHouse answers again"), 1U);
}

TEST_F(ClickHouseJudgeTest, AProcessThatIsKilledTellsNothingTwiceAndTheNextMissesNothing) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    minute_of(200);
    EXPECT_EQ(told().size(), 1U);
    const MinuteTime killed = now();
    life_ = {};
    for (int i = 0; i < 4; ++i) {
        const double mbps = i == 2 ? 10 : 300;
        receive(killed + std::chrono::minutes{i} + 5s,
                record("185.54.82.4", static_cast<std::uint64_t>(mbps * 7.5e6), 1'000));
    }
    receive(killed + 4min + 2s, record("203.0.113.9", 40, 1));
    write();
    clock_.advance(4min + 5s);
    start();
    step();
    EXPECT_EQ(windows("judged"), 5U);
    ASSERT_EQ(alerts().size(), 2U) << book_.text();
    EXPECT_EQ(alerts()[1].ended_at, WallTime{killed + 2min});
    EXPECT_EQ(alerts()[0].started_at, WallTime{killed + 3min});
    EXPECT_EQ(told().size(), 2U) << "one ended, one started; the first start was told before";
    start();
    step();
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(windows("judged"), 5U);
}

TEST_F(ClickHouseJudgeTest, WhatCameLateWhileNobodyJudgedIsFoundByTheNextProcess) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    const MinuteTime first = now();
    for (int i = 0; i < 4; ++i) minute_of(i == 3 ? 200 : 10);
    EXPECT_EQ(told().size(), 1U);
    life_ = {};
    receive(first + 1min + 20s, record("185.54.82.4", 400 * kMbit * 60 / 8, 1'000), "late/0");
    write();
    clock_.advance(20s);
    start();
    step();
    const auto texts = told();
    EXPECT_EQ(texts.size(), 2U) << "start and end of what was missed; the active one is not told again";
    ASSERT_EQ(alerts().size(), 2U) << book_.text();
    EXPECT_EQ(alerts()[1].started_at, WallTime{first + 1min});
    EXPECT_EQ(alerts()[1].ended_at, WallTime{first + 2min});
    EXPECT_EQ(active().size(), 1U);
    EXPECT_EQ(windows("judged"), 4U);
}

}  // namespace
}  // namespace cam::app
