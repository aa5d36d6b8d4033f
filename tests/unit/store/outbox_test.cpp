#include "store_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

TEST_F(SqliteStoreTest, MessagesLeaveTheOutboxInTheOrderTheyCame) {
    const auto store = must_open();
    EXPECT_FALSE(store->next_message()->has_value());
    const auto first = store->enqueue({MessageKind::kStartup, "one *bold*"}, kNow);
    const auto second = store->enqueue({MessageKind::kStatus, "two"}, kNow + 1500ms);
    ASSERT_TRUE(first && second);
    const auto state = store->outbox();
    EXPECT_EQ(state->waiting, 2U);
    EXPECT_EQ(state->oldest, kNow);

    const auto next = store->next_message();
    ASSERT_TRUE(next && next->has_value());
    EXPECT_EQ((*next)->id, *first);
    EXPECT_EQ((*next)->message.kind, MessageKind::kStartup);
    EXPECT_EQ((*next)->message.text, "one *bold*");
    EXPECT_EQ((*next)->queued_at, kNow);
    EXPECT_EQ((*next)->attempts, 0U);

    ASSERT_TRUE(store->mark_delivered(*first, kNow + 2s, 4711));
    EXPECT_EQ((*store->next_message())->id, *second);
    EXPECT_EQ((*store->next_message())->queued_at, kNow + 1500ms);
    EXPECT_EQ(ask("SELECT state, attempts, delivered_at, telegram_message_id FROM outbox WHERE id = 1"),
              "delivered|1|2026-01-20 09:00:02.000|4711");
}

TEST_F(SqliteStoreTest, AFailedMessageStaysFirstInTheLine) {
    const auto store = must_open();
    const auto id = store->enqueue({MessageKind::kEvent, "one"}, kNow);
    ASSERT_TRUE(store->enqueue({MessageKind::kEvent, "two"}, kNow));
    ASSERT_TRUE(store->mark_failed(*id, kNow + 1s, "timeout"));
    ASSERT_TRUE(store->mark_failed(*id, kNow + 2s, "429"));
    const auto next = store->next_message();
    EXPECT_EQ((*next)->id, *id);
    EXPECT_EQ((*next)->attempts, 2U);
    EXPECT_EQ(ask("SELECT last_error, last_attempt_at FROM outbox WHERE id = 1"),
              "429|2026-01-20 09:00:02.000");
}

TEST_F(SqliteStoreTest, ARefusedMessageLeavesTheLineAndKeepsItsReason) {
    const auto store = must_open();
    const auto id = store->enqueue({MessageKind::kEvent, "one"}, kNow);
    ASSERT_TRUE(store->mark_refused(*id, kNow, "chat not found"));
    EXPECT_FALSE(store->next_message()->has_value());
    EXPECT_EQ(store->outbox()->waiting, 0U);
    EXPECT_FALSE(store->outbox()->oldest.has_value());
    EXPECT_EQ(ask("SELECT state, text, last_error FROM outbox"), "refused|one|chat not found");
}

TEST_F(SqliteStoreTest, AMessageThatAnotherProcessDeliveredStaysDelivered) {
    const auto store = must_open();
    const auto id = store->enqueue({MessageKind::kEvent, "one"}, kNow);
    ASSERT_TRUE(store->mark_delivered(*id, kNow, 1));
    EXPECT_TRUE(store->mark_failed(*id, kNow + 1s, "late"));
    EXPECT_TRUE(store->mark_refused(*id, kNow + 1s, "late"));
    EXPECT_TRUE(store->mark_delivered(*id, kNow + 1s, 2));
    EXPECT_EQ(ask("SELECT state, attempts, telegram_message_id FROM outbox"), "delivered|1|1");
}

TEST_F(SqliteStoreTest, MarkingAMessageThatDoesNotExistSaysSo) {
    const auto store = must_open();
    EXPECT_EQ(store->mark_delivered(7, kNow, 1).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store->mark_failed(7, kNow, "x").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store->mark_refused(7, kNow, "x").error().code, ErrorCode::kNotFound);
}

