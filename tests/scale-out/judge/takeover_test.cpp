// A second judge: the table of docs/scale-out-judge.md, cell by cell, and two that run at once.

#include "judge_fixture.h"

namespace cam::app {
namespace {

constexpr const char* kPrefix = "185.54.80.0/22";
constexpr const char* kLater = "198.51.100.0/24";
constexpr std::uint64_t kMbit = 1'000'000;

class TakeoverTest : public JudgeTest {
protected:
    /// The other machine: the first judge is certainly stopped.
    void take_over(const std::string& file) {
        life_ = {};
        use_file(file);
        start();
        for (int i = 0; i < 5; ++i) step();
    }
    void watch_usual_traffic() {
        Rule rule;
        rule.name = "unusual";
        rule.type = RuleType::kZscore;
        rule.prefixes = {prefix(kPrefix)};
        rule.zscore_sensitivity = Sensitivity::kHigh;
        rule.zscore_target = ZscoreTarget::kBits;
        ASSERT_TRUE(operators().create_rule(rule, clock_.wall()));
    }
    void usual_minutes(int count) {
        for (int i = 0; i < count; ++i) minute_of(i % 2 == 0 ? 19 : 21);
    }
    /// The judge ends; whole minutes of so many Mbit/s to the watched host go by. When they began.
    MinuteTime minutes_without_a_judge(const std::vector<double>& mbps) {
        const MinuteTime begin = now();
        life_ = {};
        MinuteTime minute = begin;
        for (const double rate : mbps) {
            const auto bytes = static_cast<std::uint64_t>(rate * 7.5e6);
            receive(minute + 5s, record("185.54.82.4", bytes, 1'000));
            minute += 1min;
        }
        receive(minute + 2s, record("203.0.113.9", 40, 1));
        write();
        clock_.advance(minute - begin);
        return begin;
    }
    std::string counted(const std::string& what) {
        return ask(
            "SELECT count() FROM flows.plan_prefixes WHERE generation = (SELECT max(generation) FROM "
            "flows.plans) AND prefix = '" +
            what + "'");
    }
    static const Alert& started_at(const std::vector<Alert>& all, MinuteTime minute) {
        const auto found = std::find_if(all.begin(), all.end(),
                                        [&](const Alert& one) { return one.started_at == WallTime{minute}; });
        EXPECT_NE(found, all.end());
        return found == all.end() ? all.front() : *found;
    }
};

TEST_F(TakeoverTest, ACopyOfSomeMinutesAgoRepeatsWhatWasToldSinceWithTheSameFiguresAndMissesNothing) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    const MinuteTime first = now();
    minute_of(200);
    EXPECT_EQ(told().size(), 1U);
    const std::string copy = backup("copy.db");
    minute_of(10);   // the one of the copy ends
    minute_of(300);  // another begins
    minute_of(10);   // and ends
    minute_of(400);  // and one that goes on
    add("later", {kLater}, 100 * kMbit);
    pass(2s);
    EXPECT_EQ(told().size(), 4U);
    EXPECT_EQ(counted(kLater), "1");
    const std::vector<Alert> before = alerts();
    ASSERT_EQ(before.size(), 3U);

    // Nobody judges for two minutes: an alert of that time is not missed.
    const MinuteTime gap = minutes_without_a_judge({10, 500});
    take_over(copy);
    const auto texts = told();
    EXPECT_EQ(texts.size(), 6U) << "an end, a start and an end, a start: told before; an end, a start: new";
    EXPECT_EQ(count(texts, "TRAFFIC ALERT ENDED"), 3U);
    const std::vector<Alert> after = alerts();
    ASSERT_EQ(after.size(), 4U) << book_.text();
    EXPECT_EQ(started_at(after, first).id, started_at(before, first).id) << "the copy knew it";
    EXPECT_EQ(started_at(after, first).ended_at, WallTime{first + 1min});
    for (const MinuteTime start : {first + 2min, first + 4min}) {
        EXPECT_NE(started_at(after, start).id, started_at(before, start).id);
        EXPECT_EQ(started_at(after, start).crossing.value, started_at(before, start).crossing.value);
        EXPECT_EQ(started_at(after, start).peak.bits_per_second,
                  started_at(before, start).peak.bits_per_second);
    }
    EXPECT_EQ(started_at(after, gap + 1min).peak.bits_per_second, 500e6);
    EXPECT_EQ(counted(kPrefix), "1");
    EXPECT_EQ(counted(kLater), "0") << "rules and routers are those of the copy";
    take_over(copy);
    EXPECT_TRUE(told().empty()) << "from here on it is its own file";
}

TEST_F(TakeoverTest, ACopyOfSomeMinutesAgoReadsBaselinesBackFromClickHouse) {
    watch_usual_traffic();
    start();
    turn_minute();
    usual_minutes(40);
    const std::string copy = backup("copy.db");
    usual_minutes(2);
    EXPECT_TRUE(told().empty());
    take_over(copy);
    EXPECT_TRUE(told().empty());
    minute_of(400);
    ASSERT_EQ(active().size(), 1U) << book_.text();
    ASSERT_TRUE(active().front().crossing.baseline);
    EXPECT_NEAR(*active().front().crossing.baseline, 20e6, 1e6);
    EXPECT_EQ(told().size(), 1U);
}

TEST_F(TakeoverTest, WithoutAFileWhatIsActiveIsToldAgainAndWhatBeganAndEndedMeanwhileIsMissed) {
    add("web", {kPrefix}, 100 * kMbit);
    list("edge", "127.0.0.11");
    start();
    turn_minute();
    minute_of(200);
    EXPECT_EQ(told().size(), 1U);
    minutes_without_a_judge({10, 300, 10});
    take_over(folder_.file("fresh.db"));
    EXPECT_TRUE(operators().rules()->empty());
    EXPECT_TRUE(operators().routers()->empty());
    minute_of(200);
    EXPECT_TRUE(told().empty()) << "no rules, no alerts; and no end of those that it does not know";
    EXPECT_EQ(counted(kPrefix), "1") << "what was counted is counted on until rules are made anew";
    EXPECT_EQ(book_.count("this database has no rules"), 1U);
    add("web", {kPrefix}, 100 * kMbit);
    pass(2s);
    minute_of(200);
    minute_of(200);
    ASSERT_EQ(active().size(), 1U) << book_.text();
    auto texts = told();
    ASSERT_EQ(texts.size(), 1U) << "told again, as it crosses";
    EXPECT_NE(texts[0].find("200.00 Mbps"), std::string::npos) << texts[0];
    minute_of(10);
    EXPECT_EQ(count(told(), "TRAFFIC ALERT ENDED"), 1U);
    EXPECT_EQ(alerts().size(), 1U) << "what was over before is missed";
}

TEST_F(TakeoverTest, WithoutAFileRulesThatAreMadeAnewFindTheirBaselinesInClickHouse) {
    watch_usual_traffic();
    start();
    turn_minute();
    usual_minutes(40);
    take_over(folder_.file("fresh.db"));
    usual_minutes(2);
    watch_usual_traffic();
    pass(2s);
    usual_minutes(2);
    EXPECT_TRUE(told().empty());
    minute_of(400);
    ASSERT_EQ(active().size(), 1U) << book_.text();
    EXPECT_NEAR(active().front().crossing.baseline.value_or(0), 20e6, 1e6);
}

TEST_F(TakeoverTest, WithoutAFileRoutersAndRulesComeBackInAnyOrderAndNothingIsCountedLess) {
    add("web", {kPrefix}, 100 * kMbit);
    add("later", {kLater}, 100 * kMbit);
    start();
    turn_minute();
    take_over(folder_.file("fresh.db"));
    list("edge", "127.0.0.11");
    pass(2s);
    EXPECT_EQ(ask("SELECT count() FROM flows.plan_routers WHERE generation = (SELECT max(generation) FROM "
                  "flows.plans)"),
              "1");
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11") << "routers first";
    start();
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11") << "a restart with routers only";
    add("web", {kPrefix}, 100 * kMbit);
    pass(2s);
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11") << "the first of two rules";
    start();
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11") << "a restart with the first of two rules";
    EXPECT_EQ(told().size(), 0U);
    clock_.advance(23h);
    start();
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11");
    for (int i = 0; i < 2; ++i) pass(40min);
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "10") << "a day after the first rule, the rules' only";
    start();
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "10");
}

TEST_F(TakeoverTest, RulesThatAreDeletedAreNotCountedOn) {
    const Rule web = add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    EXPECT_TRUE(operators().remove_rule(web.id));
    pass(2s);
    EXPECT_EQ(counted(kPrefix), "0");
    start();
    add("later", {kLater}, 100 * kMbit);
    pass(2s);
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "01");
}

