// Tokens stay where the operator put them (contract, section 2): B34, B35.

#include <csignal>
#include <filesystem>
#include <map>
#include <ostream>

#include <gtest/gtest.h>

#include "integration/site.h"

namespace cam::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using nlohmann::json;
using simulator::Fault;
using simulator::Target;

const std::string kCloudflareToken = "Q7x9Lm2Vb8Rz4Kp6Wn3Ty5Hj1Gd0FsXcBvNqEw";
const std::string kBotToken = "987654321:AAzQ8xW2vN5mK7jH4gF6dS9aP3oI1uY0tRe";
const std::string kApiToken = "h5Yt7Ui9Op1As3Df5Gh7Jk9Lz2Xc4Vb6Nm8Q";

class SecretsTest : public SiteTest {
protected:
    void SetUp() override {
        SiteTest::SetUp();
        world_.configure_cloudflare(
            [](simulator::CloudflareSettings& settings) { settings.api_token = kCloudflareToken; });
        world_.configure_telegram(
            [](simulator::TelegramSettings& settings) { settings.bot_token = kBotToken; });
        write("config/secrets/api", kApiToken + "\n");
        use_private_chat();
    }

    /// Fails the test if `text` holds a piece of a token that somebody could go on with.
    static void expect_clean(const std::string& what, const std::string& text) {
        constexpr std::size_t kPiece = 12;
        for (const std::string& token : {kCloudflareToken, kBotToken, kApiToken}) {
            for (std::size_t i = 0; i + kPiece <= token.size(); ++i) {
                const std::size_t at = text.find(token.substr(i, kPiece));
                if (at == std::string::npos) continue;
                const std::size_t from = at < 80 ? 0 : at - 80;
                ADD_FAILURE() << "a token leaked into " << what << ": " << text.substr(from, 200);
                return;
            }
        }
        EXPECT_EQ(text.find("/bot987654321"), std::string::npos) << what;
    }
    /// Everything that the program has written or said so far.
    void expect_no_trace() const {
        for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
            if (!entry.is_regular_file() || entry.path().string().starts_with(file("config"))) continue;
            expect_clean(entry.path().string(), read_text(entry.path().string()));
        }
        for (const auto& message : world_.messages()) expect_clean("a message", message.text);
    }
    [[nodiscard]] std::string get(std::uint16_t port, const std::string& path) const {
        return run({.arguments = {"-sS", "-i", "http://127.0.0.1:" + std::to_string(port) + path},
                    .folder = folder_.path(),
                    .environment = {},
                    .program = "/usr/bin/curl"})
            .out;
    }
};

struct Keeping {
    const char* name;
    json settings;  ///< changes that put the tokens where they are kept
    std::vector<std::string> environment;
};

std::ostream& operator<<(std::ostream& out, const Keeping& one) {
    return out << one.name;
}

class SecretsKeptTest : public SecretsTest, public testing::WithParamInterface<Keeping> {
protected:
    void SetUp() override {
        SecretsTest::SetUp();
        write("config/secrets/cloudflare", kCloudflareToken + "\n");
        write("config/secrets/telegram", kBotToken + "\n");
        port_ = free_port();
        json changes = GetParam().settings;
        changes["api"] = {{"enabled", true},
                          {"listen", "127.0.0.1:" + std::to_string(port_)},
                          {"token_file", "config/secrets/api"}};
        configure(changes);
    }
    [[nodiscard]] Process::Options program(std::vector<std::string> arguments) const {
        arguments.insert(arguments.end(), {"--log-level", "trace"});
        Process::Options options = command(std::move(arguments));
        options.environment = GetParam().environment;
        return options;
    }
    std::uint16_t port_ = 0;
    int events_ = 0;
};

