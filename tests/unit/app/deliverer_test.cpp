#include "app/deliverer.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "fakes/app/log_book.h"
#include "fakes/app/plain_sqlite.h"
#include "fakes/app/recording_http.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"
#include "simulator/world.h"

namespace cam::app {
namespace {

using namespace std::chrono_literals;
using simulator::BodyKind;
using simulator::Fault;
using simulator::Target;
using simulator::TelegramChat;
using Step = Deliverer::Step;

/// A 429 as Telegram words it. Not the simulator's own, which would hold us to real time.
Fault retry_after(int seconds) {
    return Fault::body(
               fmt::format(
                   R"({{"ok":false,"error_code":429,"description":"Too Many Requests: retry after {}",)"
                   R"("parameters":{{"retry_after":{}}}}})",
                   seconds, seconds),
               429)
        .on(Target::kTelegram);
}

class DelivererTest : public testing::Test {
protected:
    void SetUp() override {
        world_.on_message([this](const simulator::DeliveredMessage&) {
            if (on_message_) on_message_();
        });
        world_.start();
        target_.chat_id = std::to_string(world_.chat_id());
    }
    void TearDown() override { world_.stop(); }  // its threads call on_message_

    /// What a process that delivers has of its own.
    struct Process {
        explicit Process(DelivererTest& test)
            : conditions(test.clock_, test.book_.logger(), test.render_),
              store(open(test)),
              telegram(test.http_,
                       {.api_url = test.world_.telegram_url(), .bot_token = Secret{test.world_.bot_token()}}),
              deliverer({telegram, *store, conditions, test.clock_, test.book_.logger(), test.metrics_,
                         test.heartbeat_, test.render_},
                        {.database = test.database(), .target = test.target_, .send_total = 20s}) {}
        static std::unique_ptr<store::SqliteStore> open(const DelivererTest& test) {
            auto opened = store::SqliteStore::open({.path = test.database(),
                                                    .access = store::Access::kReadWrite,
                                                    .busy = std::chrono::milliseconds{50}});
            EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
            return std::move(opened).value();
        }
        Conditions conditions;
        std::unique_ptr<store::SqliteStore> store;
        notify::TelegramClient telegram;
        Deliverer deliverer;
    };
    Process& process() {
        if (!process_) process_ = std::make_unique<Process>(*this);
        return *process_;
    }
    Deliverer& deliverer() { return process().deliverer; }
    void restart() {
        process_.reset();
        process();
    }

    void queue(const std::string& text, MessageKind kind = MessageKind::kEvent) {
        EXPECT_TRUE(process().store->enqueue({kind, text}, clock_.wall()));
    }
    void queue_many(int count) {
        for (int i = 0; i < count; ++i) queue(fmt::format("message {}", i));
    }
    bool drain() { return deliverer().drain({}, 3, 5min); }
    /// Steps, and waits as long as a step says, until `until` has come or nothing waits any more.
    void live(SteadyTime until) {
        while (clock_.steady() < until) {
            const Step step = deliverer().step({});
            if (step == Step::kEmpty) return;
            if (step == Step::kWait) clock_.sleep_until(std::min(until, deliverer().ready_at()), {});
        }
    }
    [[nodiscard]] std::vector<std::string> texts() const {
        std::vector<std::string> out;
        for (const auto& message : world_.messages()) out.push_back(message.text);
        return out;
    }
    [[nodiscard]] std::vector<std::string> expected(int count) const {
        std::vector<std::string> out;
        for (int i = 0; i < count; ++i) out.push_back(fmt::format("message {}", i));
        return out;
    }
    [[nodiscard]] std::uint64_t waiting() { return process().store->outbox()->waiting; }
    [[nodiscard]] std::uint64_t sends(const char* result) {
        return metrics_.counter("cam_telegram_sends_total", "", {{"result", result}}).value();
    }
    [[nodiscard]] std::size_t requests() const { return world_.requests(Target::kTelegram).size(); }
    [[nodiscard]] std::string database() const { return folder_.file("magic_transit.db"); }
    void change_chat(const std::function<void(TelegramChat&)>& change) {
        world_.configure_telegram([&](auto& settings) { change(settings.chats.front()); });
    }

