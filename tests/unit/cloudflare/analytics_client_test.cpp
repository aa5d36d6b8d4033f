#include "cam/cloudflare/analytics_client.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "fakes/net/fake_http_client.h"

namespace cam::cloudflare {
namespace {

using namespace std::chrono_literals;
using net::FakeHttpClient;
using net::HttpRequest;
using net::HttpResponse;

/// Moves only when a test moves it.
class TurnedClock final : public Clock {
public:
    [[nodiscard]] WallTime wall() const override { return wall_; }
    [[nodiscard]] SteadyTime steady() const override { return steady_; }
    bool sleep_until(SteadyTime, std::stop_token) override { return true; }
    void turn(std::chrono::milliseconds by) {
        wall_ += by;
        steady_ += by;
    }

private:
    WallTime wall_ = parse_time("2026-01-19T23:00:00Z").value_or(WallTime{});
    SteadyTime steady_{};
};

constexpr std::string_view kNoRows =
    R"({"data":{"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":[]}]}},"errors":null})";
const std::string kTokenText = "cf-secret-token-0123456789";

class AnalyticsClientTest : public testing::Test {
protected:
    AnalyticsClient client(std::string api_url = "https://api.example/client/v4",
                           std::string account = "0123abcd") {
        return {http, clock, {std::move(api_url), std::move(account), Secret{kTokenText}}};
    }
    Result<EventPage, QueryFailure> events(PageOptions options = {}) {
        return client().events({clock.wall() - 15min, clock.wall()}, options);
    }
    FailureKind events_failure() {
        const auto page = events();
        EXPECT_FALSE(page) << "the answer passed for a page";
        return page ? FailureKind::kCancelled : page.error().kind;
    }
    Result<BgpStatus, QueryFailure> bgp() { return client().bgp_status(30s, {}); }
    Result<AccountLimits, QueryFailure> limits() { return client().limits(10s, {}); }

