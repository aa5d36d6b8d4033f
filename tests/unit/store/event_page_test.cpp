#include <sstream>
#include <string>
#include <vector>

#include "store_fixture.h"

namespace cam::store {
namespace {

class EventPageTest : public SqliteStoreTest {
protected:
    void SetUp() override {
        SqliteStoreTest::SetUp();
        store_ = must_open();
    }
    void claim(const std::vector<MitigationEvent>& events) {
        const auto claimed = store_->claim(events, kNow, kNow, one_each);
        ASSERT_TRUE(claimed) << claimed.error().detail;
        ASSERT_EQ(claimed->fresh.size(), events.size());
    }
    EventPage page(const EventQuery& query) {
        auto found = store_->event_page(query);
        EXPECT_TRUE(found) << (found ? "" : found.error().detail);
        return found ? *found : EventPage{};
    }
    /// Follows the cursors to the end; the ids in the order in which they come.
    std::vector<std::int64_t> all_ids(EventQuery query) {
        std::vector<std::int64_t> ids;
        for (int pages = 0; pages < 1'000; ++pages) {
            const EventPage one = page(query);
            EXPECT_LE(one.events.size(), query.limit);
            for (const StoredEvent& event : one.events) ids.push_back(event.id);
            if (!one.next_cursor) return ids;
            query.cursor = one.next_cursor;
        }
        ADD_FAILURE() << "the pages have no end";
        return ids;
    }
    std::vector<std::int64_t> stored_ids(const std::string& where) {
        std::vector<std::int64_t> ids;
        std::istringstream lines(ask("SELECT id FROM network_analytics_events WHERE " + where +
                                     " ORDER BY event_datetime DESC, id DESC"));
        for (std::string line; std::getline(lines, line);) ids.push_back(std::stoll(line));
        return ids;
    }
    std::unique_ptr<SqliteStore> store_;
};

TEST_F(EventPageTest, PagesShowEachEventOnceNewestFirstWhateverTheLimit) {
    claim(make_events(0, 50));
    std::vector<MitigationEvent> late = make_events(100, 5);
    for (MitigationEvent& event : late) event.datetime = "2026-01-19T22:00:20Z";  // five of one second
    claim(late);
    ask("UPDATE network_analytics_events SET event_datetime = NULL WHERE id IN (3, 4, 5)");
    const auto expected = stored_ids("1");
    ASSERT_EQ(expected.size(), 55U);
    for (const std::uint32_t limit : {1U, 2U, 7U, 54U, 55U, 56U}) {
        EXPECT_EQ(all_ids({.since = {}, .attack_id = {}, .limit = limit}), expected) << limit;
    }
    EXPECT_FALSE(page({.since = {}, .attack_id = {}, .limit = 55}).next_cursor) << "nothing follows";
}

TEST_F(EventPageTest, EveryFilterCanBePagedAndMeansWhatItSays) {
    std::vector<MitigationEvent> events = make_events(0, 60);
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].attack_id = i % 2 == 0 ? "even" : "odd";
        events[i].attack_vector = i % 3 == 0 ? "SYN Flood" : "UDP Flood";
        events[i].destination_ip = i % 5 == 0 ? "185.54.82.4" : "2a02:4460::1";
        events[i].source_ip = i % 4 == 0 ? "192.0.2.1" : "192.0.2.2";
    }
    claim(events);
    const EventQuery all{.since = {}, .attack_id = {}, .limit = 4};
    EventQuery query = all;
    query.attack_id = "even";
    EXPECT_EQ(all_ids(query), stored_ids("attack_id = 'even'"));
    query.prefix = Prefix::parse("185.54.80.0/22");
    EXPECT_EQ(all_ids(query), stored_ids("attack_id = 'even' AND destination_ip = '185.54.82.4'"));
    query = all;
    query.vector = "SYN Flood";
    EXPECT_EQ(all_ids(query), stored_ids("attack_vector = 'SYN Flood'"));
    query = all;
    query.prefix = Prefix::parse("2a02:4460::/32");
    EXPECT_EQ(all_ids(query), stored_ids("destination_ip = '2a02:4460::1'"));
    query = all;
    query.source = "192.0.2.1";
    EXPECT_EQ(all_ids(query), stored_ids("source_ip = '192.0.2.1'"));
    query = all;
    query.since = at("2026-01-19T22:00:10Z");
    query.until = at("2026-01-19T22:00:20Z");
    EXPECT_EQ(all_ids(query), stored_ids("event_datetime BETWEEN '2026-01-19T22:00:10Z' AND "
                                         "'2026-01-19T22:00:19Z'"))
        << "from since on, until before until";
    query.vector = "nothing has it";
    EXPECT_TRUE(all_ids(query).empty());
}

