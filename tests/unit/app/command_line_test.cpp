#include "app/command_line.h"

#include <initializer_list>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "cam/base/version.h"

namespace cam::app {
namespace {

using namespace std::chrono_literals;

std::variant<Invocation, Farewell> parse(std::initializer_list<const char*> arguments) {
    std::vector<const char*> argv{"cloudflare-analytics-monitor"};
    argv.insert(argv.end(), arguments);
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

Invocation asked(std::initializer_list<const char*> arguments) {
    auto parsed = parse(arguments);
    const auto* invocation = std::get_if<Invocation>(&parsed);
    EXPECT_NE(invocation, nullptr) << std::get<Farewell>(parsed).err;
    return invocation == nullptr ? Invocation{} : *invocation;
}

/// What is said to a wrong use; empty if it was taken for a right one.
std::string misuse(std::initializer_list<const char*> arguments) {
    auto parsed = parse(arguments);
    const auto* farewell = std::get_if<Farewell>(&parsed);
    if (farewell == nullptr) return {};
    EXPECT_EQ(farewell->status, 2);
    EXPECT_EQ(farewell->out, "") << "errors go to standard error";
    EXPECT_EQ(farewell->err.find('\n'), farewell->err.size() - 1) << "one line: " << farewell->err;
    EXPECT_NE(farewell->err.find("--help"), std::string::npos);
    return farewell->err;
}

TEST(CommandLineTest, IsADaemonWithoutOptions) {
    const Invocation invocation = asked({});
    EXPECT_EQ(invocation.mode, Mode::kDaemon);
    EXPECT_EQ(invocation.config, std::nullopt);
    EXPECT_EQ(invocation.lookback, std::nullopt);
    EXPECT_EQ(invocation.log_level, spdlog::level::info);
}

TEST(CommandLineTest, KnowsEachOptionAndItsShortForm) {
    EXPECT_EQ(asked({"--once"}).mode, Mode::kOnce);
    EXPECT_EQ(asked({"-1"}).mode, Mode::kOnce);
    EXPECT_EQ(asked({"--test"}).mode, Mode::kTest);
    EXPECT_EQ(asked({"-t"}).mode, Mode::kTest);
    EXPECT_EQ(asked({"--check-config"}).mode, Mode::kCheckConfig);
    EXPECT_EQ(asked({"--lookback", "60"}).lookback, 60min);
    EXPECT_EQ(asked({"--lookback=60"}).lookback, 60min);
    EXPECT_EQ(asked({"-l", "60"}).lookback, 60min);
    EXPECT_EQ(asked({"--config", "a.json"}).config, "a.json");
    EXPECT_EQ(asked({"-c", "a.json"}).config, "a.json");
    EXPECT_EQ(asked({"--log-level", "debug"}).log_level, spdlog::level::debug);
    EXPECT_EQ(asked({"--log-level", "error"}).log_level, spdlog::level::err);
    EXPECT_EQ(asked({"--log-level", "warn"}).log_level, spdlog::level::warn);
    const Invocation all = asked({"-t", "-l", "5", "-c", "x", "--log-level", "trace"});
    EXPECT_EQ(all.mode, Mode::kTest);
    EXPECT_EQ(all.lookback, 5min);
    EXPECT_EQ(all.config, "x");
    EXPECT_EQ(all.log_level, spdlog::level::trace);
}

TEST(CommandLineTest, TakesALookbackOfOneMinuteToNinetyDaysWithAnyMode) {
    for (const char* mode : {"-1", "-t", "--check-config"}) {
        EXPECT_EQ(asked({mode, "-l", "1"}).lookback, 1min);
        EXPECT_EQ(asked({mode, "-l", "129600"}).lookback, 129'600min);
    }
    for (const char* wrong : {"0", "-1", "129601", "99999999999999999999"}) {
        EXPECT_NE(misuse({"--lookback", wrong}).find("--lookback"), std::string::npos) << wrong;
    }
    for (const char* wrong : {"abc", "1.5", "", "5m"}) EXPECT_NE(misuse({"--lookback", wrong}), "") << wrong;
}

TEST(CommandLineTest, RefusesModesThatExcludeEachOther) {
    EXPECT_NE(misuse({"--once", "--test"}), "");
    EXPECT_NE(misuse({"-t", "-1"}), "");
    EXPECT_NE(misuse({"--once", "--check-config"}), "");
    EXPECT_NE(misuse({"--check-config", "--test"}), "");
    EXPECT_NE(misuse({"--once", "notify", "text"}), "");
}

TEST(CommandLineTest, RefusesWhatItDoesNotKnow) {
    EXPECT_NE(misuse({"--onse"}).find("--onse"), std::string::npos);
    EXPECT_NE(misuse({"-x"}), "");
    EXPECT_NE(misuse({"stray"}).find("stray"), std::string::npos);
    EXPECT_NE(misuse({"--config"}), "") << "without a file";
    EXPECT_NE(misuse({"--log-level", "loud"}).find("'loud'"), std::string::npos);
}

TEST(CommandLineTest, TakesAMessageToSend) {
    const Invocation invocation = asked({"notify", "the watchdog restarted the dashboard", "--recovered"});
    EXPECT_EQ(invocation.mode, Mode::kNotify);
    EXPECT_EQ(invocation.notify_text, "the watchdog restarted the dashboard");
    EXPECT_TRUE(invocation.notify_recovered);
    EXPECT_FALSE(asked({"notify", "x"}).notify_recovered);
    EXPECT_EQ(asked({"notify", "x", "-c", "a.json"}).config, "a.json");
    EXPECT_NE(misuse({"notify"}), "");
}

TEST(CommandLineTest, DecodeTakesOneCapture) {
    const Invocation invocation = asked({"decode", "flows.pcap"});
    EXPECT_EQ(invocation.mode, Mode::kDecode);
    EXPECT_EQ(invocation.capture, "flows.pcap");
    EXPECT_FALSE(invocation.summary);
    EXPECT_EQ(asked({"decode", "-"}).capture, "-");
    EXPECT_TRUE(asked({"decode", "flows.pcap", "--summary"}).summary);
    EXPECT_TRUE(asked({"decode", "--summary", "flows.pcap"}).summary);
    EXPECT_NE(misuse({"decode"}), "");
    EXPECT_NE(misuse({"decode", "a", "b"}), "");
    EXPECT_NE(misuse({"--once", "decode", "a"}), "");
    EXPECT_NE(misuse({"--summary"}), "");
}

TEST(CommandLineTest, AsksForAlertsAndTakesACommandAsItStands) {
    Invocation invocation = asked({"alert"});
    EXPECT_EQ(invocation.mode, Mode::kAlert);
    EXPECT_TRUE(invocation.alert_command.empty());
    EXPECT_EQ(invocation.alert_api, std::nullopt);
    invocation = asked({"alert", "--api", "[::1]:8090", "-c", "a.json", "--", "mail", "-s", "a b", "", "--",
                        "--once", "[x,y]", "$(id)"});
    EXPECT_EQ(invocation.mode, Mode::kAlert);
    EXPECT_EQ(invocation.alert_api, "[::1]:8090");
    EXPECT_EQ(invocation.config, "a.json");
    EXPECT_EQ(invocation.alert_command,
              (std::vector<std::string>{"mail", "-s", "a b", "", "--", "--once", "[x,y]", "$(id)"}));
    EXPECT_TRUE(asked({"alert", "--"}).alert_command.empty());
    EXPECT_NE(misuse({"alert", "--api", "localhost"}).find("--api"), std::string::npos);
    EXPECT_NE(misuse({"alert", "mail"}).find("mail"), std::string::npos) << "a command without --";
    EXPECT_EQ(asked({"notify", "--", "-text"}).notify_text, "-text") << "-- is nothing special elsewhere";
    EXPECT_NE(misuse({"--once", "alert"}), "");
    EXPECT_NE(misuse({"notify", "text", "alert"}), "");
}

TEST(CommandLineTest, IsItsOwnAlertCommandUnderThatName) {
    const auto parse_as_alert = [](std::vector<const char*> argv) {
        argv.insert(argv.begin(), "/usr/libexec/cloudflare-analytics-monitor/alert");
        return parse_command_line(static_cast<int>(argv.size()), argv.data());
    };
    const auto plain = parse_as_alert({});
    ASSERT_TRUE(std::holds_alternative<Invocation>(plain));
    EXPECT_EQ(std::get<Invocation>(plain).mode, Mode::kAlert);
    const auto full = parse_as_alert({"-c", "a.json", "--", "mail", "-s", "x"});
    ASSERT_TRUE(std::holds_alternative<Invocation>(full));
    EXPECT_EQ(std::get<Invocation>(full).config, "a.json");
    EXPECT_EQ(std::get<Invocation>(full).alert_command, (std::vector<std::string>{"mail", "-s", "x"}));
    for (const char* option : {"--help", "--version"}) {
        const auto farewell = parse_as_alert({option});
        ASSERT_TRUE(std::holds_alternative<Farewell>(farewell)) << option;
        EXPECT_EQ(std::get<Farewell>(farewell).status, 0) << option << std::get<Farewell>(farewell).err;
        EXPECT_NE(std::get<Farewell>(farewell).out, "") << option;
    }
}

TEST(CommandLineTest, HelpsAndTellsItsVersion) {
    for (const char* option : {"--help", "-h"}) {
        const auto parsed = parse({option});
        const auto* farewell = std::get_if<Farewell>(&parsed);
        ASSERT_NE(farewell, nullptr);
        EXPECT_EQ(farewell->status, 0);
        EXPECT_EQ(farewell->err, "");
        for (const char* known : {"--once", "--test", "--lookback", "--config", "--check-config",
                                  "--log-level", "--version", "notify", "alert", "decode", "Exit status"}) {
            EXPECT_NE(farewell->out.find(known), std::string::npos) << known;
        }
    }
    const auto parsed = parse({"--version"});
    const auto* farewell = std::get_if<Farewell>(&parsed);
    ASSERT_NE(farewell, nullptr);
    EXPECT_EQ(farewell->status, 0);
    EXPECT_EQ(farewell->out, "cloudflare-analytics-monitor " + std::string{version()} + "\n");
}

}  // namespace
}  // namespace cam::app
