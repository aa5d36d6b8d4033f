#include "app/alert_command.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/base/temp_folder.h"
#include "fakes/net/fake_http_client.h"

namespace cam::app {
namespace {

using nlohmann::json;

constexpr const char* kNone = R"({"result":[],"errors":[],"success":true})";
constexpr const char* kOne = R"({"result":[{"id":"7","rule_name":"web"}],"errors":[],"success":true})";

class AlertCommandTest : public testing::Test {
protected:
    /// A settings file with this `api` group and nothing else.
    std::string settings(const json& api) {
        const std::string file = folder_.path() + "/settings.json";
        std::ofstream(file) << json{{"api", api}}.dump();
        return file;
    }
    static AlertSource source(const Invocation& asked, const std::optional<std::string>& token = {}) {
        const auto found = alert_source(asked, token, Environment{});
        EXPECT_TRUE(found) << found.error().detail;
        return found ? found.value() : AlertSource{};
    }
    static Invocation with(const std::string& file) {
        Invocation asked;
        asked.config = file;
        return asked;
    }
    Result<std::string> ask(const std::optional<Secret>& token = {}) {
        return active_alerts(http_, {.address = {"127.0.0.1", 8090}, .token = token});
    }

    TempFolder folder_;
    net::FakeHttpClient http_;
};

TEST_F(AlertCommandTest, AsksTheAddressOfTheSettings) {
    EXPECT_EQ(source(with(settings({{"listen", "127.0.0.1:9999"}}))).address.text(), "127.0.0.1:9999");
    EXPECT_EQ(source(with(settings(json::object()))).address.text(), "127.0.0.1:8090");
}

TEST_F(AlertCommandTest, AsksLoopbackOfADaemonThatListensEverywhere) {
    std::ofstream(folder_.path() + "/token") << "s3cret\n";
    const json token_file = folder_.path() + "/token";
    const auto v4 = source(with(settings({{"listen", "0.0.0.0:8090"}, {"token_file", token_file}})));
    EXPECT_EQ(v4.address.text(), "127.0.0.1:8090");
    ASSERT_TRUE(v4.token);
    EXPECT_EQ(v4.token->reveal(), "s3cret");
    EXPECT_EQ(source(with(settings({{"listen", "[::]:8090"}, {"token_file", token_file}}))).address.text(),
              "[::1]:8090");
}

TEST_F(AlertCommandTest, AnAddressAndATokenThatAreGivenWin) {
    Invocation asked = with(settings({{"enabled", false}, {"token_file", "not-there"}}));
    asked.alert_api = "[::1]:7000";
    const AlertSource found = source(asked, "given");
    EXPECT_EQ(found.address.text(), "[::1]:7000");
    ASSERT_TRUE(found.token);
    EXPECT_EQ(found.token->reveal(), "given");
}

TEST_F(AlertCommandTest, ANamedFileMustBeReadable) {
    const auto found = alert_source(with(folder_.path() + "/none.json"), {}, Environment{});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::kInvalid);
    EXPECT_NE(found.error().detail.find("none.json"), std::string::npos);
}

TEST_F(AlertCommandTest, OnlyMistakesInTheApiGroupMatter) {
    const auto wrong = alert_source(with(settings({{"listen", "everywhere"}})), {}, Environment{});
    ASSERT_FALSE(wrong);
    EXPECT_NE(wrong.error().detail.find("api.listen"), std::string::npos) << wrong.error().detail;
    const auto no_token = alert_source(with(settings({{"token_file", "none"}})), {}, Environment{});
    ASSERT_FALSE(no_token);
    EXPECT_NE(no_token.error().detail.find("api.token_file"), std::string::npos) << no_token.error().detail;
    const std::string file = folder_.path() + "/odd.json";
    std::ofstream(file) << R"({"monitor": {"poll_interval_seconds": "often"}})";
    EXPECT_EQ(source(with(file)).address.port, 8090);
}

TEST_F(AlertCommandTest, ADaemonWithoutAnApiCannotBeAsked) {
    const auto found = alert_source(with(settings({{"enabled", false}})), {}, Environment{});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::kUnreachable);
    EXPECT_NE(found.error().detail.find("api.enabled"), std::string::npos);
}

TEST_F(AlertCommandTest, NoAlertsAreAnEmptyText) {
    http_.then_body(200, kNone);
    const auto told = ask();
    ASSERT_TRUE(told);
    EXPECT_EQ(told.value(), "");
    ASSERT_EQ(http_.requests.size(), 1U);
    EXPECT_EQ(http_.requests[0].url, "http://127.0.0.1:8090/alerts?active=true&limit=10000");
    EXPECT_TRUE(http_.requests[0].headers.empty());
    EXPECT_EQ(http_.requests[0].way, net::Way::kDirect) << "a proxy cannot reach this machine's loopback";
}

TEST_F(AlertCommandTest, AlertsAreAJsonArrayInTheServersOrder) {
    http_.then_body(200, kOne);
    const auto told = ask(Secret{"s3cret"});
    ASSERT_TRUE(told);
    EXPECT_EQ(told.value(), "[\n  {\n    \"id\": \"7\",\n    \"rule_name\": \"web\"\n  }\n]\n");
    using Header = std::pair<std::string, std::string>;
    EXPECT_EQ(http_.requests[0].headers, (std::vector{Header{"Authorization", "Bearer s3cret"}}));
}

TEST_F(AlertCommandTest, EveryOtherAnswerIsAnErrorThatSaysWhatToDo) {
    http_.then_error(ErrorCode::kUnreachable)
        .then_body(401, "{}")
        .then_body(500, R"({"result":null,"errors":[{"message":"database\nlocked"}],"success":false})")
        .then_body(503, "<html>")
        .then_body(500, R"({"errors":[5]})")
        .then_body(200, "<html>")
        .then_body(200, R"({"result":null})");
    for (const char* part : {"no daemon answers at 127.0.0.1:8090: told by the fake", "CAM_API_TOKEN",
                             "status 500: \"database\\nlocked\"", "status 503", "status 500",
                             "is not the daemon's API", "is not the daemon's API"}) {
        const auto told = ask(Secret{"s3cret"});
        ASSERT_FALSE(told) << part;
        EXPECT_NE(told.error().detail.find(part), std::string::npos) << told.error().detail;
        EXPECT_EQ(told.error().detail.find("s3cret"), std::string::npos);
        EXPECT_EQ(told.error().detail.find('\n'), std::string::npos);
    }
}

}  // namespace
}  // namespace cam::app
