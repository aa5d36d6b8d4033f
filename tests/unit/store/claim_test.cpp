#include <limits>
#include <stdexcept>

#include "store_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

TEST_F(SqliteStoreTest, AClaimWritesEveryColumnAsCloudflareSentIt) {
    const auto store = must_open();
    MitigationEvent event = make_event(1);
    event.source_country = "bd";
    ASSERT_TRUE(store->claim(std::vector{event}, kNow, at("2026-01-20T09:00:00.250Z"), one_each));
    EXPECT_EQ(
        ask("SELECT * FROM network_analytics_events"),
        "1|" + hex(event.hash) +
            "|k9z3t-xx1g6wwhgqngq523mp0nr|2026-01-19T22:00:01Z|ICMP Flood|ICMP-0001|a1b2c3d4|103.0.0.1|46181|"
            "185.54.82.4|443|ICMP||SOF|BG|1500|9000000|drop|attack|2026-01-20 09:00:00|" +
            std::string(event.raw) + "|137959|Vision Technologies Ltd.|bd");
}

TEST_F(SqliteStoreTest, WhatCloudflareLeftOutIsNullAndWhatItLeftEmptyIsEmpty) {
    const auto store = must_open();
    MitigationEvent event;
    event.attack_id = "";
    event.hash = event_hash("None", "", "None", "None", "None");
    ASSERT_TRUE(store->claim(std::vector{event}, kNow, kNow, one_each));
    EXPECT_EQ(ask("SELECT typeof(attack_id), typeof(event_datetime), typeof(source_port), typeof(packets), "
                  "typeof(source_asn), typeof(source_country) FROM network_analytics_events"),
              "text|null|null|null|null|null");
}

TEST_F(SqliteStoreTest, AnEventIsClaimedOnceOverPollsAndRestarts) {
    const std::vector<MitigationEvent> events = make_events(0, 50);
    {
        const auto store = must_open();
        const auto first = store->claim(events, kNow, kNow, one_each);
        ASSERT_TRUE(first);
        EXPECT_EQ(first->fresh.size(), 50U);
        EXPECT_EQ(first->queued, 50U);
    }
    const auto store = must_open();
    const auto more = make_events(40, 20);
    const auto second = store->claim(more, kNow, kNow, one_each);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->duplicates, 10U);
    ASSERT_EQ(second->fresh.size(), 10U);
    EXPECT_EQ(second->fresh.front(), 10U);
    EXPECT_EQ(second->fresh.back(), 19U);
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT event_hash) FROM network_analytics_events"), "60|60");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "60");
}

TEST_F(SqliteStoreTest, ADuplicateInsideOneBatchCountsOnce) {
    const auto store = must_open();
    std::vector<MitigationEvent> events;
    for (unsigned i = 0; i < 70; ++i) {
        events.push_back(make_event(i));
        events.push_back(make_event(i / 2));  // some a row ago, some a statement ago
    }
    const auto report = store->claim(events, kNow, kNow, one_each);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->fresh.size(), 70U);
    EXPECT_EQ(report->duplicates, 70U);
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events"), "70");
}

TEST_F(SqliteStoreTest, IdsFollowTheOrderOfTheEvents) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 47), kNow, kNow, one_each));
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events a JOIN network_analytics_events b ON b.id = "
                  "a.id + 1 "
                  "WHERE a.source_ip = '103.0.0.' || (a.id - 1) AND b.source_ip = '103.0.0.' || a.id"),
              "46");
}

TEST_F(SqliteStoreTest, TheShortHashOfThePythonMonitorMakesADuplicate) {
    const auto store = must_open();
    const std::vector<MitigationEvent> events = make_events(0, 3);
    ask("INSERT INTO network_analytics_events (event_hash) VALUES ('" + hex(events[1].hash).substr(0, 32) +
        "')");
    const auto seen = store->seen(events);
    ASSERT_TRUE(seen);
    EXPECT_EQ(*seen, (std::vector<bool>{false, true, false}));
    const auto report = store->claim(events, kNow, kNow, one_each);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->fresh, (std::vector<std::size_t>{0, 2}));
    EXPECT_EQ(report->duplicates, 1U);
}