TEST_F(EventPageTest, ACursorWhoseEventIsGoneSaysSo) {
    claim(make_events(0, 3));
    ask("DELETE FROM network_analytics_events WHERE id = 2");
    EventQuery query{.since = {}, .attack_id = {}, .limit = 1};
    query.cursor = 2;
    const auto found = store_->event_page(query);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(found.error().detail.rfind("cursor: ", 0), 0U) << found.error().detail;
}

TEST_F(EventPageTest, NewEventsDoNotMoveTheRestOfThePages) {
    claim(make_events(0, 10));
    EventQuery query{.since = {}, .attack_id = {}, .limit = 4};
    const EventPage first = page(query);
    claim(make_events(100, 10));
    query.cursor = first.next_cursor;
    query.limit = 100;
    EXPECT_EQ(page(query).events.size(), 6U);
}

TEST_F(EventPageTest, PagesAreServedByTheIndexes) {
    const auto plan = [&](const std::string& sql) { return ask("EXPLAIN QUERY PLAN " + sql); };
    const std::string by_time = plan(
        "SELECT e.id FROM network_analytics_events AS e WHERE 1 AND event_datetime IS NOT NULL AND "
        "event_datetime <= 'x' AND (event_datetime < 'x' OR rowid < 7) ORDER BY event_datetime DESC, rowid "
        "DESC "
        "LIMIT 10");
    EXPECT_NE(by_time.find("idx_analytics_datetime"), std::string::npos) << by_time;
    EXPECT_EQ(by_time.find("TEMP B-TREE"), std::string::npos) << by_time;
}

TEST_F(EventPageTest, AnEventIsShownWithWhatCloudflareSent) {
    claim(make_events(4, 1));
    const auto event = store_->event(1);
    ASSERT_TRUE(event) << event.error().detail;
    EXPECT_EQ(event->raw_data, R"({"dimensions":{"number":4}})");
    EXPECT_EQ(event->event.source_asn, 137'959);
    EXPECT_EQ(event->event.colo_country, "BG");
    EXPECT_EQ(store_->event(2).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(must_open(Access::kReadOnly)->event(1)->event.id, 1);
}

class DeliveriesTest : public SqliteStoreTest {};

TEST_F(DeliveriesTest, EachMessageIsThereOnceWithItsStateNewestFirst) {
    const auto store = must_open();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(store->enqueue({MessageKind::kEvent, "m"}, kNow));
    ASSERT_TRUE(store->mark_delivered(1, kNow + std::chrono::seconds{5}, 77));
    ASSERT_TRUE(store->mark_refused(2, kNow, "chat not found"));
    ASSERT_TRUE(store->mark_failed(3, kNow, "timeout"));
    DeliveryQuery query{.state = {}, .cursor = {}, .limit = 2};
    const auto first = store->deliveries(query);
    ASSERT_TRUE(first) << first.error().detail;
    ASSERT_EQ(first->deliveries.size(), 2U);
    EXPECT_EQ(first->deliveries[0].id, 5);
    EXPECT_EQ(first->deliveries[0].kind, "event");
    EXPECT_EQ(first->next_cursor, 4);
    query.cursor = first->next_cursor;
    query.limit = 10;
    const auto rest = store->deliveries(query);
    ASSERT_EQ(rest->deliveries.size(), 3U);
    EXPECT_FALSE(rest->next_cursor);
    EXPECT_EQ(rest->deliveries[0].last_error, "timeout");
    EXPECT_EQ(rest->deliveries[0].attempts, 1U);
    EXPECT_EQ(rest->deliveries[1].state, DeliveryState::kFailed);
    EXPECT_EQ(rest->deliveries[2].state, DeliveryState::kSent);
    EXPECT_EQ(rest->deliveries[2].sent_at, kNow + std::chrono::seconds{5});

    const auto ids = [&](DeliveryState state) {
        std::string text;
        const auto page = store->deliveries({.state = state, .cursor = {}, .limit = 10});
        for (const Delivery& one : page->deliveries) {
            text += std::to_string(one.id) + " ";
        }
        return text;
    };
    EXPECT_EQ(ids(DeliveryState::kWaiting), "5 4 3 ");
    EXPECT_EQ(ids(DeliveryState::kSent), "1 ");
    EXPECT_EQ(ids(DeliveryState::kFailed), "2 ");
    EXPECT_EQ(store->outbox()->last_delivered, kNow + std::chrono::seconds{5});
}

}  // namespace
}  // namespace cam::store
