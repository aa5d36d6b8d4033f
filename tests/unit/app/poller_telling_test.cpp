// What a poll tells, and of what.

#include <string>
#include <vector>

#include "unit/app/poller_fixture.h"

namespace cam::app {
namespace {

// B27: the preference file was read for every event and its errors were swallowed.
TEST_F(PollerTest, ReadsThePreferencesAtEachPollAndWarnsOnce) {
    const auto poll_anycast = [&](const char* id) {
        site_.clock.advance(5min);
        add({{"attackId", id}, {"ipDestinationAddress", "162.159.1.1"}});
        return poll();
    };
    EXPECT_EQ(poll_anycast("a").foreign, 1U);
    prefer(R"({"my_prefixes_only": false})");
    EXPECT_EQ(poll_anycast("b").fresh, 2U) << "also the one before: it is still in the window";
    std::filesystem::remove(folder_.file("dashboard_prefs.json"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(poll_anycast(fmt::format("c{}", i).c_str()).fresh, 0U);
    EXPECT_EQ(site_.book.count("warning condition raised condition=preferences state=missing"), 1U)
        << site_.book.text();
    prefer("{ broken");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(poll_anycast(fmt::format("d{}", i).c_str()).fresh, 0U);
    EXPECT_EQ(site_.book.count("warning condition raised condition=preferences"), 2U) << site_.book.text();
    EXPECT_EQ(site_.book.count("state=unreadable"), 1U);
    prefer(R"({"my_prefixes_only": false})");
    EXPECT_GE(poll_anycast("e").fresh, 1U);
    EXPECT_EQ(site_.book.count("condition cleared condition=preferences"), 1U);
    EXPECT_TRUE(told(MessageKind::kStatus).empty()) << "the log is enough";
}

// B8: a row without a packet count stopped the whole batch.
TEST_F(PollerTest, TellsFromMinPacketsOnAndWhatHasNoCount) {
    options_.filter.min_packets = 10;
    add({{"attackId", "small"}, {"packets", 9}});
    add({{"attackId", "large"}, {"packets", 10}});
    add({{"attackId", "null"}, {"packets", nullptr}});
    add({{"attackId", "missing"}, {"missing", {"packets", "bits"}}});
    add({{"attackId", "foreign"}, {"ipDestinationAddress", "192.0.2.1"}});
    add({{"attackId", "odd"}, {"ipDestinationAddress", "?"}});
    const PollReport report = poll();
    EXPECT_EQ(report.fresh, 3U);
    EXPECT_EQ(report.below_threshold, 1U);
    EXPECT_EQ(report.foreign, 2U);
    EXPECT_EQ(events("claimed"), 3U);
    EXPECT_EQ(events("below_threshold"), 1U);
    EXPECT_EQ(events("filtered"), 2U);
    EXPECT_EQ(told().size(), 3U);
}

TEST_F(PollerTest, AggregatesAnAttackWithMoreEventsThanTheLimit) {
    struct Case {
        std::uint64_t above;
        int events;
        std::size_t messages;
    };
    for (const Case& one :
         {Case{3, 3, 3}, Case{3, 4, 1}, Case{0, 1, 1}, Case{0, 2, 1}, Case{1, 1, 1}, Case{1, 2, 1}}) {
        options_.compose.aggregate_above = one.above;
        restart();
        site_.clock.advance(1h);
        for (int i = 0; i < one.events; ++i) {
            add_at(true_time() - std::chrono::seconds{i + 1},
                   {{"attackId", fmt::format("a-{}", site_.clock.wall().time_since_epoch().count())}});
        }
        EXPECT_EQ(poll().queued, one.messages) << one.above << " " << one.events;
        std::size_t aggregated = one.events > static_cast<int>(one.above) ? 1 : 0;
        EXPECT_EQ(told(MessageKind::kAttack).size(), aggregated) << one.above << " " << one.events;
    }
}

// B8: "" grouped all attacks that have no id into one.
TEST_F(PollerTest, KeepsAttacksWithoutAnIdApart) {
    for (int i = 0; i < 4; ++i) {
        add_at(true_time() - std::chrono::seconds{i + 1}, {{"attackId", ""}});
        add_at(true_time() - std::chrono::seconds{i + 1},
               {{"attackId", nullptr}, {"ipDestinationAddress", "185.54.80.9"}});
    }
    add({{"attackId", ""}, {"attackVector", "UDP Flood"}});
    const PollReport report = poll();
    EXPECT_EQ(report.fresh, 9U);
    EXPECT_EQ(report.queued, 3U) << "two targets, and another vector";
    EXPECT_EQ(told(MessageKind::kAttack).size(), 2U);
}

// B7: rows that differ in what the identity leaves out collapsed, and all but one were lost.
TEST_F(PollerTest, AddsUpRowsOfOneIdentity) {
    for (const int port : {1'000, 2'000, 3'000}) add({{"sourcePort", port}});
    const PollReport report = poll();
    EXPECT_EQ(report.rows, 3U);
    EXPECT_EQ(report.merged, 2U);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(events("merged"), 2U);
    const std::vector<std::string> texts = told();
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(has(texts[0], "4,500")) << texts[0];
}

TEST_F(PollerTest, DoesNotRepeatWhatThePythonMonitorHasTold) {
    const WallTime at = true_time() - 1min;
    const std::string hash =
        hex(event_hash(rfc3339(at), "attack-1", "103.118.76.198", "185.54.82.4", "0")).substr(0, 32);
    process();
    PlainSqlite(database())
        .run(fmt::format(
            "INSERT INTO network_analytics_events (event_hash, attack_id) VALUES ('{}', 'attack-1')", hash));
    add_at(at);
    add_at(at, {{"attackId", "attack-2"}});
    const PollReport report = poll();
    EXPECT_EQ(report.duplicates, 1U);
    EXPECT_EQ(report.fresh, 1U);
    EXPECT_EQ(told().size(), 1U);
}

// B9: the own outgoing traffic counted as attack.
TEST_F(PollerTest, LeavesOutWhatLeftOurNetwork) {
    add({{"direction", "egress"}});
    const PollReport report = poll();
    EXPECT_EQ(report.rows, 1U);
    EXPECT_EQ(report.outgoing, 1U);
    EXPECT_EQ(report.fresh, 0U);
    EXPECT_EQ(events("outgoing"), 1U);
}

// B2: an attack of more rows than the page was cut silently.
TEST_F(PollerTest, TellsOnceThatAnAnswerWasCut) {
    site_.world.set_limits({.max_page_size = 10});
    for (int i = 0; i < 30; ++i) add({{"destinationPort", i}});
    PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone);
    EXPECT_EQ(report.truncated, std::vector<WallTime>{true_time() - 10s});
    EXPECT_EQ(report.fresh, 10U);
    std::vector<std::string> status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "Cloudflare's answer was cut")) << status[0];
    for (int polls_more = 0; polls_more < 2; ++polls_more) {
        site_.clock.advance(5min);
        EXPECT_EQ(poll().truncated.size(), 1U) << "still in the window";
    }
    EXPECT_TRUE(told(MessageKind::kStatus).empty());
    EXPECT_EQ(site_.metrics.counter("cam_polls_truncated_seconds_total", "").value(), 3U);
    site_.clock.advance(5min);
    EXPECT_TRUE(poll().truncated.empty()) << "out of the window";
    status = told(MessageKind::kStatus);
    ASSERT_EQ(status.size(), 1U);
    EXPECT_TRUE(has(status[0], "whole again")) << status[0];
}

TEST_F(PollerTest, ClaimsALongAttackInParts) {
    options_.max_claim = 10;
    site_.world.set_limits({.max_duration_seconds = 60});
    int wakeups = 0;
    int firsts = 0;
    queued_ = [&] { ++wakeups; };
    before_first_claim_ = [&] { ++firsts; };
    for (int i = 0; i < 45; ++i) add_at(true_time() - 10min + std::chrono::seconds{i * 10});
    const PollReport report = poll();
    EXPECT_EQ(report.outcome, Outcome::kDone) << report.why;
    EXPECT_EQ(report.fresh, 45U);
    EXPECT_EQ(report.queued, 4U);
    EXPECT_EQ(wakeups, 4);
    EXPECT_EQ(firsts, 1);
    site_.clock.advance(5min);
    poll();
    EXPECT_EQ(firsts, 1) << "the startup report goes once before the first claim";
    EXPECT_EQ(wakeups, 4) << "nothing was queued";
}

}  // namespace
}  // namespace cam::app
