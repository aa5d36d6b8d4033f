#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cam/notify/telegram.h"
#include "fakes/net/fake_http_client.h"

namespace cam::notify {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr const char* kToken = "123456789:AAabcdefghijklmnopqrstuvwxyz0123456";

class TelegramClientTest : public testing::Test {
protected:
    TelegramClientTest() {
        http_.then([this](const net::HttpRequest&) { return answer_; });
    }
    /// From now on.
    void answer(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
        answer_ = net::HttpResponse{status, std::move(headers), std::move(body)};
    }
    void fail(ErrorCode code, std::string detail) { answer_ = Error{code, std::move(detail)}; }

    SendOutcome send(Markup markup = Markup::kMarkdown) {
        TelegramClient client(http_, {.api_url = api_url_, .bot_token = Secret(token_)});
        return client.send(target_, "*text*", markup, 5s, stop_.get_token());
    }
    /// What an answer of that status and description comes to.
    SendResult refusal(int status, const std::string& description, Markup markup = Markup::kMarkdown) {
        answer(status, json{{"ok", false}, {"error_code", status}, {"description", description}}.dump());
        return send(markup).result;
    }
    json body() const { return json::parse(http_.requests.back().body); }

    net::FakeHttpClient http_;
    Result<net::HttpResponse> answer_ =
        net::HttpResponse{200, {}, R"({"ok":true,"result":{"message_id":1}})"};
    std::string api_url_ = "https://api.telegram.org";
    std::string token_ = kToken;
    TelegramClient::Target target_{"-1001234567890", {}};
    std::stop_source stop_;
};

TEST_F(TelegramClientTest, PostsTheMessageAsJsonWithoutALinkPreview) {
    EXPECT_EQ(send().result, SendResult::kSent);
    const net::HttpRequest& request = http_.requests.at(0);
    EXPECT_EQ(request.method, net::Method::kPost);
    EXPECT_EQ(request.url, std::string("https://api.telegram.org/bot") + kToken + "/sendMessage");
    EXPECT_EQ(request.total, 5s);
    EXPECT_LE(request.connect, request.total);
    EXPECT_LE(request.max_response_bytes, 1U << 20U);
    EXPECT_EQ(request.headers.at(0),
              (std::pair<std::string, std::string>{"Content-Type", "application/json"}));
    EXPECT_EQ(body(), (json{{"chat_id", -1001234567890},
                            {"text", "*text*"},
                            {"parse_mode", "Markdown"},
                            {"link_preview_options", {{"is_disabled", true}}}}));
}

TEST_F(TelegramClientTest, SendsPlainTextWithoutAParseMode) {
    send(Markup::kPlain);
    EXPECT_FALSE(body().contains("parse_mode"));
}

TEST_F(TelegramClientTest, SendsAChannelNameAsTextAndAThreadOnlyIfThereIsOne) {
    target_ = {"@goline_soc", 17};
    send();
    EXPECT_EQ(body().at("chat_id"), "@goline_soc");
    EXPECT_EQ(body().at("message_thread_id"), 17);
    target_ = {"99999999999999999999", {}};  // no 64-bit number
    send();
    EXPECT_EQ(body().at("chat_id"), "99999999999999999999");
    EXPECT_FALSE(body().contains("message_thread_id"));
}

TEST_F(TelegramClientTest, AsksTheServerOfTheSettings) {
    api_url_ = "http://127.0.0.1:8081/telegram//";
    send();
    EXPECT_EQ(http_.requests.at(0).url,
              std::string("http://127.0.0.1:8081/telegram/bot") + kToken + "/sendMessage");
}

TEST_F(TelegramClientTest, EncodesATokenThatAUrlCannotHold) {
    token_ = "1:a/../b?c#d%e";
    send();
    EXPECT_EQ(http_.requests.at(0).url, "https://api.telegram.org/bot1:a%2F..%2Fb%3Fc%23d%25e/sendMessage");
}

TEST_F(TelegramClientTest, AsksNobodyWithATokenThatCannotBeOne) {
    for (const std::string token : {"", "1:a b", "1:abc\n", "\r1:abc"}) {
        token_ = token;
        EXPECT_EQ(send().result, SendResult::kTokenRefused);
    }
    EXPECT_TRUE(http_.requests.empty());
}

TEST_F(TelegramClientTest, AsksNobodyWhenStoppingOrOutOfTime) {
    TelegramClient client(http_, {.bot_token = Secret(kToken)});
    EXPECT_EQ(client.send(target_, "x", Markup::kPlain, 0ms, {}).result, SendResult::kUnreachable);
    stop_.request_stop();
    EXPECT_EQ(send().result, SendResult::kCancelled);
    EXPECT_TRUE(http_.requests.empty());
}

TEST_F(TelegramClientTest, SurvivesTextThatIsNoUtf8) {
    TelegramClient client(http_, {.bot_token = Secret(kToken)});
    EXPECT_EQ(client.send(target_, "a\xFF", Markup::kPlain, 5s, {}).result, SendResult::kSent);
    EXPECT_EQ(body().at("text"), "a\xEF\xBF\xBD");
}

TEST_F(TelegramClientTest, TellsTheIdOfASentMessage) {
    answer(200, R"({"ok":true,"result":{"message_id":4711,"chat":{"id":-1}}})");
    EXPECT_EQ(send().message_id, 4711);
}

TEST_F(TelegramClientTest, TakesAYesWithoutAnIdForAYes) {
    for (const char* body :
         {R"({"ok":true})", R"({"ok":true,"result":true})", R"({"ok":true,"result":{"message_id":"x"}})"}) {
        answer(200, body);
        const SendOutcome outcome = send();
        EXPECT_EQ(outcome.result, SendResult::kSent) << body;
        EXPECT_EQ(outcome.message_id, 0) << body;
    }
}

TEST_F(TelegramClientTest, WaitsAsLongAsTheBodyTheHeaderOrTheWordsSay) {
    answer(
        429,
        R"({"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":34}})",
        {{"retry-after", "33"}});
    SendOutcome outcome = send();
    EXPECT_EQ(outcome.result, SendResult::kRetryAfter);
    EXPECT_EQ(outcome.retry_after, 34s);

    answer(429, R"({"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35"})",
           {{"retry-after", "33"}});
    EXPECT_EQ(send().retry_after, 33s);
    answer(429, R"({"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35"})");
    EXPECT_EQ(send().retry_after, 35s);
    answer(429, "<html>429 Too Many Requests</html>", {{"retry-after", "7"}});
    outcome = send();
    EXPECT_EQ(outcome.result, SendResult::kRetryAfter);
    EXPECT_EQ(outcome.retry_after, 7s);
    answer(429, "", {{"retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"}});
    outcome = send();
    EXPECT_EQ(outcome.result, SendResult::kRetryAfter);
    EXPECT_FALSE(outcome.retry_after);
}

TEST_F(TelegramClientTest, NeverWaitsLongerThanADay) {
    answer(429, R"({"ok":false,"error_code":429,"parameters":{"retry_after":9223372036854775807}})");
    EXPECT_EQ(send().retry_after, 24h);
    answer(429, R"({"ok":false,"error_code":429})", {{"retry-after", "99999999999999999999999"}});
    EXPECT_EQ(send().retry_after, 24h);
    answer(429, R"({"ok":false,"error_code":429,"parameters":{"retry_after":-5}})");
    EXPECT_FALSE(send().retry_after);
}

TEST_F(TelegramClientTest, KnowsARefusedMarkupWhateverItsWords) {
    EXPECT_EQ(
        refusal(400,
                "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 5"),
        SendResult::kBadEntities);
    EXPECT_EQ(refusal(400, "Bad Request: ENTITY_BOUNDS_INVALID"), SendResult::kBadEntities);
    EXPECT_EQ(refusal(400, "Bad Request: unsupported parse_mode"), SendResult::kBadEntities);
    EXPECT_EQ(refusal(400, "Bad Request: can't parse entities", Markup::kPlain), SendResult::kTextRefused);
}

TEST_F(TelegramClientTest, TellsWhereAGroupMigratedTo) {
    answer(
        400,
        R"({"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1009876543210}})");
    const SendOutcome outcome = send();
    EXPECT_EQ(outcome.result, SendResult::kMigrated);
    EXPECT_EQ(outcome.migrate_to, -1009876543210);
    EXPECT_EQ(refusal(400, "Bad Request: group chat was upgraded to a supergroup chat"),
              SendResult::kChatRefused);
}