TEST_F(SqliteStoreTest, AnotherHashWithTheSameFirstHalfIsNoDuplicate) {
    const auto store = must_open();
    const MitigationEvent event = make_event(0);
    const std::string full = hex(event.hash);
    ask("INSERT INTO network_analytics_events (event_hash) VALUES ('" + full.substr(0, 32) +
        std::string(32, '0') + "')");
    EXPECT_EQ(*store->seen(std::vector{event}), std::vector<bool>{false});
    ask("INSERT INTO network_analytics_events (event_hash) VALUES ('" + full + "')");
    EXPECT_EQ(*store->seen(std::vector{event}), std::vector<bool>{true});
}

TEST_F(SqliteStoreTest, ComposeSeesOnlyTheNewPositionsAndIsNotCalledWithoutAny) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 2), kNow, kNow, one_each));
    std::vector<std::size_t> told;
    const auto compose = [&](const std::vector<std::size_t>& fresh) {
        told = fresh;
        return std::vector<Message>{{MessageKind::kAttack, "all in one"}};
    };
    const auto report = store->claim(make_events(1, 3), kNow, kNow, compose);
    ASSERT_TRUE(report);
    EXPECT_EQ(told, (std::vector<std::size_t>{1, 2}));
    EXPECT_EQ(report->queued, 1U);
    told.clear();
    ASSERT_TRUE(store->claim(make_events(0, 4), kNow, kNow, compose));
    EXPECT_TRUE(told.empty());
    EXPECT_EQ(ask("SELECT kind, text FROM outbox ORDER BY id DESC LIMIT 1"), "attack|all in one");
}

TEST_F(SqliteStoreTest, AnExceptionWhileComposingUndoesTheWholeClaim) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim({}, at("2026-01-20T08:00:00Z"), kNow, one_each));
    const auto events = make_events(0, 30);
    const auto failed = store->claim(events, kNow, kNow, [](const auto&) -> std::vector<Message> {
        throw std::runtime_error("no template");
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kInternal);
    EXPECT_NE(failed.error().detail.find("no template"), std::string::npos);
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events"), "0");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "0");
    EXPECT_EQ(*store->claimed_to(), at("2026-01-20T08:00:00Z"));
    const auto again = store->claim(events, kNow, kNow, one_each);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->fresh.size(), 30U);
}

TEST_F(SqliteStoreTest, AnExceptionThatIsNoStdExceptionPassesAndStillUndoesTheClaim) {
    const auto store = must_open();
    EXPECT_THROW(static_cast<void>(store->claim(make_events(0, 3), kNow, kNow,
                                                [](const auto&) -> std::vector<Message> { throw 7; })),
                 int);
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events"), "0");
    EXPECT_TRUE(store->claim(make_events(0, 3), kNow, kNow, one_each));
}

TEST_F(SqliteStoreTest, ARefusedInsertUndoesTheWholeClaim) {
    const auto store = must_open();
    ask("CREATE TRIGGER stop BEFORE INSERT ON outbox WHEN new.text = 'bad' BEGIN SELECT raise(ABORT, 'no'); "
        "END");
    const auto failed = store->claim(make_events(0, 30), kNow, kNow, [](const auto&) {
        return std::vector<Message>{{MessageKind::kEvent, "good"}, {MessageKind::kEvent, "bad"}};
    });
    ASSERT_FALSE(failed);
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events"), "0");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "0");
    EXPECT_FALSE(store->claimed_to()->has_value());
}

TEST_F(SqliteStoreTest, ProgressIsKeptWithMillisecondsAndMayMoveBackwards) {
    EXPECT_FALSE(must_open()->claimed_to()->has_value());
    ASSERT_TRUE(must_open()->claim({}, at("2026-01-20T08:00:00.123Z"), kNow, one_each));
    EXPECT_EQ(*must_open()->claimed_to(), at("2026-01-20T08:00:00.123Z"));
    ASSERT_TRUE(must_open()->claim({}, at("2026-01-19T08:00:00Z"), kNow, one_each));
    EXPECT_EQ(*must_open()->claimed_to(), at("2026-01-19T08:00:00Z"));
}