    TempFolder folder_;
    FakeClock clock_;
    LogBook book_;
    MetricRegistry metrics_;
    Heartbeat heartbeat_{"deliver", clock_};
    RecordingHttpClient http_{clock_};
    const notify::RenderOptions render_{.organization = "TEST SOC", .geoip = std::nullopt};
    notify::TelegramClient::Target target_;
    std::function<void()> on_message_;
    simulator::World world_;
    std::unique_ptr<Process> process_;
};

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

TEST_F(DelivererTest, KeepsMessagesWhileTheBotOrTheChatIsRefused) {
    const std::int64_t chat = world_.chat_id();
    const std::string token = world_.bot_token();
    const std::vector<std::pair<const char*, std::function<void(simulator::TelegramSettings&)>>> refusals{
        {"token_refused", [](auto& settings) { settings.bot_token = "1:another"; }},
        {"chat_refused", [](auto& settings) { settings.chats.front().state = TelegramChat::State::kKicked; }},
        {"chat_refused", [](auto& settings) { settings.chats.clear(); }}};
    for (const auto& [result, refuse] : refusals) {
        world_.forget();
        restart();
        world_.configure_telegram(refuse);
        const std::uint64_t before = sends(result);
        queue("message 0");
        queue("message 1");
        live(clock_.steady() + 1h);
        EXPECT_EQ(waiting(), 2U) << result << ": nothing is lost";
        EXPECT_GT(requests(), 5U) << result << ": it goes on trying";
        EXPECT_LT(requests(), 40U) << result << ": in no hurry";
        EXPECT_EQ(sends(result) - before, requests());
        EXPECT_TRUE(process().conditions.wrong(Condition::kTelegram)) << result;
        EXPECT_EQ(book_.count(fmt::format("condition raised condition=telegram state={}", result)), 1U)
            << book_.text();
        world_.configure_telegram([&](auto& settings) {
            settings.bot_token = token;
            settings.chats = {{.id = chat}};
        });
        live(clock_.steady() + 10min);
        EXPECT_EQ(texts(), expected(2)) << result;
        EXPECT_FALSE(process().conditions.wrong(Condition::kTelegram)) << result;
        EXPECT_EQ(book_.text().find(token), std::string::npos);
        book_.forget();
    }
}

// --- what may pass ---

TEST_F(DelivererTest, TriesAgainAfterWhatMayPass) {
    const std::vector<Fault> faults{Fault::status(500),     Fault::status(502, BodyKind::kHtml),
                                    Fault::reset(),         Fault::hang_up(),
                                    Fault::stall(),         Fault::gzip_garbage(),
                                    Fault::body("no JSON"), Fault::status(409),
                                    Fault::body("{}")};
    int number = 0;
    for (Fault fault : faults) {
        http_.hasty = fault.kind() == Fault::Kind::kStall ? 2 : 0;
        world_.set_faults({fault.on(Target::kTelegram).times(2)});
        const std::string text = fmt::format("behind {} {}", fault.name(), number++);
        queue(text);
        EXPECT_TRUE(drain()) << fault.name();
        EXPECT_EQ(texts().back(), text) << fault.name();
        EXPECT_EQ(deliverer().failures(), 0U);
    }
    EXPECT_EQ(texts().size(), faults.size());
    EXPECT_GE(sends("unknown"), 5U);
    EXPECT_GE(sends("unreachable"), 1U);
}

// Delivery is at least once, and documented so: nobody can tell a lost answer from a lost message.
TEST_F(DelivererTest, RepeatsAMessageWhoseAnswerWasLost) {
    queue_many(1);
    world_.add_fault(Fault::answer_lost().on(Target::kTelegram).times(1));
    EXPECT_TRUE(drain());
    EXPECT_GE(texts().size(), 2U);
    for (const std::string& text : texts()) EXPECT_EQ(text, "message 0");
    EXPECT_EQ(waiting(), 0U);
}

// B5, B23: an outage of Telegram stopped the polling and lost messages.
TEST_F(DelivererTest, OutlastsAnOutageOfTelegram) {
    queue_many(3);
    world_.stop();
    live(clock_.steady() + 2h);
    EXPECT_EQ(waiting(), 3U);
    EXPECT_GT(sends("unreachable"), 100U) << "at least once a minute";
    EXPECT_LT(sends("unreachable"), 300U);
    EXPECT_EQ(book_.count("condition raised condition=telegram state=unreachable"), 1U) << book_.text();
    world_.start();
    live(clock_.steady() + 5min);
    EXPECT_EQ(texts(), expected(3));
    EXPECT_EQ(book_.count("condition cleared condition=telegram"), 1U);
}

// --- the database ---

TEST_F(DelivererTest, DoesNotSendTwiceWhatItCouldNotWriteDown) {
    queue_many(2);
    PlainSqlite other(database());
    on_message_ = [&] {
        if (texts().size() == 1) other.run("BEGIN IMMEDIATE");  // before Telegram's answer is sent
    };
    EXPECT_EQ(deliverer().step({}), Step::kWait);
    for (int i = 0; i < 3; ++i) {
        clock_.advance(10s);
        EXPECT_EQ(deliverer().step({}), Step::kWait);
    }
    EXPECT_EQ(requests(), 1U);
    EXPECT_GE(book_.count("error delivery cannot be written down, holding back"), 3U) << book_.text();
    EXPECT_EQ(deliverer().failures(), 4U);
    other.run("ROLLBACK");
    clock_.advance(10s);
    EXPECT_EQ(deliverer().step({}), Step::kDelivered);
    EXPECT_EQ(requests(), 1U) << "written down, not sent again";
    EXPECT_EQ(deliverer().failures(), 0U);
    EXPECT_TRUE(drain());
    EXPECT_EQ(texts(), expected(2));
}

TEST_F(DelivererTest, DeliversWhatIsToldPastTheDatabaseFirst) {
    queue_many(1);
    for (const char* state : {"full", "unwritable"}) {
        process().conditions.raise(Condition::kDatabase,
                                   {.state = state,
                                    .headline = fmt::format("Database is {}", state),
                                    .details = {},
                                    .tell = Tell::kLogAndSoc},
                                   nullptr);
    }
    world_.add_fault(Fault::status(500).on(Target::kTelegram).times(2));
    EXPECT_TRUE(drain());
    ASSERT_EQ(texts().size(), 3U);
    EXPECT_NE(texts()[0].find("Database is full"), std::string::npos);
    EXPECT_NE(texts()[1].find("Database is unwritable"), std::string::npos);
    EXPECT_EQ(texts()[2], "message 0");
}

TEST_F(DelivererTest, CountsNoFailureWhereTelegramSlowsDownWhatIsToldPastTheDatabase) {
    process().conditions.raise(
        Condition::kDatabase,
        {.state = "full", .headline = "Database is full", .details = {}, .tell = Tell::kLogAndSoc}, nullptr);
    world_.add_fault(retry_after(37).times(1));
    const SteadyTime begin = clock_.steady();
    EXPECT_EQ(deliverer().step({}), Step::kWait);
    EXPECT_GE(deliverer().ready_at(), begin + 37s);
    EXPECT_EQ(deliverer().failures(), 0U);
    EXPECT_TRUE(drain());
    EXPECT_EQ(texts().size(), 1U);
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
