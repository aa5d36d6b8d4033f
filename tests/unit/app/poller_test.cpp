#include "app/poller.h"

#include <string>
#include <vector>

#include "unit/app/poller_fixture.h"

namespace cam::app {
namespace {

TEST_F(PollerTest, BeginsWithTheLookbackWindow) {
    add_at(true_time() - 15min);
    add_at(true_time() - 16min, {{"attackId", "too old"}});
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.span, (TimeWindow{true_time() - 15min, true_time()}));
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(claimed_to(), true_time());
    EXPECT_EQ(polls("done"), 1U);
    EXPECT_EQ(events("claimed"), 1U);
    EXPECT_EQ(site_.book.count("catching up"), 0U);
}

// B1, B4: an event and its message are written down together, on a database that did not exist before.
TEST_F(PollerTest, TellsAnEventOnceWithAllThatIsKnownOfIt) {
    add();
    EXPECT_EQ(poll().queued, 1U);
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "attack-1")) << texts[0];
    EXPECT_TRUE(has(texts[0], "Pābna, Bangladesh (BD)")) << texts[0];
    EXPECT_TRUE(has(texts[0], "AS137959 - Vision Technologies Ltd.")) << texts[0];
    EXPECT_TRUE(has(texts[0], "_GeoIP: Commercial_")) << texts[0];
    site_.clock.advance(5min);
    const PollReport again = poll();
    EXPECT_EQ(again.fresh, 0U);
    EXPECT_EQ(again.duplicates, 1U) << "the lookback window shows it again";
    EXPECT_TRUE(told().empty());
    restart();
    EXPECT_EQ(poll().duplicates, 1U);
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(events("duplicate"), 2U);
}

// B5: downtime longer than the lookback lost events for good.
TEST_F(PollerTest, GoesOnAfterAnOutageWhereItStopped) {
    poll();
    const WallTime stopped = *claimed_to();
    for (int hour = 0; hour < 5; ++hour) {
        site_.clock.advance(1h);
        add({{"attackId", fmt::format("hour-{}", hour)}});
    }
    restart();
    const PollReport report = poll();
    EXPECT_EQ(report.span.from, stopped - 10min) << "with the overlap that late rows need";
    EXPECT_EQ(report.span.to, true_time());
    EXPECT_EQ(report.fresh, 5U);
    EXPECT_EQ(site_.book.count(
                  "info catching up gap=\"5 h\" claimed_to=2026-01-20T09:00:00Z from=2026-01-20T08:50:00Z"),
              1U)
        << site_.book.text();
    site_.clock.advance(5min);
    poll();
    EXPECT_EQ(site_.book.count("catching up"), 1U) << "a gap is reported once";
}

TEST_F(PollerTest, FindsARowThatAppearsLate) {
    poll();
    add_at(true_time() - 2min, {{"attackId", "late"}});
    site_.clock.advance(5min);
    EXPECT_EQ(poll().fresh, 1U);
}

