// What a poll does where Cloudflare, the database or GeoIP is in trouble.

#include <string>
#include <vector>

#include "unit/app/poller_fixture.h"

namespace cam::app {
namespace {

TEST_F(PollerTest, LogsEachKindOfFailureInItsOwnWordsAndPeaceInOthers) {
    poll();
    site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
    poll();
    site_.world.set_faults({Fault::accounts_empty().on(Target::kGraphql)});
    poll();
    site_.world.set_faults({Fault::data_null().on(Target::kGraphql)});
    poll();
    site_.world.set_faults({Fault::node_missing().on(Target::kGraphql)});
    poll();
    EXPECT_EQ(site_.book.count("info poll completed: no mitigation events"), 1U) << site_.book.text();
    EXPECT_EQ(site_.book.count("error poll failed: cloudflare query failed kind=transient"), 1U);
    EXPECT_EQ(site_.book.count("error poll failed: cloudflare does not know the account"), 1U);
    EXPECT_EQ(site_.book.count("error poll failed: cloudflare answered without data"), 2U);
    EXPECT_EQ(polls("failed"), 4U);
    EXPECT_EQ(polls("done"), 1U);
    EXPECT_EQ(site_.book.text().find(site_.world.api_token()), std::string::npos);
}

// B6: 401 and 403 alerted nobody.
TEST_F(PollerTest, TellsARefusedTokenOnceOverPollsAndRestarts) {
    poll();
    site_.world.set_faults({Fault::status(401)});
    for (int i = 0; i < 3; ++i) {
        site_.clock.advance(5min);
        EXPECT_EQ(poll().outcome, Outcome::kFailed);
    }
    std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare refuses the query (unauthorized)")) << texts[0];
    EXPECT_TRUE(has(texts[0], "This is not peace")) << texts[0];
    EXPECT_FALSE(has(texts[0], site_.world.api_token()));
    restart();
    site_.clock.advance(5min);
    poll();
    EXPECT_TRUE(told().empty()) << "a restart is no news";
    site_.world.set_faults({Fault::status(403)});
    poll();
    EXPECT_EQ(told().size(), 1U) << "another refusal is";
    site_.world.clear_faults();
    restart();
    for (int i = 0; i < 2; ++i) {
        site_.clock.advance(5min);
        poll();
    }
    texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare answers again. What happened meanwhile is caught up")) << texts[0];
}

TEST_F(PollerTest, TellsAPassingOutageOnceAndOnlyAfterAQuarterOfAnHour) {
    poll();
    const std::vector<Fault> faces{
        Fault::status(503).on(Target::kGraphql), Fault::data_null().on(Target::kGraphql),
        Fault::hang_up().on(Target::kGraphql),   Fault::status(500).on(Target::kGraphql),
        Fault::status(504).on(Target::kGraphql), Fault::cut_json().on(Target::kGraphql)};
    for (std::size_t i = 0; i < faces.size(); ++i) {
        site_.clock.advance(5min);
        site_.world.set_faults({faces[i]});
        poll();
        EXPECT_EQ(told().size(), i == 3 ? 1U : 0U) << "fails for " << 5 * i << " minutes";
    }
    EXPECT_TRUE(process().conditions.wrong(Condition::kCloudflare));
    site_.clock.advance(30h);
    site_.world.clear_faults();
    poll();
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Not asked any more: 20/01/2026 09:00:00 UTC to 20/01/2026 15:30:00 UTC"))
        << texts[0];
}

// Cron without the daemon: each poll is a process of its own.
TEST_F(PollerTest, TellsAnOutageThatLastsAlsoWhereEachPollIsAProcess) {
    options_.polls = Polls::kOne;
    poll();
    site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
    for (int i = 1; i <= 6; ++i) {
        site_.clock.advance(5min);
        restart();
        poll();
        EXPECT_EQ(told().size(), i == 4 ? 1U : 0U) << "nothing was seen for " << 5 * i << " minutes";
    }
    site_.world.clear_faults();
    restart();
    poll();
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare answers again")) << texts[0];
}

// Two pieces of five minutes are the overlap, the third is new.
TEST_F(PollerTest, CallsNobodyBlindWhilePollsGetOn) {
    site_.world.set_limits({.max_duration_seconds = 300});
    poll();
    site_.clock.advance(5h);
    for (int i = 0; i < 8; ++i) {
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql).skipping(3)});
        const auto before = claimed_to();
        EXPECT_EQ(poll().outcome, Outcome::kFailed);
        EXPECT_EQ(claimed_to(), *before + 5min);
        site_.clock.advance(5min);
    }
    EXPECT_TRUE(told().empty());
    EXPECT_FALSE(process().conditions.wrong(Condition::kCloudflare));
}

// Every poll asks again for what was claimed shortly before: an answer to that alone is no sight.
TEST_F(PollerTest, TellsABlindnessWhereOnlyWhatIsKnownIsAnswered) {
    site_.world.set_limits({.max_duration_seconds = 300});
    poll();
    const auto before = claimed_to();
    for (int i = 0; i < 6; ++i) {
        site_.clock.advance(5min);
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql).skipping(2)});
        EXPECT_EQ(poll().outcome, Outcome::kFailed);
        EXPECT_EQ(claimed_to(), before);
        const std::vector<std::string> texts = told();
        ASSERT_EQ(texts.size(), i == 3 ? 1U : 0U) << "fails for " << 5 * i << " minutes";
        for (const auto& text : texts) EXPECT_TRUE(has(text, "Cloudflare does not answer")) << text;
    }
    site_.world.set_faults({Fault::status(503).on(Target::kGraphql).skipping(3)});
    poll();
    EXPECT_TRUE(told().empty()) << "a part is not the end of it";
    site_.world.clear_faults();
    poll();
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "Cloudflare answers again")) << texts[0];
}

