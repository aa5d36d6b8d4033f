#include "simulator/telegram.h"

#include <gtest/gtest.h>

#include "unit/simulator/simulator_client.h"

namespace cam::simulator {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

class TelegramTest : public testing::Test {
protected:
    void SetUp() override {
        world.start();
        client.emplace(world);
    }

    std::string refusal(const json& message) {
        const auto answer = client->send(message);
        return std::to_string(answer->status) + " " +
               json::parse(answer->body).value("description", "accepted");
    }

    json message(const std::string& text) { return {{"chat_id", world.chat_id()}, {"text", text}}; }

    World world;
    std::optional<SimulatorClient> client;
};

TEST_F(TelegramTest, StoresWhatItAcceptsAsSentAndAsRead) {
    const json answer = client->send_text_json("*Vector:* ICMP\\_Flood");
    EXPECT_EQ(answer.at("ok"), true);
    EXPECT_EQ(answer.at("result").at("text"), "Vector: ICMP_Flood");
    ASSERT_TRUE(world.wait_for_messages(1, 0ms));
    const DeliveredMessage stored = world.messages().front();
    EXPECT_EQ(stored.text, "*Vector:* ICMP\\_Flood");
    EXPECT_EQ(stored.plain, "Vector: ICMP_Flood");
    EXPECT_EQ(stored.parse_mode, "Markdown");
    EXPECT_EQ(stored.chat_id, world.chat_id());
    EXPECT_EQ(stored.message_id, answer.at("result").at("message_id"));
    EXPECT_FALSE(stored.thread_id);
}

TEST_F(TelegramTest, AcceptsFormsAndChatIdsInQuotes) {
    const auto answer = client->http().Post(
        "/telegram/bot" + world.bot_token() + "/sendMessage",
        httplib::Params{{"chat_id", std::to_string(world.chat_id())}, {"text", "a b+c&d ā"}});
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(world.messages().front().text, "a b+c&d ā");
}

TEST_F(TelegramTest, RefusesAWrongToken) {
    const auto post = [&](const std::string& token) {
        const auto answer =
            client->http().Post("/telegram/bot" + token + "/sendMessage", "{}", "application/json");
        return json::parse(answer->body);
    };
    EXPECT_EQ(post("1:wrong"), json({{"ok", false}, {"error_code", 401}, {"description", "Unauthorized"}}));
    EXPECT_EQ(post("nonsense"), json({{"ok", false}, {"error_code", 404}, {"description", "Not Found"}}));
    EXPECT_EQ(world.requests().front().path, "/telegram/bot<token>/sendMessage");
}

TEST_F(TelegramTest, NamesTheOffsetOfAnUnclosedEntityButTakesTheSameTextPlain) {
    const json answer = client->send_text_json("ASN: MEGAHOST_");
    EXPECT_EQ(answer.at("error_code"), 400);
    EXPECT_EQ(answer.at("description"),
              "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 13");
    EXPECT_EQ(client->send_text_json("ASN: MEGAHOST_", "").at("ok"), true);
    EXPECT_EQ(world.messages().size(), 1U);
}

TEST_F(TelegramTest, CountsTheLengthAfterTheMarksAreGone) {
    EXPECT_EQ(refusal({{"chat_id", world.chat_id()},
                       {"parse_mode", "markdown"},
                       {"text", "*" + std::string(4096, 'x') + "*"}}),
              "200 accepted");
    EXPECT_EQ(refusal(message(std::string(4097, 'x'))), "400 Bad Request: message is too long");
    EXPECT_EQ(refusal(message(std::string(32769, 'x'))), "400 Bad Request: text is too long");
}

TEST_F(TelegramTest, RefusesEmptyTextAndTextThatIsNotUtf8) {
    EXPECT_EQ(refusal(message(" \n")), "400 Bad Request: message text is empty");
    EXPECT_EQ(refusal({{"chat_id", world.chat_id()}}), "400 Bad Request: message text is empty");
    const auto raw = client->http().Post("/telegram/bot" + world.bot_token() + "/sendMessage",
                                         "chat_id=" + std::to_string(world.chat_id()) + "&text=%FF",
                                         "application/x-www-form-urlencoded");
    EXPECT_EQ(json::parse(raw->body).at("description"), "Bad Request: strings must be encoded in UTF-8");
}

TEST_F(TelegramTest, RefusesUnknownChatsAndThreadsAndABotThatWasKicked) {
    world.configure_telegram([](TelegramSettings& settings) {
        settings.chats = {{.id = -1, .threads = {7}}, {.id = -2, .state = TelegramChat::State::kKicked}};
    });
    EXPECT_EQ(refusal({{"chat_id", -9}, {"text", "x"}}), "400 Bad Request: chat not found");
    EXPECT_EQ(refusal({{"chat_id", "-1"}, {"text", "x"}, {"message_thread_id", 8}}),
              "400 Bad Request: message thread not found");
    EXPECT_EQ(refusal({{"chat_id", "-1"}, {"text", "x"}, {"message_thread_id", 7}}), "200 accepted");
    EXPECT_EQ(refusal({{"chat_id", -2}, {"text", "x"}}),
              "403 Forbidden: bot was kicked from the supergroup chat");
    EXPECT_EQ(world.messages().front().thread_id, 7);
}

TEST_F(TelegramTest, TellsTheNewIdOfAnUpgradedGroup) {
    world.configure_telegram([](TelegramSettings& settings) {
        settings.chats = {
            {.id = -5, .type = "group", .state = TelegramChat::State::kUpgraded, .migrated_to = -1005},
            {.id = -1005}};
    });
    const json answer = json::parse(client->send({{"chat_id", -5}, {"text", "x"}})->body);
    EXPECT_EQ(answer.at("description"), "Bad Request: group chat was upgraded to a supergroup chat");
    EXPECT_EQ(answer.at("parameters").at("migrate_to_chat_id"), -1005);
    EXPECT_EQ(refusal({{"chat_id", -1005}, {"text", "x"}}), "200 accepted");
}

TEST_F(TelegramTest, AnswersGetMeAndGetChat) {
    const std::string base = "/telegram/bot" + world.bot_token();
    EXPECT_EQ(json::parse(client->http().Get(base + "/getMe")->body).at("result").at("id"), 123456789);
    EXPECT_EQ(client->http().Get(base + "/getChat?chat_id=" + std::to_string(world.chat_id()))->status, 200);
    EXPECT_EQ(client->http().Get(base + "/getChat?chat_id=1")->status, 400);
}

TEST_F(TelegramTest, LimitsTheRateOfAChatAndCountsCallsThatComeTooEarly) {
    world.configure_telegram([](TelegramSettings& settings) {
        settings.rates = {.enabled = true, .per_message = 60000ms, .burst = 2};
    });
    EXPECT_EQ(refusal(message("1")), "200 accepted");
    EXPECT_EQ(refusal(message("2")), "200 accepted");
    const auto limited = client->send(message("3"));
    EXPECT_EQ(limited->status, 429);
    EXPECT_EQ(limited->get_header_value("Retry-After"), "60");
    EXPECT_EQ(json::parse(limited->body).at("parameters").at("retry_after"), 60);
    EXPECT_EQ(json::parse(limited->body).at("description"), "Too Many Requests: retry after 60");
    EXPECT_EQ(world.counters().telegram_retry_after_violations, 0U);
    EXPECT_EQ(client->send(message("3"))->status, 429);
    EXPECT_EQ(world.counters().telegram_retry_after_violations, 1U);
    EXPECT_EQ(world.counters().telegram_rate_limited, 2U);
    EXPECT_EQ(world.messages().size(), 2U);
}

TEST_F(TelegramTest, LimitsAGroupPerWindow) {
    world.configure_telegram([](TelegramSettings& settings) {
        settings.rates = {.enabled = true,
                          .per_message = 1ms,
                          .burst = 100,
                          .group_window = 30000ms,
                          .per_group_window = 3};
    });
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client->send(message("x"))->status, 200);
    const auto limited = client->send(message("x"));
    EXPECT_EQ(limited->status, 429);
    EXPECT_EQ(limited->get_header_value("Retry-After"), "30");
}

TEST_F(TelegramTest, AcceptsAgainAfterTheWaitItTold) {
    world.configure_telegram([](TelegramSettings& settings) {
        settings.rates = {.enabled = true, .per_message = 2s, .burst = 1};
    });
    EXPECT_EQ(client->send(message("1"))->status, 200);
    const std::string told = client->send(message("2"))->get_header_value("Retry-After");
    ASSERT_TRUE(told == "2" || told == "1") << told;  // 1 where more than a second has passed since the first
    const auto until = std::chrono::steady_clock::now() + (told == "2" ? 2s : 1s);
    static_cast<void>(
        world.wait_until([&](const World&) { return std::chrono::steady_clock::now() >= until; }));
    EXPECT_EQ(client->send(message("2"))->status, 200);
    EXPECT_EQ(world.counters().telegram_retry_after_violations, 0U);
}

}  // namespace
}  // namespace cam::simulator