TEST_P(SecretsKeptTest, LeaveNoTraceWhateverCloudflareSays) {  // B34
    const std::string echo = "the token \"" + kCloudflareToken + "\" of account x: ";
    for (const Fault& fault :
         {Fault::status(401).saying(echo),
          Fault::status(403).saying(echo + "not authorized for that account"),
          Fault::status(400).saying("unknown field \"Bearer " + kCloudflareToken + "\""),
          Fault::graphql_errors(std::string(150, '-') + echo), Fault::body("<p>" + echo, 502),
          Fault::body(json{{"errors", {{{"message", echo}}}}}.dump(), 403), Fault::reset(),
          Fault::cut_connection(), Fault::gzip_garbage(),
          Fault::status(301).with_header("Location", world_.url() + "/?token=" + kCloudflareToken)}) {
        world_.set_faults({Fault{fault}.on(Target::kGraphql).times(1),
                           Fault{fault}.on(Target::kSettings).times(1), Fault{fault}.on(Target::kPrefixes)});
        Process daemon(program({}));
        EXPECT_TRUE(daemon.wait_for_log("bgp status unknown")) << daemon.err();
        EXPECT_TRUE(daemon.wait_for_log("account limits unknown")) << daemon.err();
        EXPECT_TRUE(daemon.wait_for_log("cloudflare query failed") || daemon.wait_for_log("poll completed"))
            << daemon.err();
        // Nobody waits for its farewell; besides, a kill leaves the -wal file behind.
        daemon.signal(SIGKILL);
        static_cast<void>(daemon.wait());
    }
    world_.clear_faults();
    expect_no_trace();
}

TEST_P(SecretsKeptTest, LeaveNoTraceWhateverTelegramSays) {  // B34
    const std::string echo = "https://api.telegram.org/bot" + kBotToken + "/sendMessage: ";
    for (const Fault& fault :
         {Fault::status(404).saying(echo + "Not Found"),
          Fault::status(401).saying("Unauthorized " + kBotToken),
          Fault::status(400).saying("Bad Request: can't parse entities in " + echo),
          Fault::status(400).saying("Bad Request: chat not found " + echo), Fault::body("<p>" + echo, 502),
          Fault::status(500).saying(std::string(180, '-') + echo), Fault::reset(), Fault::hang_up(),
          Fault::status(302).with_header("Location", world_.url() + "/bot" + kBotToken + "/sendMessage")}) {
        world_.set_faults({Fault{fault}.on(Target::kTelegram).times(1)});
        world_.add_event(event(30, {{"attackId", "attack-" + std::to_string(++events_)}}));
        Process poll(program({"--once"}));
        ASSERT_TRUE(eventually([&] {
            return poll.err().find("message delivered") != std::string::npos ||
                   poll.err().find("not delivered") != std::string::npos ||
                   poll.err().find("will never take") != std::string::npos || !poll.running();
        })) << poll.err();
        // A long pause after a refusal is of no interest here; a kill leaves the -wal file behind.
        poll.signal(SIGKILL);
        static_cast<void>(poll.wait());
        execute("UPDATE outbox SET delivered_at = '2026-01-01 00:00:00.000' WHERE state = 'delivered'");
    }
    world_.clear_faults();
    expect_no_trace();
}

TEST_P(SecretsKeptTest, LeaveNoTraceInProcessListDryRunCheckAndApi) {  // B35
    world_.add_event(event(60));
    const Finished check = run(program({"--check-config"}));
    EXPECT_EQ(check.status, 0) << check.out << check.err;
    const Finished test = run(program({"--test"}));
    EXPECT_EQ(test.status, 0) << test.err;
    EXPECT_NE(test.out.find("MITIGATION EVENT"), std::string::npos) << test.out;

    Process daemon(program({}));
    ASSERT_TRUE(world_.wait_for_messages(2)) << daemon.err();
    const std::string self = "/proc/" + std::to_string(daemon.pid());
    expect_clean("the process list", read_text(self + "/cmdline"));
    expect_clean("thread names", read_text(self + "/comm"));
    for (const char* path : {"/events", "/healthz", "/readyz", "/metrics", "/preferences", "/nowhere"}) {
        const std::string answer = get(port_, path);
        EXPECT_EQ(answer.rfind("HTTP/1.1 ", 0), 0U) << path << ": " << answer;
        expect_clean(path, answer);
    }
    daemon.signal(SIGHUP);
    ASSERT_TRUE(daemon.wait_for_log("settings reloaded")) << daemon.err();
    ASSERT_TRUE(eventually([&] { return fs::exists(database() + "-wal"); }));
    daemon.signal(SIGKILL);  // leaves the -wal file behind
    static_cast<void>(daemon.wait());
    expect_no_trace();
}