    FakeHttpClient http;
    TurnedClock clock;
};

TEST_F(AnalyticsClientTest, AsksGraphqlWithTheTokenInTheHeaderOnly) {
    http.then_body(200, std::string{kNoRows});
    ASSERT_TRUE(
        client("https://api.example/client/v4/").events({clock.wall() - 15min, clock.wall()}, {.total = 7s}));
    ASSERT_EQ(http.requests.size(), 1U);
    const HttpRequest& request = http.requests.front();
    EXPECT_EQ(request.method, net::Method::kPost);
    EXPECT_EQ(request.url, "https://api.example/client/v4/graphql");
    EXPECT_EQ(request.total, 7s);
    EXPECT_GE(request.max_response_bytes, 16U * 1024 * 1024);
    EXPECT_LE(request.max_response_bytes, 64U * 1024 * 1024);
    EXPECT_EQ(request.body.find(kTokenText), std::string::npos);
    EXPECT_EQ(request.url.find(kTokenText), std::string::npos);
    const std::pair<std::string, std::string> bearer{"Authorization", "Bearer " + kTokenText};
    EXPECT_EQ(std::count(request.headers.begin(), request.headers.end(), bearer), 1);
}

TEST_F(AnalyticsClientTest, AnEmptyListIsPeace) {
    http.then_body(200, std::string{kNoRows});
    const auto page = events();
    ASSERT_TRUE(page);
    EXPECT_EQ(page->rows, 0U);
    EXPECT_TRUE(page->events.empty());
}

// B6: an outage looked like peace. Each of these must be told apart from an empty list.
TEST_F(AnalyticsClientTest, NoFailureEverLooksLikePeace) {
    struct Case {
        int status;
        std::string body;
        FailureKind kind;
    };
    const std::string null_node =
        R"({"data":{"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":null}]}}})";
    const std::string rows{kNoRows};
    const auto errors = [](const char* message) {
        return fmt::format(R"({{"data":null,"errors":[{{"message":"{}","path":null}}]}})", message);
    };
    for (const Case& expected : {
             Case{200, errors("Internal server error"), FailureKind::kTransient},
             Case{200, R"({"data":null,"errors":null})", FailureKind::kNoData},
             Case{200, R"({"data":{"viewer":{"accounts":[]}},"errors":null})", FailureKind::kUnknownAccount},
             Case{200, R"({"data":{"viewer":{"accounts":[{}]}},"errors":null})", FailureKind::kNoData},
             Case{200, null_node, FailureKind::kNoData},
             Case{200, "", FailureKind::kTransient},
             Case{200, "{}", FailureKind::kNoData},
             Case{200, "<html>captive portal</html>", FailureKind::kTransient},
             Case{200, rows.substr(0, rows.size() - 1), FailureKind::kTransient},
             Case{200, rows.substr(0, rows.find("\"errors\"")) + R"("errors":[{"message":"partial"}]})",
                  FailureKind::kTransient},
             Case{502, "<html>bad gateway</html>", FailureKind::kTransient},
             Case{403, "<html>you have been blocked</html>", FailureKind::kTransient},
             Case{503, rows, FailureKind::kTransient},
             Case{503, "", FailureKind::kTransient},
             Case{500, "{}", FailureKind::kTransient},
             Case{301, "", FailureKind::kTransient},
             Case{429, "", FailureKind::kRateLimited},
             Case{429, "<html>slow down</html>", FailureKind::kRateLimited},
             Case{401, "", FailureKind::kUnauthorized},
             Case{401, errors("Unauthorized"), FailureKind::kUnauthorized},
             Case{403, errors("not authorized for that account"), FailureKind::kForbidden},
             Case{400, errors("unknown field x"), FailureKind::kQueryRefused},
             Case{404, R"({"success":false,"errors":[]})", FailureKind::kQueryRefused},
         }) {
        http = {};
        http.then_body(expected.status, expected.body);
        const FailureKind kind = events_failure();
        EXPECT_EQ(kind, expected.kind) << expected.status << ' ' << expected.body << ": " << name(kind);
    }
}

TEST_F(AnalyticsClientTest, ATransportFailureKeepsItsKind) {
    http.then_error(ErrorCode::kTimeout);
    EXPECT_EQ(events_failure(), FailureKind::kTimeout);
    http = {};
    http.then_error(ErrorCode::kUnreachable);
    EXPECT_EQ(events_failure(), FailureKind::kTransient);
    http = {};
    http.then_error(ErrorCode::kTooLarge);
    EXPECT_EQ(events_failure(), FailureKind::kTooWide) << "half the window has half the answer";
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(events({.stop = stop.get_token()}).error().kind, FailureKind::kCancelled);
}

TEST_F(AnalyticsClientTest, PassesOnRetryAfterInSecondsAndAsADate) {
    http.then_body(503, "", {{"retry-after", "42"}});
    EXPECT_EQ(events().error().retry_after, 42s);
    http = {};
    http.then_body(503, "", {{"retry-after", "Mon, 19 Jan 2026 23:01:30 GMT"}});
    EXPECT_EQ(events().error().retry_after, 90s);
}

TEST_F(AnalyticsClientTest, NamesTheRayIdOfAFailure) {
    http.then_body(500, "{}", {{"cf-ray", "8f1c2d3e-FRA"}});
    EXPECT_NE(events().error().detail.find("8f1c2d3e-FRA"), std::string::npos);
}

TEST_F(AnalyticsClientTest, ALimitThatTheQueryKeptIsNoLimit) {
    http.then_body(400, R"({"data":null,"errors":[{"message":"query time range is too large 86400s"}]})");
    EXPECT_EQ(events().error().kind, FailureKind::kTooWide);
    EXPECT_EQ(events().error().limit, 0U) << "the window had 900 s";
    http = {};
    http.then_body(400,
                   R"({"errors":[{"message":"limit must be positive number and not greater than 20000"}]})");
    EXPECT_EQ(events().error().limit, 0U);
    EXPECT_EQ(events({.limit = 30'000}).error().limit, 20'000U);
}

// B29: a wrong clock shifts every window; the caller must hear of it.
TEST_F(AnalyticsClientTest, TellsTheSkewOfTheClocksBeyondWhatASecondExplains) {
    const auto skew = [&](const char* date, std::chrono::milliseconds took) {
        http = {};
        http.then([=, this](const HttpRequest&) {
            clock.turn(took);
            return HttpResponse{200, {{"date", date}}, std::string{kNoRows}};
        });
        clock = {};
        const auto page = events();
        EXPECT_TRUE(page);
        return page ? page->clock_skew : std::nullopt;
    };
    EXPECT_EQ(skew("Mon, 19 Jan 2026 23:00:00 GMT", 200ms), 0ms);
    EXPECT_EQ(skew("Mon, 19 Jan 2026 22:59:59 GMT", 200ms), 0ms);
    EXPECT_EQ(skew("Mon, 19 Jan 2026 23:00:04 GMT", 5s), 0ms) << "written while we waited";
    EXPECT_EQ(skew("Mon, 19 Jan 2026 23:01:00 GMT", 500ms), 59'500ms);
    EXPECT_EQ(skew("Mon, 19 Jan 2026 22:50:00 GMT", 500ms), -599s);
    EXPECT_EQ(skew("soon", 0ms), std::nullopt);
    http = {};
    http.then_body(200, std::string{kNoRows}, {});
    EXPECT_EQ(events()->clock_skew, std::nullopt);
}

TEST_F(AnalyticsClientTest, ReadsTheAccountsLimits) {
    http.then_body(
        200,
        R"({"data":{"viewer":{"accounts":[{"settings":{"dosdNetworkAnalyticsAdaptiveGroups":{"enabled":true,)"
        R"("availableFields":["dimensions_datetime","sum_packets",7],"maxDuration":259200,)"
        R"("maxNumberOfFields":30,"maxPageSize":5000,"notOlderThan":2678400}}}]}},"errors":null})");
    const auto told = limits();
    ASSERT_TRUE(told);
    EXPECT_TRUE(told->enabled);
    EXPECT_EQ(told->max_page_size, 5000U);
    EXPECT_EQ(told->max_fields, 30U);
    EXPECT_EQ(told->max_duration, 259'200s);
    EXPECT_EQ(told->not_older_than, 2'678'400s);
    EXPECT_EQ(told->available_fields, (std::vector<std::string>{"dimensions_datetime", "sum_packets"}));
}

TEST_F(AnalyticsClientTest, KeepsTheDefaultOfALimitThatIsNotToldOrMeansNothing) {
    http.then_body(
        200,
        R"({"data":{"viewer":{"accounts":[{"settings":{"dosdNetworkAnalyticsAdaptiveGroups":{"enabled":false,)"
        R"("maxDuration":0,"maxNumberOfFields":null,"maxPageSize":"10","notOlderThan":-5}}}]}}})");
    const auto told = limits();
    ASSERT_TRUE(told);
    const AccountLimits defaults;
    EXPECT_FALSE(told->enabled);
    EXPECT_EQ(told->max_page_size, defaults.max_page_size);
    EXPECT_EQ(told->max_fields, defaults.max_fields);
    EXPECT_EQ(told->max_duration, defaults.max_duration);
    EXPECT_EQ(told->not_older_than, defaults.not_older_than);
    EXPECT_TRUE(told->available_fields.empty());
    http = {};
    http.then_body(200,
                   R"({"data":{"viewer":{"accounts":[{"settings":{"dosdNetworkAnalyticsAdaptiveGroups":{)"
                   R"("maxDuration":1e300,"maxPageSize":99999999999999}}}]}}})");
    EXPECT_EQ(limits()->max_page_size, std::numeric_limits<std::uint32_t>::max());
    EXPECT_GT(limits()->max_duration, 24h);
}

TEST_F(AnalyticsClientTest, TellsWhyThereAreNoLimits) {
    struct Case {
        int status;
        const char* body;
        FailureKind kind;
    };
    for (const Case& expected : {
             Case{200, R"({"data":{"viewer":{"accounts":[]}}})", FailureKind::kUnknownAccount},
             Case{200, R"({"data":null,"errors":null})", FailureKind::kNoData},
             Case{200, R"({"data":{"viewer":{"accounts":[{"settings":null}]}}})", FailureKind::kNoData},
             Case{200, R"({"data":{"viewer":{"accounts":[7]}}})", FailureKind::kNoData},
             Case{200, R"({"data":null,"errors":[{"message":"x","extensions":{"code":"budget"}}]})",
                  FailureKind::kRateLimited},
             Case{200, R"({"data":)", FailureKind::kTransient},
             Case{200, "[]", FailureKind::kTransient},
             Case{401, "", FailureKind::kUnauthorized},
             Case{502, "<html>", FailureKind::kTransient},
         }) {
        http = {};
        http.then_body(expected.status, expected.body);
        const auto told = limits();
        ASSERT_FALSE(told) << expected.body;
        EXPECT_EQ(told.error().kind, expected.kind) << expected.body << ": " << name(told.error().kind);
    }
}

TEST_F(AnalyticsClientTest, RefusesSmallAnswersThatNestTooDeep) {
    http.then_body(200, "{\"data\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}");
    EXPECT_EQ(limits().error().kind, FailureKind::kTransient);
}

std::string envelope(std::string_view result) {
    return fmt::format(R"({{"success":true,"errors":[],"messages":[],"result":{}}})", result);
}

// B20: advertised is what the BGP prefixes say, and null is not "withdrawn".
TEST_F(AnalyticsClientTest, CountsBgpPrefixesUnderEveryIpPrefix) {
    http.then_body(200,
                   envelope(R"([{"id":"aa","advertised":true},{"id":"bb"},{"id":"cc"},{"cidr":"no id"}])"))
        .then_body(200, envelope(R"([{"on_demand":{"advertised":true}},{"on_demand":{"advertised":false}}])"))
        .then_body(
            200,
            envelope(
                R"([{"on_demand":{"advertised":null}},{"on_demand":null},{},{"on_demand":{"advertised":"yes"}}])"))
        .then_body(200, envelope("null"));
    const auto status = bgp();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->advertised, 1U);
    EXPECT_EQ(status->unknown, 6U)
        << "four states not told, one IP prefix without BGP prefixes, one without id";
    EXPECT_EQ(status->total, 8U);
    ASSERT_EQ(http.requests.size(), 4U);
    EXPECT_EQ(http.requests[0].url, "https://api.example/client/v4/accounts/0123abcd/addressing/prefixes");
    EXPECT_EQ(http.requests[1].url,
              "https://api.example/client/v4/accounts/0123abcd/addressing/prefixes/aa/bgp/prefixes");
    for (const HttpRequest& request : http.requests) EXPECT_EQ(request.method, net::Method::kGet);
}

TEST_F(AnalyticsClientTest, AnAccountWithoutPrefixesHasNone) {
    http.then_body(200, envelope("[]"));
    EXPECT_EQ(bgp()->total, 0U);
}

TEST_F(AnalyticsClientTest, OneFailingRequestMakesTheWholeStatusUnknown) {
    struct Case {
        int status;
        std::string body;
        FailureKind kind;
    };
    for (
        const Case& expected : {
            Case{500, "", FailureKind::kTransient},
            Case{
                403,
                R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}],"result":null})",
                FailureKind::kForbidden},
            Case{429, R"({"success":false,"errors":[{"code":971,"message":"slow"}]})",
                 FailureKind::kRateLimited},
            Case{200, R"({"success":false,"errors":[],"result":null})", FailureKind::kNoData},
            Case{200, R"({"success":true,"errors":[]})", FailureKind::kNoData},
            Case{200, R"({"success":true,"result":{}})", FailureKind::kNoData},
            Case{200, R"({"success":true,"result":[{}],"result_info":{"count":1,"total_count":2}})",
                 FailureKind::kNoData},
            Case{200, "<html>", FailureKind::kTransient},
        }) {
        for (const bool at_once : {true, false}) {
            http = {};
            if (!at_once) http.then_body(200, envelope(R"([{"id":"aa"},{"id":"bb"}])"));
            if (!at_once) http.then_body(200, envelope(R"([{"on_demand":{"advertised":false}}])"));
            http.then_body(expected.status, expected.body);
            const auto status = bgp();
            ASSERT_FALSE(status) << expected.body;
            EXPECT_EQ(status.error().kind, expected.kind)
                << expected.body << ": " << name(status.error().kind);
        }
    }
}

TEST_F(AnalyticsClientTest, AsksForAllPrefixesWithinOneDeadline) {
    http.then([this](const HttpRequest&) {
            clock.turn(4s);
            return HttpResponse{200, {}, envelope(R"([{"id":"a"},{"id":"b"},{"id":"c"},{"id":"d"}])")};
        })
        .then([this](const HttpRequest&) {
            clock.turn(4s);
            return HttpResponse{200, {}, envelope("[]")};
        });
    const auto status = client().bgp_status(10s, {});
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind, FailureKind::kTimeout);
    ASSERT_EQ(http.requests.size(), 3U);
    EXPECT_EQ(http.requests[0].total, 10s);
    EXPECT_EQ(http.requests[1].total, 6s);
    EXPECT_EQ(http.requests[2].total, 2s);
}

