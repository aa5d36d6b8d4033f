// Messages while Telegram or the database is out.

#include <string>
#include <thread>
#include <vector>

#include "unit/app/deliverer_fixture.h"

namespace cam::app {
namespace {

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
        EXPECT_GT(book_.count("error message not delivered"), 0U) << "an operator must act";
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

}  // namespace
}  // namespace cam::app