INSTANTIATE_TEST_SUITE_P(
    Everywhere, SecretsKeptTest,
    testing::Values(
        Keeping{"Inline", json::object(), {}},
        Keeping{"InFiles",
                {{"cloudflare", {{"api_token", nullptr}, {"api_token_file", "config/secrets/cloudflare"}}},
                 {"telegram", {{"bot_token", nullptr}, {"bot_token_file", "config/secrets/telegram"}}}},
                {}},
        Keeping{"InTheEnvironment",
                {{"cloudflare", {{"api_token", "wrong-and-overruled"}}},
                 {"telegram", {{"bot_token", "1:wrong-and-overruled"}}}},
                {"CLOUDFLARE_API_TOKEN=" + kCloudflareToken, "TELEGRAM_BOT_TOKEN=" + kBotToken}}),
    [](const testing::TestParamInfo<Keeping>& test) { return std::string{test.param.name}; });

TEST_F(SecretsTest, LeaveNoTraceOnTheWayToNobody) {  // B34
    configure();
    world_.stop();
    Process daemon(command({"--log-level", "trace"}));
    Process notice(command({"notify", "anybody?"}));
    EXPECT_TRUE(daemon.wait_for_log("poll failed")) << daemon.err();
    EXPECT_TRUE(daemon.wait_for_log("message not delivered")) << daemon.err();
    EXPECT_TRUE(daemon.wait_for_log("bgp status unknown")) << daemon.err();
    daemon.signal(SIGKILL);
    static_cast<void>(daemon.wait());
    EXPECT_EQ(notice.wait(60s), 1) << notice.err();
    expect_no_trace();
}

TEST_F(SecretsTest, StayOutOfTheErrorsOfABrokenSettingsFile) {
    configure();
    const json good = json::parse(read_text(settings_file()));
    std::map<std::string, std::string> files;
    const auto changed = [&](const std::string& name, const json& changes) {
        json settings = good;
        settings.merge_patch(changes);
        files[name] = settings.dump(2);
    };
    const std::string text = good.dump(2);
    files["cut in the middle of the bot token"] = text.substr(0, text.find(kBotToken) + 20);
    files["cut behind the token"] = text.substr(0, text.find(kCloudflareToken) + kCloudflareToken.size());
    files["a comma too many"] = R"({"cloudflare": {"api_token": ")" + kCloudflareToken + R"(",}})";
    files["no object"] = "[\"" + kCloudflareToken + "\"]";
    files["bare text"] = kBotToken;
    changed("a list", {{"cloudflare", {{"api_token", {kCloudflareToken}}}}});
    changed("an object", {{"telegram", {{"bot_token", {{"token", kBotToken}}}}}});
    changed("instead of the group", {{"telegram", kBotToken}});
    changed("with a blank", {{"cloudflare", {{"api_token", "Bearer " + kCloudflareToken}}}});
    changed("with a line end", {{"telegram", {{"bot_token", kBotToken + "\n"}}}});
    changed("in the URL", {{"telegram", {{"api_url", "api.telegram.org/bot" + kBotToken}}}});
    changed("in a URL of another scheme",
            {{"telegram", {{"api_url", "ftp://api.telegram.org/bot" + kBotToken + "/"}}}});
    for (const auto& [name, settings] : files) {
        write("config/settings.json", settings);
        for (const char* mode : {"--check-config", "--once", "--test"}) {
            const Finished done = run(command({mode}));
            EXPECT_EQ(done.status, 2) << name << " " << mode << "\n" << done.out << done.err;
            expect_clean(name + " " + mode, done.out + done.err);
        }
        const Finished daemon = run(command({}));
        EXPECT_EQ(daemon.status, 2) << name;
        expect_clean(name, daemon.out + daemon.err);
    }
    expect_no_trace();
}

TEST_F(SecretsTest, StayOutOfTheErrorsWhenWrittenUnderTheWrongKey) {
    for (const json& changes :
         {json{{"cloudflare", {{"api_token", nullptr}, {"api_token_file", kCloudflareToken}}}},
          json{{"telegram", {{"bot_token", nullptr}, {"bot_token_file", kBotToken}}}},
          json{{"api", {{"token_file", kApiToken}}}}, json{{"telegram", {{"message_thread_id", kBotToken}}}},
          json{{"telegram", {{"chat_id", {kBotToken}}}}},
          json{{"monitor", {{"poll_interval_seconds", kCloudflareToken}}}}}) {
        configure(changes);
        const Finished check = run(command({"--check-config"}));
        EXPECT_EQ(check.status, 2) << check.out;
        expect_clean(changes.dump(), check.out + check.err);
        expect_clean(changes.dump(), once().err);
    }
}

}  // namespace
}  // namespace cam::test