TEST_F(SqliteStoreTest, CountsBeyondSqlitesIntegersAreSaturated) {
    const auto store = must_open();
    MitigationEvent event = make_event(0);
    event.packets = std::numeric_limits<std::uint64_t>::max();
    event.bits = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + 1;
    ASSERT_TRUE(store->claim(std::vector{event}, kNow, kNow, one_each));
    EXPECT_EQ(ask("SELECT packets, bits, typeof(packets) FROM network_analytics_events"),
              "9223372036854775807|9223372036854775807|integer");
}

TEST_F(SqliteStoreTest, BytesThatAreNoUtf8AndZeroBytesComeBackAsTheyWent) {
    const auto store = must_open();
    MitigationEvent event = make_event(0);
    event.attack_vector = std::string_view(
        "\xff\xfe"
        "a\0b\x80",
        6);
    event.rule_name = std::string_view("\0", 1);
    event.source_asn_name = "it's \"quoted\"; DROP TABLE outbox; --";
    ASSERT_TRUE(store->claim(std::vector{event}, kNow, kNow, one_each));
    const auto events = store->events({});
    ASSERT_TRUE(events);
    ASSERT_EQ(events->size(), 1U);
    EXPECT_EQ(events->front().attack_vector, *event.attack_vector);
    EXPECT_EQ(events->front().rule_name, *event.rule_name);
    EXPECT_EQ(events->front().source_asn_name, *event.source_asn_name);
}

TEST_F(SqliteStoreTest, EventsComeNewestFirstAndFiltered) {
    const auto store = must_open();
    auto events = make_events(0, 10);
    events[3].attack_id = "other";
    events[4].datetime.reset();
    ASSERT_TRUE(store->claim(events, kNow, kNow, one_each));

    const auto newest = store->events({.since = {}, .attack_id = {}, .limit = 2});
    ASSERT_EQ(newest->size(), 2U);
    EXPECT_EQ(newest->at(0).event_datetime, "2026-01-19T22:00:09Z");
    EXPECT_EQ(newest->at(1).event_datetime, "2026-01-19T22:00:08Z");
    EXPECT_EQ(newest->at(0).packets, 1'500);
    EXPECT_EQ(newest->at(0).event_hash, hex(events[9].hash));

    EXPECT_EQ(store->events({.since = {}, .attack_id = "other"})->size(), 1U);
    EXPECT_EQ(store->events({.since = at("2026-01-19T22:00:08Z"), .attack_id = {}})->size(), 2U);
    EXPECT_EQ(store->events({.since = at("2026-01-19T22:00:07.001Z"), .attack_id = {}})->size(), 2U);
    EXPECT_EQ(store->events({.since = {}, .attack_id = {}, .limit = 0})->size(), 0U);
    const auto all = store->events({});
    ASSERT_EQ(all->size(), 10U);
    EXPECT_FALSE(all->back().event_datetime.has_value());
}

TEST_F(SqliteStoreTest, TheMissionsQueriesAnswer) {
    const auto store = must_open();
    const auto today = at(ask("SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"));
    ASSERT_TRUE(store->claim(make_events(0, 12), today, today, one_each));
    ASSERT_TRUE(store->claim(make_events(12, 1), today, today - 48h, one_each));
    EXPECT_EQ(ask("SELECT event_datetime, attack_vector, source_ip, packets\n"
                  "FROM network_analytics_events ORDER BY id DESC LIMIT 1;"),
              "2026-01-19T22:00:12Z|ICMP Flood|103.0.0.12|1500");
    EXPECT_EQ(ask("SELECT attack_vector, COUNT(*)\nFROM network_analytics_events GROUP BY attack_vector;"),
              "ICMP Flood|13");
    EXPECT_EQ(ask("SELECT COUNT(*) FROM network_analytics_events\nWHERE date(notified_at) = date('now');"),
              "12");
    EXPECT_EQ(ask("SELECT json_extract(raw_data, '$.dimensions.number') FROM network_analytics_events WHERE "
                  "id = 3"),
              "2");
}

}  // namespace
}  // namespace cam::store