TEST_F(AnalyticsClientTest, AsksNoMorePrefixesThanItMay) {
    const auto list = [](int count) {
        std::string ids;
        for (int i = 0; i < count; ++i) ids += fmt::format(R"({}{{"id":"p{}"}})", i == 0 ? "" : ",", i);
        return envelope("[" + ids + "]");
    };
    http.then_body(200, list(200)).then_body(200, envelope(R"([{"on_demand":{"advertised":true}}])"));
    EXPECT_EQ(bgp()->advertised, 200U);
    http = {};
    http.then_body(200, list(201));
    const auto status = bgp();
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().detail.find("201 IP prefixes"), std::string::npos);
    EXPECT_EQ(http.requests.size(), 1U);
}

TEST_F(AnalyticsClientTest, IdsCannotLeaveTheirPlaceInTheUrl) {
    http.then_body(200, envelope(R"([{"id":"../../../user?x=1#\u00e4"}])")).then_body(200, envelope("[]"));
    ASSERT_TRUE(client("https://api.example", "a/../b c").bgp_status(30s, {}));
    EXPECT_EQ(http.requests[1].url,
              "https://api.example/accounts/a%2F%2E%2E%2Fb%20c/addressing/prefixes/"
              "%2E%2E%2F%2E%2E%2F%2E%2E%2Fuser%3Fx%3D1%23%C3%A4/bgp/prefixes");
}

// B34: neither the token nor the URL may reach a text that is logged.
TEST_F(AnalyticsClientTest, NoFailureTextHoldsTheTokenOrTheUrl) {
    for (const int status : {200, 400, 401, 403, 404, 429, 500}) {
        for (const std::string& body :
             {std::string{}, std::string{"<html>"}, std::string{kNoRows}, std::string{"{}"},
              R"({"errors":[{"message":"bad token )" + kTokenText + "\"}]}"}) {
            http = {};
            http.then_body(status, body);
            std::string texts;
            if (const auto page = events(); !page) texts += page.error().detail;
            if (const auto told = limits(); !told) texts += told.error().detail;
            if (const auto count = bgp(); !count) texts += count.error().detail;
            EXPECT_EQ(texts.find(kTokenText), std::string::npos) << texts;
            EXPECT_EQ(texts.find("api.example"), std::string::npos) << texts;
        }
    }
}

}  // namespace
}  // namespace cam::cloudflare
