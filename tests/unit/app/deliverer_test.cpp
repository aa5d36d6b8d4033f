#include "app/deliverer.h"

#include <string>
#include <thread>
#include <vector>

#include "unit/app/deliverer_fixture.h"

namespace cam::app {
namespace {

// B4: whether Telegram took a message was not looked at.
TEST_F(DelivererTest, DeliversInOrderAndWritesItDown) {
    queue_many(5);
    queue("*bold*", MessageKind::kStartup);
    EXPECT_TRUE(drain());
    std::vector<std::string> all = expected(5);
    all.emplace_back("*bold*");
    EXPECT_EQ(texts(), all);
    EXPECT_EQ(world_.messages().back().parse_mode, "Markdown");
    EXPECT_EQ(waiting(), 0U);
    EXPECT_EQ(sends("sent"), 6U);
    EXPECT_EQ(PlainSqlite(database())
                  .run("SELECT count(*) FROM outbox WHERE state = 'delivered' AND attempts = 1 AND "
                       "telegram_message_id > 0 AND delivered_at IS NOT NULL"),
              "6");
    EXPECT_EQ(deliverer().step({}), Step::kEmpty);
    EXPECT_EQ(metrics_.gauge("cam_outbox_messages", "").value(), 0);
    EXPECT_EQ(book_.text().find(world_.bot_token()), std::string::npos);
}

TEST_F(DelivererTest, TellsHowManyMessagesWaitAndForHowLong) {
    queue_many(2);
    world_.add_fault(Fault::status(500).on(Target::kTelegram));
    EXPECT_EQ(deliverer().step({}), Step::kWait);
    clock_.advance(90s);
    deliverer().step({});
    EXPECT_EQ(metrics_.gauge("cam_outbox_messages", "").value(), 2);
    EXPECT_EQ(metrics_.gauge("cam_outbox_oldest_seconds", "").value(), 90);
}

// --- pace ---

// B13: Telegram's retry_after was ignored.
TEST_F(DelivererTest, WaitsAsLongAsTelegramSays) {
    queue_many(2);
    world_.add_fault(retry_after(37).times(1));
    const SteadyTime begin = clock_.steady();
    EXPECT_EQ(deliverer().step({}), Step::kWait);
    EXPECT_GE(deliverer().ready_at(), begin + 37s);
    EXPECT_EQ(deliverer().failures(), 0U) << "being asked to slow down is no failure";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(deliverer().step({}), Step::kWait);
    EXPECT_EQ(requests(), 1U) << "not before";
    EXPECT_TRUE(drain());
    EXPECT_GE(http_.asked[1] - begin, 37s);
    EXPECT_LT(http_.asked[1] - begin, 60s);
    EXPECT_EQ(texts(), expected(2));
    EXPECT_EQ(sends("retry_after"), 1U);
}

// B13: half a second between messages breaks one a second and twenty a minute.
TEST_F(DelivererTest, KeepsTelegramsPaceForAGroup) {
    queue_many(45);
    EXPECT_TRUE(drain());
    EXPECT_EQ(texts(), expected(45));
    const std::vector<SteadyTime>& sent = http_.asked;
    ASSERT_EQ(sent.size(), 45U);
    EXPECT_EQ(sent[2], sent[0]) << "a burst of three";
    for (std::size_t i = 3; i < sent.size(); ++i) {
        EXPECT_GE(sent[i] - sent[i - 3], 1s) << i;
        EXPECT_GE(sent[i], sent[0] + std::chrono::seconds{i - 2}) << "then one a second: " << i;
    }
    for (std::size_t i = 20; i < sent.size(); ++i) EXPECT_GT(sent[i] - sent[i - 20], 60s) << i;
    EXPECT_LT(sent.back() - sent.front(), 3min) << "and no slower than needed";
}

TEST_F(DelivererTest, KnowsThatAPrivateChatHasNoLimitPerMinute) {
    world_.configure_telegram([](auto& settings) { settings.chats = {{.id = 42, .type = "private"}}; });
    target_.chat_id = "42";
    queue_many(45);
    EXPECT_TRUE(drain());
    EXPECT_EQ(http_.asked.back() - http_.asked.front(), 42s + 50ms);
}

TEST_F(DelivererTest, RemembersThePaceOverARestart) {
    queue_many(21);
    EXPECT_FALSE(deliverer().drain({}, 3, 30s)) << "the last one may not go for half a minute";
    EXPECT_EQ(texts(), expected(20));
    restart();
    EXPECT_TRUE(drain());
    ASSERT_EQ(http_.asked.size(), 21U);
    EXPECT_GT(http_.asked[20] - http_.asked[0], 60s);
}

// --- what Telegram refuses ---

// B12, B13: text that broke the markup was tried three times and lost.
TEST_F(DelivererTest, SendsTheSameTextPlainWhereTheMarkupIsRefused) {
    queue("*never closed _ either");
    queue("*fine*");
    EXPECT_TRUE(drain());
    EXPECT_EQ(texts(), (std::vector<std::string>{"*never closed _ either", "*fine*"}));
    EXPECT_EQ(world_.messages()[0].parse_mode, "");
    EXPECT_EQ(world_.messages()[1].parse_mode, "Markdown");
    EXPECT_EQ(sends("bad_entities"), 1U);
    EXPECT_EQ(sends("sent"), 2U);
}

TEST_F(DelivererTest, PutsARefusedTextAsideAndTellsOfIt) {
    queue(" ");
    queue("message 0");
    EXPECT_TRUE(drain());
    ASSERT_EQ(texts().size(), 2U);
    EXPECT_EQ(texts()[0], "message 0") << "one text does not stop those behind it";
    EXPECT_NE(texts()[1].find("Telegram refused a message"), std::string::npos) << texts()[1];
    EXPECT_NE(world_.messages()[1].plain.find("WHERE id = 1"), std::string::npos) << texts()[1];
    EXPECT_EQ(PlainSqlite(database()).run("SELECT state || ':' || text FROM outbox WHERE id = 1"),
              "refused: ");
    EXPECT_EQ(sends("text_refused"), 1U);

    queue(" ", MessageKind::kStatus);
    EXPECT_TRUE(drain());
    EXPECT_EQ(texts().size(), 2U) << "a refused notice is not told by another one";
    EXPECT_EQ(book_.count("error telegram will never take this message"), 2U) << book_.text();
}

// B13: migrate_to_chat_id was ignored.
TEST_F(DelivererTest, FollowsAGroupThatBecameASupergroup) {
    const std::int64_t old = world_.chat_id();
    world_.configure_telegram([&](auto& settings) {
        settings.chats = {
            {.id = old, .type = "group", .state = TelegramChat::State::kUpgraded, .migrated_to = -100500},
            {.id = -100500}};
    });
    queue_many(1);
    EXPECT_TRUE(drain());
    ASSERT_EQ(world_.messages().size(), 2U);
    EXPECT_EQ(texts()[0], "message 0");
    EXPECT_NE(texts()[1].find("The Telegram group has a new id"), std::string::npos) << texts()[1];
    EXPECT_NE(world_.messages()[1].plain.find("-100500"), std::string::npos) << texts()[1];
    for (const auto& message : world_.messages()) EXPECT_EQ(message.chat_id, -100500);
    EXPECT_EQ(requests(), 3U);

    restart();
    queue("message 1");
    EXPECT_TRUE(drain());
    EXPECT_EQ(requests(), 4U) << "the old id is asked no more";
    EXPECT_EQ(texts().back(), "message 1") << "and the move is told once";
}

TEST_F(DelivererTest, SendsWithoutATopicThatDoesNotExist) {
    change_chat([](TelegramChat& chat) { chat.threads = {5}; });
    target_.thread_id = 7;
    queue_many(2);
    EXPECT_TRUE(drain());
    EXPECT_EQ(texts(), expected(2));
    EXPECT_EQ(world_.messages()[0].thread_id, std::nullopt);
    EXPECT_EQ(requests(), 3U) << "tried with the topic once";
    EXPECT_EQ(book_.count("error telegram forum topic does not exist, sending without it thread=7"), 1U);

    restart();
    change_chat([](TelegramChat& chat) { chat.threads = {7}; });
    queue("message 2");
    EXPECT_TRUE(drain());
    EXPECT_EQ(world_.messages().back().thread_id, 7) << "a topic that exists is used";
}

// The daemon and a --once of cron share one database.
TEST_F(DelivererTest, LeavesTheDeliveryToOneProcess) {
    queue_many(3);
    EXPECT_EQ(deliverer().step({}), Step::kDelivered);
    Process second(*this);
    EXPECT_EQ(second.deliverer.step({}), Step::kElsewhere);
    EXPECT_EQ(deliverer().step({}), Step::kDelivered);
    EXPECT_EQ(second.deliverer.step({}), Step::kElsewhere);
    process_.reset();
    EXPECT_EQ(second.deliverer.step({}), Step::kDelivered) << "the first has gone";
    EXPECT_EQ(texts(), expected(3));
    clock_.advance(10s);
    EXPECT_EQ(second.deliverer.step({}), Step::kEmpty);
}

// --- drain and run ---

TEST_F(DelivererTest, DrainsNoLongerThanItMay) {
    queue_many(2);
    world_.set_faults({Fault::status(500).on(Target::kTelegram)});
    EXPECT_FALSE(deliverer().drain({}, 2, 5min));
    EXPECT_EQ(requests(), 2U) << "two attempts";
    restart();
    world_.forget();
    world_.set_faults({retry_after(120)});
    const SteadyTime begin = clock_.steady();
    EXPECT_FALSE(deliverer().drain({}, 2, 60s));
    EXPECT_EQ(requests(), 1U);
    EXPECT_EQ(clock_.steady(), begin) << "a pause that is too long is not begun";
    EXPECT_EQ(waiting(), 2U);
    world_.clear_faults();
    restart();
    EXPECT_TRUE(deliverer().drain({}, 2, 60s));
    EXPECT_EQ(texts(), expected(2));
    EXPECT_TRUE(deliverer().drain({}, 2, 0s)) << "nothing waits";
}

TEST_F(DelivererTest, DrainsByWatchingWhereAnotherProcessDelivers) {
    queue_many(2);
    EXPECT_EQ(deliverer().step({}), Step::kDelivered);
    Process second(*this);
    const SteadyTime begin = clock_.steady();
    EXPECT_FALSE(second.deliverer.drain({}, 2, 3s)) << "the other one makes no progress";
    EXPECT_GT(clock_.steady(), begin + 3s);
    EXPECT_LT(clock_.steady(), begin + 5s);
    EXPECT_EQ(deliverer().step({}), Step::kDelivered);
    EXPECT_TRUE(second.deliverer.drain({}, 2, 3s)) << "it has done all there was";
}

TEST_F(DelivererTest, EndsWhenAskedToStop) {
    queue_many(1);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(deliverer().step(stop.get_token()), Step::kStopped);
    EXPECT_FALSE(deliverer().drain(stop.get_token(), 3, 5min));
    EXPECT_EQ(requests(), 0U);
    EXPECT_EQ(waiting(), 1U);
}

TEST_F(DelivererTest, RunsUntilItIsStoppedAndWakesForANewMessage) {
    queue_many(1);
    Wakeup wakeup;
    Deliverer& running = deliverer();
    std::jthread thread([&](const std::stop_token& stop) { running.run(stop, wakeup); });
    ASSERT_TRUE(world_.wait_for_messages(1));
    const Process other(*this);
    ASSERT_TRUE(other.store->enqueue({MessageKind::kEvent, "message 1"}, clock_.wall()));
    wakeup.notify();
    ASSERT_TRUE(world_.wait_for_messages(2));
    thread.request_stop();
    thread.join();
    EXPECT_EQ(texts(), expected(2));
    clock_.advance(1h);
    EXPECT_FALSE(heartbeat_.silent(clock_.steady(), 60s)) << "a loop that has ended is not missed";
}

}  // namespace
}  // namespace cam::app