TEST_F(TakeoverTest, AClickHouseThatLostItsPlansGetsTheRulesAgain) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    const std::string before = ask("SELECT max(generation) FROM flows.plans");
    add("later", {kLater}, 100 * kMbit);
    pass(2s);
    const auto look_twice = [this] {
        for (int i = 0; i < 2; ++i) pass(61s);
    };
    ask("ALTER TABLE flows.plans DELETE WHERE generation > " + before + " SETTINGS mutations_sync = 2");
    EXPECT_EQ(counted(kLater), "0") << "restored from a backup";
    pass(61s);
    EXPECT_EQ(counted(kLater), "0") << "it may have been a replica that lags";
    pass(61s);
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11") << book_.text();
    EXPECT_EQ(book_.count("ClickHouse has lost the rules of this daemon"), 1U) << book_.text();
    ask("TRUNCATE TABLE flows.plans");
    look_twice();
    EXPECT_EQ(counted(kPrefix) + counted(kLater), "11") << book_.text();
    look_twice();
    EXPECT_EQ(book_.count("ClickHouse has lost the rules of this daemon"), 2U);
    EXPECT_EQ(book_.count("another daemon judges"), 0U);
}

TEST_F(TakeoverTest, ALookForTheRulesInForceEndsWhenStopped) {
    start();
    clickhouse::PlanWriter writer(*life_.client, "");
    ASSERT_TRUE(writer.generation({}));
    std::stop_source stop;
    stop.request_stop();
    engine->pause();
    const auto found = writer.generation(stop.get_token());
    engine->go_on();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::kCancelled);
}