TEST_F(PollerTest, CatchesUpNoFurtherThanItMay) {
    struct Case {
        std::chrono::hours catch_up;
        std::chrono::minutes from;  ///< before now
        const char* not_covered;
    };
    for (const Case& one : {Case{24h, 24h, "not_covered=\"6 h\""}, Case{0h, 15min, "not_covered=\"1 d 5 h\""},
                            Case{2'160h, 30h + 10min, "not_covered=\"0 s\""}}) {
        options_.catch_up = one.catch_up;
        restart();
        poll();
        site_.clock.advance(30h);
        site_.book.forget();
        EXPECT_EQ(poll().span.from, true_time() - one.from) << one.catch_up.count() << " h";
        EXPECT_EQ(site_.book.count(one.not_covered), 1U) << site_.book.text();
    }
}

// What lies between two polls is no outage, whatever catch_up_hours says.
TEST_F(PollerTest, LeavesOutNothingBetweenTwoPollsHoweverFarApart) {
    struct Case {
        std::chrono::seconds interval;
        std::chrono::hours catch_up;
    };
    for (const Case& one : {Case{5min, 0h}, Case{24h, 24h}, Case{2h, 1h}}) {
        options_.poll_interval = one.interval;
        options_.lookback = 1min;
        options_.catch_up = one.catch_up;
        restart();
        poll();
        const auto before = claimed_to();
        site_.clock.advance(one.interval + 4min);  // the poll before began late
        const PollReport report = poll();
        EXPECT_LE(report.span.from, *before - 2min) << one.interval.count() << " s";
    }
}

TEST_F(PollerTest, AsksNotBeyondWhatTheAccountKeeps) {
    site_.world.set_limits({.not_older_than_seconds = 7'200});
    poll();
    site_.clock.advance(30h);
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.span.from, true_time() - 2h);
    EXPECT_EQ(site_.book.count("not_covered=\"1 d 4 h\""), 1U) << site_.book.text();
    EXPECT_EQ(site_.world.requests(Target::kGraphql).back().status, 200);
}

// B6: an error was an empty list and the poll a success.
TEST_F(PollerTest, MakesNoProgressWithAPollThatFailed) {
    poll();
    const auto before = claimed_to();
    for (int i = 0; i < 5; ++i) {
        site_.clock.advance(5min);
        add({{"attackId", fmt::format("during-{}", i)}});
        site_.world.set_faults({Fault::status(503).on(Target::kGraphql)});
        const PollReport report = poll();
        EXPECT_EQ(report.outcome, Outcome::kFailed);
        EXPECT_TRUE(has(report.why, "503")) << report.why;
        EXPECT_EQ(claimed_to(), before);
    }
    EXPECT_EQ(polls("failed"), 5U);
    site_.world.clear_faults();
    EXPECT_EQ(poll().fresh, 5U) << "nothing is lost";
}

TEST_F(PollerTest, KeepsWhatWasAnsweredBeforeAFailure) {
    site_.world.set_limits({.max_duration_seconds = 300});
    const WallTime from = true_time() - 15min;
    for (int i = 0; i < 3; ++i) {
        add_at(from + std::chrono::minutes{i * 5 + 1}, {{"attackId", fmt::format("third-{}", i)}});
    }
    site_.world.add_fault(Fault::status(503).on(Target::kGraphql).skipping(2).times(1));
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kFailed);
    EXPECT_EQ(report.fresh, 2U);
    EXPECT_EQ(claimed_to(), from + 10min);
    EXPECT_EQ(told().size(), 2U) << "what is known is told";
    EXPECT_EQ(poll().fresh, 1U);
    EXPECT_EQ(claimed_to(), true_time());
}

TEST_F(PollerTest, RepeatsWithinOnePollWhatMayPass) {
    options_.patience = 4min;
    add();
    site_.world.add_fault(Fault::status(503).on(Target::kGraphql).times(3));
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(site_.metrics.counter("cam_cloudflare_retries_total", "").value(), 3U);
}

TEST_F(PollerTest, SaysThatItWasCancelled) {
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(poll(stop.get_token()).outcome, Outcome::kCancelled);
    EXPECT_EQ(polls("cancelled"), 1U);
    EXPECT_EQ(claimed_to(), std::nullopt);
    EXPECT_TRUE(told().empty()) << "nothing is wrong";
}

// B29: the local clock was believed, right or wrong.
TEST_F(PollerTest, MissesAndRepeatsNothingWhenTheWallClockIsTurned) {
    std::uint64_t fresh = 0;
    int added = 0;
    const auto five_minutes = [&](std::chrono::milliseconds turn) {
        for (int i = 0; i < 5; ++i) {
            site_.clock.advance(1min);
            add({{"attackId", fmt::format("e-{}", added++)}});
        }
        site_.clock.turn_wall(turn);
        const PollReport report = poll();
        EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
        fresh += report.fresh;
    };
    for (const std::chrono::milliseconds turn :
         {0ms, 0ms, std::chrono::milliseconds{-1h}, 0ms, std::chrono::milliseconds{1h}, 0ms,
          std::chrono::milliseconds{1h}, 0ms, std::chrono::milliseconds{-1h}, 0ms,
          std::chrono::milliseconds{-10min}, 0ms, std::chrono::milliseconds{10min}, 0ms}) {
        five_minutes(turn);
    }
    EXPECT_EQ(fresh, static_cast<std::uint64_t>(added));
    EXPECT_EQ(told().size(), static_cast<std::size_t>(added)) << "each event once";
}

TEST_F(PollerTest, CatchesUpInFullWhereTheStoredProgressLiesInTheFuture) {
    ASSERT_TRUE(process().store->claim({}, true_time() + 72h, true_time(), nullptr));
    add_at(true_time() - 20h);
    const PollReport report = poll();
    EXPECT_EQ(report.span.from, true_time() - 24h);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(claimed_to(), true_time()) << "and lies there no more";
    EXPECT_EQ(site_.book.count("warning stored progress lies in the future"), 1U) << site_.book.text();
    site_.clock.advance(5min);
    EXPECT_EQ(poll().span.from, true_time() - 15min);
}

TEST_F(PollerTest, FollowsCloudflaresClockWhereOursIsWrong) {
    const auto tell_date = [&] {
        const auto second = std::chrono::floor<std::chrono::seconds>(true_time());
        const std::string text = rfc3339(second);  // 2026-01-20T09:05:00Z
        site_.world.set_faults(
            {Fault::chunked()
                 .on(Target::kGraphql)
                 .with_header("Date", fmt::format("Tue, 20 Jan 2026 {} GMT", text.substr(11, 8)))});
    };
    site_.clock.turn_wall(-1h);
    add();
    tell_date();
    PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.span, (TimeWindow{true_time() - 15min, true_time()}));
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(report.rows, 1U) << "the window that our clock meant does not count";
    EXPECT_EQ(claimed_to(), true_time());
    EXPECT_TRUE(process().conditions.wrong(Condition::kClock));
    std::vector<std::string> status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "This machine's clock is wrong")) << status[0];
    EXPECT_TRUE(has(status[0], "1 h behind Cloudflare's")) << status[0];

    // The header has whole seconds, so the difference seems to change a little at each poll.
    for (const auto pause :
         {std::chrono::milliseconds{5min} + 300ms, std::chrono::milliseconds{5min} + 400ms}) {
        site_.clock.advance(pause);
        tell_date();
        const std::size_t before = site_.world.requests(Target::kGraphql).size();
        report = poll();
        EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
        EXPECT_EQ(site_.world.requests(Target::kGraphql).size(), before + 1)
            << "known by now: one question suffices";
        EXPECT_TRUE(told(MessageKind::kStatus).empty());
    }

    site_.clock.turn_wall(1h);
    site_.clock.advance(5min - 700ms);
    tell_date();
    EXPECT_EQ(poll().outcome, Outcome::kDone);
    status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "clock is right again")) << status[0];
}

