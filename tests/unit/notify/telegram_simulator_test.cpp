#include <chrono>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "cam/net/http_client.h"
#include "cam/notify/render.h"
#include "cam/notify/telegram.h"
#include "simulator/markdown.h"
#include "simulator/world.h"
#include "unit/notify/samples.h"

// The real client over real HTTP, against a Telegram that answers as the Bot API's sources say.
namespace cam::notify {
namespace {

using namespace std::chrono_literals;
using simulator::Fault;
using simulator::Target;
using simulator::TelegramChat;
using simulator::TelegramSettings;

class TelegramSimulatorTest : public testing::Test {
protected:
    void SetUp() override {
        world_.configure_telegram([](TelegramSettings& telegram) {
            telegram.bot_token = kToken;
            telegram.chats = {TelegramChat{.id = -1001234567890, .username = "goline_soc", .threads = {7}},
                              TelegramChat{.id = -42, .state = TelegramChat::State::kKicked},
                              TelegramChat{.id = -43,
                                           .type = "group",
                                           .state = TelegramChat::State::kUpgraded,
                                           .migrated_to = -1001234567890}};
        });
        world_.start();
        auto http = net::CurlHttpClient::create("cam-test");
        ASSERT_TRUE(http);
        http_ = std::move(*http);
    }

    SendOutcome send(std::string_view text, Markup markup = Markup::kMarkdown,
                     std::chrono::milliseconds total = 10s) {
        TelegramClient client(*http_, {.api_url = world_.telegram_url(), .bot_token = Secret(token_)});
        return client.send(target_, text, markup, total, {});
    }

    static constexpr const char* kToken = "123456789:AAsimulatedTelegramBotToken0123456789";
    std::string token_ = kToken;
    TelegramClient::Target target_{"-1001234567890", {}};
    simulator::World world_;
    std::unique_ptr<net::CurlHttpClient> http_;
};

TEST_F(TelegramSimulatorTest, DeliversTheGoldenMessagesUnchanged) {
    std::size_t sent = 0;
    for (const char* name : {"single", "aggregated", "startup", "shutdown"}) {
        const std::string text = test::golden(name);
        const SendOutcome outcome = send(text);
        ASSERT_EQ(outcome.result, SendResult::kSent) << outcome.detail;
        ASSERT_EQ(world_.messages().size(), ++sent);
        EXPECT_EQ(world_.messages().back().text, text);
        EXPECT_EQ(world_.messages().back().parse_mode, "Markdown");
        EXPECT_EQ(world_.messages().back().message_id, outcome.message_id);
    }
}

TEST_F(TelegramSimulatorTest, ShowsTheGoldenTextsWithoutMarks) {
    for (const char* name : {"single", "aggregated", "startup", "shutdown"}) {
        const simulator::RenderedText rendered = simulator::render_markdown(test::golden(name));
        EXPECT_FALSE(rendered.unclosed_at);
        EXPECT_EQ(rendered.plain.find_first_of("*_`"), std::string::npos) << name;
    }
}

TEST_F(TelegramSimulatorTest, DeliversHostileNamesAsPeopleShouldReadThem) {
    MitigationEvent event = test::sample_event();
    event.attack_vector = "CDN77 _*[`\\";
    Place place = test::sample_place();
    place.organization = "***************************************";
    RenderOptions options;
    options.place_of = [&place](const IpAddress&) { return place; };
    ASSERT_EQ(send(render_event({&event, {}}, options).text).result, SendResult::kSent);
    const std::string plain = world_.messages().at(0).plain;
    EXPECT_TRUE(test::mentions(plain, "Vector: CDN77 _*[`\\\n"));
    EXPECT_TRUE(test::mentions(plain, "ASN: AS137959 - ***************************************\n"));
}

TEST_F(TelegramSimulatorTest, SendsARefusedTextPlain) {
    EXPECT_EQ(send("*never closed").result, SendResult::kBadEntities);
    EXPECT_EQ(send("*never closed", Markup::kPlain).result, SendResult::kSent);
    EXPECT_EQ(world_.messages().at(0).plain, "*never closed");
}

TEST_F(TelegramSimulatorTest, FindsAChannelByNameAndAThreadByNumber) {
    target_ = {"@goline_soc", 7};
    EXPECT_EQ(send("x").result, SendResult::kSent);
    EXPECT_EQ(world_.messages().at(0).thread_id, 7);
    target_.thread_id = 8;
    EXPECT_EQ(send("x").result, SendResult::kThreadMissing);
}

TEST_F(TelegramSimulatorTest, TellsRefusalsApart) {
    EXPECT_EQ(send(" ").result, SendResult::kTextRefused);
    EXPECT_EQ(send(std::string(5000, 'x')).result, SendResult::kTextRefused);
    EXPECT_EQ(send(std::string(40'000, 'x')).result, SendResult::kTextRefused);
    target_.chat_id = "-1";
    EXPECT_EQ(send("x").result, SendResult::kChatRefused);
    target_.chat_id = "-42";
    EXPECT_EQ(send("x").result, SendResult::kChatRefused);
    target_.chat_id = "-43";
    const SendOutcome migrated = send("x");
    EXPECT_EQ(migrated.result, SendResult::kMigrated);
    EXPECT_EQ(migrated.migrate_to, -1001234567890);
    token_ = "123456789:AAother";
    EXPECT_EQ(send("x").result, SendResult::kTokenRefused);
    token_ = "no/token";
    EXPECT_EQ(send("x").result, SendResult::kTokenRefused);
    EXPECT_TRUE(world_.messages().empty());
}

TEST_F(TelegramSimulatorTest, HearsHowLongToWait) {
    world_.add_fault(Fault::rate_limited(17s).on(Target::kTelegram).times(1));
    const SendOutcome outcome = send("x");
    EXPECT_EQ(outcome.result, SendResult::kRetryAfter);
    EXPECT_EQ(outcome.retry_after, 17s);
}

TEST_F(TelegramSimulatorTest, DoesNotKnowWhatALostAnswerMeans) {
    world_.add_fault(Fault::answer_lost().on(Target::kTelegram).times(1));
    EXPECT_EQ(send("x").result, SendResult::kUnknown);
    EXPECT_EQ(world_.messages().size(), 1U);  // it had been sent
    world_.set_faults({Fault::stall().on(Target::kTelegram)});
    EXPECT_EQ(send("x", Markup::kMarkdown, 300ms).result, SendResult::kUnknown);
    world_.set_faults({Fault::status(502, simulator::BodyKind::kHtml).on(Target::kTelegram)});
    EXPECT_EQ(send("x").result, SendResult::kUnknown);
}

TEST_F(TelegramSimulatorTest, KnowsThatNothingWasSentWhenNobodyListens) {
    world_.stop();
    const SendOutcome outcome = send("x");
    EXPECT_EQ(outcome.result, SendResult::kUnreachable);
    EXPECT_FALSE(test::mentions(outcome.detail, "AAsimulated"));
    EXPECT_FALSE(test::mentions(outcome.detail, world_.telegram_url()));
}

}  // namespace
}  // namespace cam::notify
