// The command `alert` as cron runs it (contract, section 1), against something that answers like the daemon.

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "cam/base/guarded.h"
#include "integration/site.h"
#include "simulator/http_server.h"

namespace cam::test {
namespace {

using nlohmann::json;

class AlertTest : public testing::Test {
protected:
    void SetUp() override { daemon_.start(0); }

    [[nodiscard]] std::string api() const { return "127.0.0.1:" + std::to_string(daemon_.port()); }
    [[nodiscard]] Finished alert(const std::vector<std::string>& command = {},
                                 const std::vector<std::string>& environment = {}) const {
        std::vector<std::string> arguments{"alert", "--api", api()};
        if (!command.empty()) arguments.emplace_back("--");
        arguments.insert(arguments.end(), command.begin(), command.end());
        return run({.arguments = arguments, .folder = folder_.path(), .environment = environment});
    }
    [[nodiscard]] bool exists(const std::string& name) const {
        return std::filesystem::exists(folder_.path() + "/" + name);
    }
    void raise_alerts(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            alerts_.push_back({{"id", std::to_string(i)}, {"rule_name", "web"}, {"prefix", "10.0.0.0/8"}});
        state_.with([&](State& state) { state.alerts = alerts_; });
    }
    void answer_with(int status) {
        state_.with([&](State& state) { state.status = status; });
    }
    void ask_for_token(const std::string& token) {
        state_.with([&](State& state) { state.token = token; });
    }

    TempFolder folder_;
    json alerts_ = json::array();

private:
    struct State {
        json alerts = json::array();
        int status = 200;
        std::string token;  ///< asked for unless empty
    };
    Guarded<State> state_;

protected:
    simulator::HttpServer daemon_{[this](const simulator::HttpRequest& request) {
        return state_.with([&](const State& state) {
            simulator::HttpResponse answer;
            const bool may =
                state.token.empty() || request.header("authorization") == "Bearer " + state.token;
            answer.status = may ? state.status : 401;
            answer.body = json{{"result", state.alerts}, {"errors", json::array()}, {"success", true}}.dump();
            return answer;
        });
    }};
};

TEST_F(AlertTest, WithoutAlertsItPrintsNothingAndRunsNothing) {
    const Finished plain = alert();
    EXPECT_EQ(plain.status, 0) << plain.err;
    EXPECT_EQ(plain.out, "");
    EXPECT_EQ(plain.err, "");
    EXPECT_EQ(alert({"touch", "ran"}).status, 0);
    EXPECT_FALSE(exists("ran"));
}

TEST_F(AlertTest, PrintsAlertsAsAJsonArray) {
    raise_alerts(2);
    const Finished told = alert();
    EXPECT_EQ(told.status, 0);
    EXPECT_EQ(json::parse(told.out), alerts_);
    EXPECT_EQ(told.err, "");
}

TEST_F(AlertTest, HandsAlertsToACommandWithoutAShell) {
    raise_alerts(1);
    const Finished told = alert({"cat"});
    EXPECT_EQ(told.status, 0);
    EXPECT_EQ(json::parse(told.out), alerts_);
    EXPECT_EQ(alert({"printf", "%s|", "a b", "$(touch ran)", ";", ""}).out, "a b|$(touch ran)|;||");
    EXPECT_FALSE(exists("ran"));
}

TEST_F(AlertTest, ExitsWithTheStatusOfTheCommand) {
    raise_alerts(1);
    EXPECT_EQ(alert({"sh", "-c", "exit 7"}).status, 7);
    EXPECT_EQ(alert({"sh", "-c", "kill -TERM $$"}).status, 128 + SIGTERM);
    EXPECT_EQ(alert({"sh", "-c", "kill -PIPE $$"}).status, 128 + SIGPIPE)
        << "the command has the usual signals";
    const Finished none = alert({"no-such-command"});
    EXPECT_EQ(none.status, 127);
    EXPECT_NE(none.err.find("no-such-command"), std::string::npos);
    EXPECT_EQ(alert({folder_.path()}).status, 126);
}

TEST_F(AlertTest, ACommandThatReadsNothingHarmsNobody) {
    raise_alerts(10'000);
    EXPECT_EQ(alert({"true"}).status, 0);
    EXPECT_EQ(alert({"sh", "-c", "head -c 1 >/dev/null; exit 3"}).status, 3);
    EXPECT_EQ(json::parse(alert({"cat"}).out), alerts_);
}

TEST_F(AlertTest, SaysInOneLineThatNobodyAnswers) {
    daemon_.stop();
    const Finished told = alert({"touch", "ran"});
    EXPECT_EQ(told.status, 3);
    EXPECT_EQ(told.out, "");
    EXPECT_NE(told.err.find("no daemon answers at " + api()), std::string::npos) << told.err;
    EXPECT_EQ(told.err.find('\n'), told.err.size() - 1);
    EXPECT_FALSE(exists("ran"));
}

TEST_F(AlertTest, ExitsWithThreeWhenTheDaemonCannotTell) {
    for (const int status : {403, 404, 500, 503}) {
        answer_with(status);
        const Finished told = alert();
        EXPECT_EQ(told.status, 3);
        EXPECT_NE(told.err.find("status " + std::to_string(status)), std::string::npos) << told.err;
        EXPECT_EQ(told.out, "");
    }
}

TEST_F(AlertTest, TakesTheTokenFromTheEnvironmentAndNeverShowsIt) {
    ask_for_token("s3cret-token");
    raise_alerts(1);
    const Finished without = alert();
    EXPECT_EQ(without.status, 3);
    EXPECT_NE(without.err.find("CAM_API_TOKEN"), std::string::npos);
    const Finished with = alert({}, {"CAM_API_TOKEN=s3cret-token"});
    EXPECT_EQ(with.status, 0) << with.err;
    const Finished wrong = alert({}, {"CAM_API_TOKEN=other-token"});
    EXPECT_EQ(wrong.status, 3);
    EXPECT_EQ(wrong.err.find("other-token"), std::string::npos);
}

TEST_F(AlertTest, GoesPastAProxyOfTheEnvironment) {
    raise_alerts(1);
    EXPECT_EQ(alert({}, {"http_proxy=http://127.0.0.1:1", "all_proxy=http://127.0.0.1:1"}).status, 0);
}

TEST_F(AlertTest, WorksUnderItsOwnNameWithoutSettings) {
    raise_alerts(1);
    const std::string link = folder_.path() + "/alert";
    std::filesystem::create_symlink(CAM_BINARY, link);
    const Finished told = run({.arguments = {"--api", api(), "--", "cat"},
                               .folder = folder_.path(),
                               .environment = {},
                               .program = link});
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(json::parse(told.out), alerts_);
}

TEST_F(AlertTest, RefusesSettingsThatItWasGivenAndCannotRead) {
    const Finished told =
        run({.arguments = {"alert", "--config", "none.json"}, .folder = folder_.path(), .environment = {}});
    EXPECT_EQ(told.status, 2);
    EXPECT_NE(told.err.find("none.json"), std::string::npos);
}

}  // namespace
}  // namespace cam::test