TEST_F(PollerTest, CallsADaemonThatWasStoppedForHoursBlindOnlyAfterAQuarterOfAnHour) {
    poll();
    site_.clock.advance(5h);
    restart();
    site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
    for (int i = 0; i < 4; ++i) {
        poll();
        EXPECT_EQ(told().size(), i == 3 ? 1U : 0U) << "fails for " << 5 * i << " minutes";
        site_.clock.advance(5min);
    }
}

TEST_F(PollerTest, CallsADaemonThatIsHoursBehindBlindOnlyAfterAQuarterOfAnHour) {
    site_.world.set_limits({.max_duration_seconds = 300});
    poll();
    site_.clock.advance(10h);
    for (int i = 0; i < 4; ++i) {
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql).skipping(i % 2 == 0 ? 4 : 0)});
        EXPECT_EQ(poll().outcome, Outcome::kFailed);
        site_.clock.advance(5min);
    }
    EXPECT_TRUE(told().empty());
    EXPECT_FALSE(process().conditions.wrong(Condition::kCloudflare));
}

TEST_F(PollerTest, SaysNothingOfAShortOutage) {
    poll();
    for (int i = 0; i < 2; ++i) {
        site_.clock.advance(5min);
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
        poll();
        site_.clock.advance(5min);
        site_.world.clear_faults();
        poll();
    }
    EXPECT_TRUE(told().empty());
}

// B26: no busy handling; and where the database takes nothing, the SOC hears of it all the same.
TEST_F(PollerTest, TellsPastADatabaseThatCannotBeWritten) {
    process();
    PlainSqlite other(database());
    add();
    other.run("BEGIN IMMEDIATE");
    for (int i = 0; i < 3; ++i) {
        const PollReport report = poll();
        EXPECT_EQ(report.outcome, Outcome::kFailed);
        EXPECT_TRUE(has(report.why, "database: ")) << report.why;
        EXPECT_EQ(report.fresh, 0U);
    }
    std::deque<UnqueuedMessage> past = process().conditions.take_unqueued();
    ASSERT_EQ(past.size(), 1U) << "once";
    EXPECT_TRUE(has(past[0].message.text, "Database cannot be written")) << past[0].message.text;
    EXPECT_EQ(polls("failed"), 3U);
    EXPECT_EQ(events("claimed"), 0U);

    other.run("ROLLBACK");
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.fresh, 1U) << "nothing is lost";
    const std::vector<std::string> status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "Database is written again")) << status[0];
}

TEST_F(PollerTest, AsksForAllThatMayBeMissingWhereTheProgressIsUnreadable) {
    poll();
    const WallTime before = true_time();
    PlainSqlite(database()).run("UPDATE monitor_state SET value = 'garbage' WHERE key = 'claimed_to'");
    site_.clock.advance(3h);
    restart();
    add();
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_LE(report.span.from, before - 20h) << "catch_up_hours, not the lookback";
    EXPECT_EQ(claimed_to(), true_time()) << "good progress is written with the claim";
    EXPECT_EQ(site_.book.count("warning condition raised condition=progress"), 1U) << site_.book.text();
    poll();
    EXPECT_EQ(site_.book.count("info condition cleared condition=progress"), 1U) << site_.book.text();
    EXPECT_TRUE(told(MessageKind::kStatus).empty()) << "nobody must act";
}

// A table that is damaged itself is another thing.
TEST_F(PollerTest, FailsWhereTheDatabaseCannotBeRead) {
    poll();
    PlainSqlite(database()).run("ALTER TABLE monitor_state RENAME TO elsewhere");
    const std::size_t before = site_.http.asked.size();
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kFailed);
    EXPECT_TRUE(has(report.why, "monitor_state")) << report.why;
    EXPECT_EQ(site_.http.asked.size(), before) << "nobody is asked what cannot be written down";
    EXPECT_EQ(site_.book.count("error poll failed: database cannot be read"), 1U) << site_.book.text();
    EXPECT_EQ(process().conditions.take_unqueued().size(), 1U);
}

// B28: GeoIP databases were opened once, and their absence was silent.
TEST_F(PollerTest, TellsEventsWithoutGeoIpAndTakesADatabaseThatAppears) {
    geo_.city = {folder_.file("City.mmdb")};
    for (int i = 0; i < 2; ++i) {
        add({{"attackId", fmt::format("without-{}", i)}});
        EXPECT_EQ(poll().fresh, 1U);
        EXPECT_EQ(told(MessageKind::kEvent).size(), 1U);
        site_.clock.advance(5min);
    }
    EXPECT_TRUE(process().conditions.wrong(Condition::kGeoIp));
    EXPECT_EQ(site_.book.count("warning condition raised condition=geoip"), 1U) << site_.book.text();
    std::filesystem::copy_file(CAM_TEST_DATA "/geoip/GeoLite2-City.mmdb", folder_.file("City.mmdb"));
    add({{"attackId", "with"}});
    EXPECT_EQ(poll().fresh, 1U);
    EXPECT_FALSE(process().conditions.wrong(Condition::kGeoIp));
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U) << "GeoIP is the log's business";
    EXPECT_TRUE(has(texts[0], "Pābna")) << texts[0];
    EXPECT_EQ(site_.metrics.gauge("cam_geoip_failed_lookups", "").value(), 0);
}

}  // namespace
}  // namespace cam::app