TEST_F(TelegramClientTest, SendsToTheChatWhenTheThreadIsAtFault) {
    target_.thread_id = 5;
    EXPECT_EQ(refusal(400, "Bad Request: message thread not found"), SendResult::kThreadMissing);
    EXPECT_EQ(refusal(400, "Bad Request: TOPIC_DELETED"), SendResult::kThreadMissing);
    EXPECT_EQ(refusal(400, "Bad Request: TOPIC_CLOSED"), SendResult::kThreadMissing);
    target_.thread_id.reset();  // there is nothing left to leave out
    EXPECT_EQ(refusal(400, "Bad Request: TOPIC_CLOSED"), SendResult::kChatRefused);
}

TEST_F(TelegramClientTest, KnowsATextThatWillNeverBeTaken) {
    for (const char* words : {"Bad Request: message is too long", "Bad Request: text is too long",
                              "Bad Request: message text is empty", "Bad Request: text must be non-empty",
                              "Bad Request: text must be encoded in UTF-8",
                              "Bad Request: strings must be encoded in UTF-8", "Bad Request: something new"})
        EXPECT_EQ(refusal(400, words), SendResult::kTextRefused) << words;
    EXPECT_EQ(refusal(413, "Request Entity Too Large"), SendResult::kTextRefused);
    answer(413, "<html><body>413 Request Entity Too Large</body></html>");
    EXPECT_EQ(send().result, SendResult::kTextRefused);
}

