// Routers that were exporting and no longer do, as far as ClickHouse tells.

#include "judge_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kOne = "127.0.0.11";
constexpr const char* kOther = "127.0.0.12";

class SilentRouterTest : public JudgeTest {
protected:
    /// Two listed routers, and a rule.
    void begin() {
        list("edge 11", kOne);
        list("edge 12", kOther);
        add("web", {"185.54.80.0/22"}, 100'000'000);
        start();
        turn_minute();
    }
    void send(WallTime at, const std::string& router) {
        receive(at, record("203.0.113.9", 40, 1), "here/0", router);
    }
    /// A minute in which each of them sends, beyond its end too.
    void minute_by(const std::vector<std::string>& routers) {
        for (const std::string& router : routers) {
            send(now() + 30s, router);
            send(now() + 1min + 2s, router);
        }
        write();
        turn_minute();
    }
    void minutes_by(int count, const std::vector<std::string>& routers) {
        for (int i = 0; i < count; ++i) minute_by(routers);
    }
    double silent() { return metrics_.gauge("cam_flow_silent_routers", "").value(); }
};

TEST_F(SilentRouterTest, ARouterThatFallsSilentIsToldOnceAndSoIsItsReturn) {
    begin();
    minutes_by(3, {kOne, kOther});
    minutes_by(8, {kOne});
    EXPECT_TRUE(told().empty()) << "not for ten minutes yet";
    minutes_by(20, {kOne});
    auto texts = told();
    ASSERT_EQ(texts.size(), 1U) << book_.text();
    EXPECT_NE(texts[0].find("A router sends no flows"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("edge 12 (127.0.0.12)"), std::string::npos) << texts[0];
    EXPECT_EQ(texts[0].find(kOne), std::string::npos) << texts[0];
    EXPECT_EQ(silent(), 1);
    EXPECT_EQ(board_.in_clickhouse()->silent, std::vector<std::string>{"edge 12 (127.0.0.12)"});
    minutes_by(2, {kOne, kOther});
    texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("All routers send flows again"), std::string::npos) << texts[0];
    EXPECT_EQ(silent(), 0);
    EXPECT_TRUE(board_.in_clickhouse()->silent.empty());
}

TEST_F(SilentRouterTest, ARestartTellsASilentRouterNotAgainButItsReturn) {
    begin();
    minutes_by(14, {kOne});
    EXPECT_EQ(count(told(), "A router sends no flows"), 1U) << "never heard, though listed";
    start();
    minutes_by(15, {kOne});
    EXPECT_TRUE(told().empty());
    start();
    minutes_by(13, {kOne, kOther});
    const auto texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("All routers send flows again"), std::string::npos) << texts[0];
}

TEST_F(SilentRouterTest, WhenNothingArrivesAtAllThatIsToldAndNotOfEachRouter) {
    begin();
    minutes_by(12, {kOne, kOther});
    for (int i = 0; i < 25; ++i) turn_minute();
    const auto texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("No flows arrive"), std::string::npos) << texts[0];
    EXPECT_EQ(silent(), 0);
}

TEST_F(SilentRouterTest, WhileClickHouseIsAwayNoRouterIsCalledSilent) {
    begin();
    minutes_by(12, {kOne, kOther});
    EXPECT_TRUE(board_.in_clickhouse());
    engine->kill();
    for (int i = 0; i < 30; ++i) turn_minute();
    EXPECT_FALSE(board_.in_clickhouse()) << "what was heard before is not the last half hour";
    engine->start();
    // The collector of one has written already when the judge asks, that of the other has not.
    minutes_by(4, {kOne});
    minutes_by(4, {kOne, kOther});
    const auto texts = told();
    EXPECT_EQ(count(texts, "Traffic cannot be read from ClickHouse"), 1U);
    EXPECT_EQ(count(texts, "ClickHouse answers again"), 1U);
    EXPECT_EQ(texts.size(), 2U) << book_.text();
}

TEST_F(SilentRouterTest, MinutesThatAreStillCaughtUpMakeNoRouterSilent) {
    begin();
    minutes_by(12, {kOne, kOther});
    life_ = {};
    const MinuteTime down = now();
    clock_.advance(60min);
    for (auto at = down; at < now(); at += 1min) send(at + 30s, kOne);
    write();
    start();
    // What the other one sent meanwhile comes late, three minutes of it in each.
    for (auto at = down; at < now(); at += 3min) {
        for (int i = 0; i < 3; ++i) send(at + std::chrono::minutes{i} + 30s, kOther);
        minute_by({kOne});
    }
    minutes_by(8, {kOne, kOther});
    EXPECT_TRUE(told().empty()) << book_.text();
}

TEST_F(SilentRouterTest, ACollectorWhoseClockIsSetBackMakesNoRouterSilent) {
    begin();
    const auto sends = [this](std::chrono::minutes ahead, int records) {
        for (int i = 0; i < records; ++i)
            receive(now() + ahead + 30s, record("203.0.113.9", 40, 1), "there/0", kOther);
        minute_by({kOne});
    };
    for (int i = 0; i < 52; ++i) sends(20min, 5);
    for (int i = 0; i < 18; ++i) sends(0min, 1);  // less than falls out of half an hour
    EXPECT_EQ(count(told(), "A router sends no flows"), 0U) << book_.text();
    minutes_by(13, {kOne});
    EXPECT_EQ(count(told(), "edge 12 (127.0.0.12)"), 1U) << "silent in truth";
}

TEST_F(SilentRouterTest, WhenOurOwnClockIsSetBackASilentRouterIsNotHeardAgain) {
    begin();
    minutes_by(3, {kOne, kOther});
    minutes_by(38, {kOne});
    EXPECT_EQ(count(told(), "A router sends no flows"), 1U);
    clock_.turn_wall(-30min);
    minutes_by(20, {kOne});
    EXPECT_EQ(silent(), 1);
    EXPECT_EQ(count(told(), "All routers send flows again"), 0U) << book_.text();
}

TEST_F(SilentRouterTest, ANewRouterHasTenMinutes) {
    begin();
    minutes_by(14, {kOne, kOther});
    list("edge 13", "127.0.0.13");
    minutes_by(8, {kOne, kOther});
    EXPECT_TRUE(told().empty());
    minutes_by(5, {kOne, kOther});
    EXPECT_EQ(count(told(), "edge 13 (127.0.0.13)"), 1U);
}

TEST_F(SilentRouterTest, ForgedSendersNeverPushOutAListedRouter) {
    begin();
    send(now() + 1s, kOne);
    for (int i = 0; i < 50; ++i) send(now() + 30s, "198.51.100." + std::to_string(i));
    send(now() + 40s, "2001:db8::1");
    write();
    turn_minute();
    clickhouse::MinuteReader reader(*life_.client);
    const auto senders = must(reader.senders(now() - 5min, 3, {}));
    ASSERT_EQ(senders.size(), 3U);
    EXPECT_EQ(senders[0].exporter.text(), kOne);
    EXPECT_EQ(senders[1].exporter.text(), "2001:db8::1") << "then the one heard last";
    EXPECT_EQ(senders[1].records, 1U);
    EXPECT_EQ(senders[1].newest, WallTime{now() - 1min} + 40s);
}

}  // namespace
}  // namespace cam::app