TEST_F(TakeoverTest, AJudgeThatSeesAnothersRulesSaysSoLoudlyOnceAndGoesOnJudging) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    minute_of(10);
    const std::string own = store_options().path;
    const std::string copy = backup("copy.db");
    Life first = std::move(life_);
    life_ = {};
    use_file(copy);
    start();
    Life second = std::move(life_);
    use_file(own);
    life_ = std::move(first);
    for (int i = 0; i < 5; ++i) minute_of(i == 2 ? 200 : 10);
    EXPECT_TRUE(life_.conditions->wrong(Condition::kSecondJudge));
    EXPECT_FALSE(second.conditions->wrong(Condition::kSecondJudge)) << "its rules are in force";
    auto texts = told();
    EXPECT_EQ(count(texts, "Another daemon judges on the same ClickHouse"), 1U);
    EXPECT_EQ(count(texts, "TRAFFIC ALERT"), 2U) << "START and END are told all the same";
    EXPECT_EQ(texts.size(), 3U);
    EXPECT_EQ(book_.count("error another daemon judges"), 1U) << book_.text();
    // The other one is stopped, this one is restarted.
    second = {};
    start();
    minute_of(10);
    minute_of(10);
    EXPECT_FALSE(life_.conditions->wrong(Condition::kSecondJudge));
    texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_NE(texts[0].find("The rules of this daemon are in force on ClickHouse"), std::string::npos);
}

TEST_F(TakeoverTest, TheOwnChangesOfRulesAreNobodyElses) {
    add("web", {kPrefix}, 100 * kMbit);
    start();
    turn_minute();
    for (int i = 0; i < 3; ++i) {
        add("rule " + std::to_string(i), {kLater}, 100 * kMbit);
        pass(2s);
        minute_of(10);
    }
    start();
    minute_of(10);
    minute_of(10);
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(book_.count("another daemon judges"), 0U);
}

}  // namespace
}  // namespace cam::app