TEST_F(TelegramClientTest, KnowsAChatWhereTheBotCannotWrite) {
    for (const char* words :
         {"Bad Request: chat not found", "Bad Request: not enough rights to send text messages to the chat",
          "Bad Request: have no rights to send a message",
          "Bad Request: need administrator rights in the channel chat", "Bad Request: CHAT_WRITE_FORBIDDEN",
          "Bad Request: CHANNEL_PRIVATE", "Bad Request: PEER_ID_INVALID", "Bad Request: chat_id is empty",
          "Bad Request: user not found", "Bad Request: CHAT_RESTRICTED"})
        EXPECT_EQ(refusal(400, words), SendResult::kChatRefused) << words;
    for (const char* words : {"Forbidden: bot was kicked from the supergroup chat",
                              "Forbidden: bot was blocked by the user", "Forbidden: user is deactivated", ""})
        EXPECT_EQ(refusal(403, words), SendResult::kChatRefused) << words;
}

TEST_F(TelegramClientTest, KnowsARefusedToken) {
    EXPECT_EQ(refusal(401, "Unauthorized"), SendResult::kTokenRefused);
    EXPECT_EQ(refusal(401, "Unauthorized: invalid token specified"), SendResult::kTokenRefused);
    EXPECT_EQ(refusal(404, "Not Found"), SendResult::kTokenRefused);
}

TEST_F(TelegramClientTest, TriesAgainAfterServerErrorsNotKnowingWhatTheyDid) {
    EXPECT_EQ(refusal(500, "Internal Server Error"), SendResult::kUnknown);
    EXPECT_EQ(refusal(502, "Bad Gateway"), SendResult::kUnknown);
    answer(502, "<html><head><title>502 Bad Gateway</title></head></html>");
    EXPECT_EQ(send().result, SendResult::kUnknown);
    answer(
        500,
        R"({"ok":false,"error_code":500,"description":"Internal Server Error: restart","parameters":{"retry_after":5}})");
    const SendOutcome outcome = send();
    EXPECT_EQ(outcome.result, SendResult::kUnknown);
    EXPECT_EQ(outcome.retry_after, 5s);
}