TEST_F(SqliteStoreTest, DeliveriesAreRememberedOverARestartOldestFirst) {
    {
        const auto store = must_open();
        for (int i = 0; i < 3; ++i) {
            const auto id = store->enqueue({MessageKind::kEvent, "x"}, kNow);
            ASSERT_TRUE(store->mark_delivered(*id, kNow + (3 - i) * 250ms, i));
        }
        ASSERT_TRUE(store->enqueue({MessageKind::kEvent, "waits"}, kNow));
    }
    const auto store = must_open();
    EXPECT_EQ(*store->deliveries_since(kNow + 500ms), (std::vector<WallTime>{kNow + 500ms, kNow + 750ms}));
    EXPECT_EQ(store->deliveries_since(kNow)->size(), 3U);
    EXPECT_TRUE(store->deliveries_since(kNow + 1s)->empty());
}

TEST_F(SqliteStoreTest, PruningForgetsOldDeliveriesOnlyAndABoundedNumberPerCall) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 700), kNow, kNow, one_each));
    ask("UPDATE outbox SET state = 'delivered', delivered_at = '2026-01-20 09:00:01.000' WHERE id <= 600");
    ask("UPDATE outbox SET state = 'refused' WHERE id = 601");
    EXPECT_EQ(*store->prune_delivered(kNow + 1s), 0U);
    EXPECT_EQ(*store->prune_delivered(kNow + 2s), 500U);
    EXPECT_EQ(*store->prune_delivered(kNow + 2s), 100U);
    EXPECT_EQ(*store->prune_delivered(kNow + 2s), 0U);
    EXPECT_EQ(ask("SELECT state, count(*) FROM outbox GROUP BY state ORDER BY state"),
              "refused|1\nwaiting|99");
}

TEST_F(SqliteStoreTest, TheIdOfAPrunedMessageIsNeverUsedAgain) {
    const auto store = must_open();
    const auto id = store->enqueue({MessageKind::kEvent, "x"}, kNow);
    ASSERT_TRUE(store->mark_delivered(*id, kNow, 1));
    ASSERT_EQ(*store->prune_delivered(kNow + 1s), 1U);
    EXPECT_GT(*store->enqueue({MessageKind::kEvent, "y"}, kNow), *id);
}

TEST_F(SqliteStoreTest, AMessageOfAKindFromALaterVersionIsStillDelivered) {
    const auto store = must_open();
    ask("INSERT INTO outbox (kind, text, queued_at) VALUES ('rule', 'later', 'no time')");
    const auto next = store->next_message();
    ASSERT_TRUE(next && next->has_value());
    EXPECT_EQ((*next)->message.kind, MessageKind::kStatus);
    EXPECT_EQ((*next)->message.text, "later");
}

TEST_F(SqliteStoreTest, RememberedFactsSurviveARestart) {
    ASSERT_TRUE(must_open()->remember("condition.cloudflare", "down"));
    ASSERT_TRUE(must_open()->remember("condition.cloudflare", "still down"));
    EXPECT_EQ(*must_open()->remembered("condition.cloudflare"), "still down");
    EXPECT_FALSE(must_open()->remembered("condition.telegram")->has_value());
    ASSERT_TRUE(must_open()->forget("condition.cloudflare"));
    ASSERT_TRUE(must_open()->forget("condition.cloudflare"));
    EXPECT_FALSE(must_open()->remembered("condition.cloudflare")->has_value());
}

TEST_F(SqliteStoreTest, AChangeIsAnnouncedOnceAndTogetherWithItsMessage) {
    const auto store = must_open();
    const Message down{MessageKind::kStatus, "down"};
    EXPECT_TRUE(*store->change("condition", "down", down, kNow));
    EXPECT_FALSE(*must_open()->change("condition", "down", down, kNow));
    EXPECT_TRUE(*store->change("condition", "", Message{MessageKind::kStatus, "up"}, kNow));
    EXPECT_FALSE(*store->change("condition", "", Message{MessageKind::kStatus, "up"}, kNow));
    EXPECT_FALSE(store->remembered("condition")->has_value());
    EXPECT_EQ(ask("SELECT text FROM outbox ORDER BY id"), "down\nup");
    EXPECT_TRUE(*store->change("condition", "silent", std::nullopt, kNow));
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "2");
}

TEST_F(SqliteStoreTest, AChangeWhoseMessageCannotBeQueuedDidNotHappen) {
    const auto store = must_open();
    ask("CREATE TRIGGER stop BEFORE INSERT ON outbox BEGIN SELECT raise(ABORT, 'no'); END");
    EXPECT_FALSE(store->change("condition", "down", Message{MessageKind::kStatus, "down"}, kNow));
    EXPECT_FALSE(store->remembered("condition")->has_value());
}

}  // namespace
}  // namespace cam::store