TEST(PollGapTest, IsAPauseLongerThanTheRhythmOfPollingExplains) {
    const WallTime now = FakeClock::kStart;
    EXPECT_FALSE(poll_gap(std::nullopt, now, 300s, 15min, 24h)) << "never polled before";
    EXPECT_FALSE(poll_gap(now - 15min, now, 300s, 15min, 24h));
    EXPECT_FALSE(poll_gap(now + 1h, now, 300s, 15min, 24h));
    EXPECT_FALSE(poll_gap(now - 24h, now, 86'400s, 15min, 24h)) << "polled once a day";
    const auto gap = poll_gap(now - 30h, now, 300s, 15min, 24h);
    ASSERT_TRUE(gap);
    EXPECT_EQ(gap->length, 30h);
    EXPECT_EQ(gap->resumed_from, now - 24h);
    EXPECT_EQ(gap->not_covered, 6h);
    const auto covered = poll_gap(now - 5h, now, 300s, 15min, 24h);
    ASSERT_TRUE(covered);
    EXPECT_EQ(covered->resumed_from, now - 5h);
    EXPECT_EQ(covered->not_covered, 0ms);
    EXPECT_EQ(poll_gap(now - 1h, now, 300s, 15min, 0h)->not_covered, 45min);
}

}  // namespace
}  // namespace cam::app