TEST_F(TelegramClientTest, DoesNotTakeAnUnreadableYesForAnAnswer) {
    for (const char* body : {"", "OK", "<html>", R"({"ok":tr)", "[true]", "null", R"({"result":{}})",
                             R"({"ok":"true"})", R"({"ok":1})"}) {
        answer(200, body);
        EXPECT_EQ(send().result, SendResult::kUnknown) << body;
    }
    answer(200, std::string(100'000, '['));  // deep
    EXPECT_EQ(send().result, SendResult::kUnknown);
    answer(502, R"({"ok":true})");
    EXPECT_EQ(send().result, SendResult::kUnknown);
}

TEST_F(TelegramClientTest, BelievesTheBodysCodeAndWithoutOneTheStatus) {
    answer(200, R"({"ok":false,"error_code":401,"description":"Unauthorized"})");
    EXPECT_EQ(send().result, SendResult::kTokenRefused);
    answer(403, R"({"ok":false})");
    EXPECT_EQ(send().result, SendResult::kChatRefused);
    answer(403, R"({"ok":false,"error_code":99999999999})");
    EXPECT_EQ(send().result, SendResult::kChatRefused);
    answer(200, R"({"ok":false})");
    EXPECT_EQ(send().result, SendResult::kUnknown);
}

// A proxy's no is not Telegram's: neither chat nor token nor text are at fault.
TEST_F(TelegramClientTest, TriesAgainWhenSomebodyElseSaysNo) {
    for (const int status : {301, 302, 400, 401, 403, 404, 407, 408}) {
        answer(status, "<html>no</html>");
        const SendOutcome outcome = send();
        EXPECT_EQ(outcome.result, SendResult::kUnreachable) << status;
        EXPECT_NE(outcome.detail.find(std::to_string(status)), std::string::npos);
    }
    EXPECT_EQ(refusal(409, "Conflict: bot is being moved"), SendResult::kUnreachable);
}

TEST_F(TelegramClientTest, TellsAFailureBeforeTheRequestFromOneAfterIt) {
    const auto failure = [this](ErrorCode code) {
        fail(code, "why");
        const SendOutcome outcome = send();
        EXPECT_EQ(outcome.detail, "why");
        return outcome.result;
    };
    EXPECT_EQ(failure(ErrorCode::kUnreachable), SendResult::kUnreachable);
    EXPECT_EQ(failure(ErrorCode::kTls), SendResult::kUnreachable);
    EXPECT_EQ(failure(ErrorCode::kTimeout), SendResult::kUnknown);
    EXPECT_EQ(failure(ErrorCode::kBroken), SendResult::kUnknown);
    EXPECT_EQ(failure(ErrorCode::kTooLarge), SendResult::kUnknown);
    EXPECT_EQ(failure(ErrorCode::kInternal), SendResult::kUnknown);
    EXPECT_EQ(failure(ErrorCode::kCancelled), SendResult::kCancelled);
}

TEST_F(TelegramClientTest, NeverRepeatsTheTokenOrTheUrl) {
    const std::string leak = std::string("failed: https://api.telegram.org/bot") + kToken +
                             "/sendMessage and " + kToken +
                             " and bot42:short and 987654321:ZZZZZZZZZZZZZZZZZZZZZZ at 12:30:45\nsecond line";
    answer(401, json{{"ok", false}, {"error_code", 401}, {"description", leak}}.dump());
    const std::string refused = send().detail;
    fail(ErrorCode::kBroken, leak);
    const std::string broken = send().detail;
    EXPECT_EQ(refused, broken);
    EXPECT_EQ(refused,
              "failed: <api_url>/bot<token>/sendMessage and <token> and bot<token> and <token> at 12:30:45 "
              "second line");
}

TEST_F(TelegramClientTest, NeverRepeatsAnEncodedToken) {
    token_ = "1:a/b";
    answer(404, R"({"ok":false,"error_code":404,"description":"no /1:a%2Fb/ and no 1:a/b"})");
    EXPECT_EQ(send().detail, "no /<token>/ and no <token>");
}

TEST_F(TelegramClientTest, SaysSomethingShortOnOneLineWhateverComes) {
    answer(400, json{{"ok", false}, {"description", std::string(100'000, '7') + "\n"}}.dump());
    EXPECT_LE(send().detail.size(), 210U);
    answer(400, R"({"ok":false,"description":17})");
    EXPECT_EQ(send().detail, "error 400 without a description");
}

TEST(SendResultTest, HasANameForEachValue) {
    EXPECT_STREQ(name(SendResult::kSent), "sent");
    EXPECT_STREQ(name(SendResult::kThreadMissing), "thread_missing");
    EXPECT_STREQ(name(SendResult::kCancelled), "cancelled");
}

}  // namespace
}  // namespace cam::notify
