// Logging in with the token, and what a session may: over the real server, and the tables by the clock.

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "api/login_limiter.h"
#include "api/session_table.h"
#include "fakes/base/fake_clock.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::seconds;

class SessionTest : public SiteTest {
protected:
    void SetUp() override { start(Secret{"s3cret"}); }

    httplib::Result log_in(const std::string& token, httplib::Headers headers = {}) {
        return client_->Post("/session", headers, json{{"token", token}}.dump(), "application/json");
    }
    /// The cookie as a browser sends it back.
    static std::string cookie_of(const httplib::Result& answer) {
        const std::string header = answer->get_header_value("Set-Cookie");
        return header.substr(0, header.find(';'));
    }
    struct Browser {
        std::string cookie, csrf;
    };
    Browser logged_in() {
        const auto answer = log_in("s3cret");
        EXPECT_EQ(answer->status, 200);
        return {.cookie = cookie_of(answer), .csrf = opened(answer)["result"]["csrf"]};
    }
    int put(const httplib::Headers& headers) {
        return client_->Put("/preferences", headers, R"({"my_prefixes_only":false})", "application/json")
            ->status;
    }
    static int status(const httplib::Result& answer) { return answer ? answer->status : 0; }
};

TEST_F(SessionTest, TellsBeforeTheLoginThatOneIsNeeded) {
    const json told = opened(client_->Get("/session"))["result"];
    EXPECT_EQ(told, json({{"required", true}, {"authenticated", false}, {"csrf", nullptr}}));
    EXPECT_EQ(status(client_->Get("/events")), 401);
}

TEST_F(SessionTest, TheTokenOpensASessionThatReads) {
    const auto answer = log_in("s3cret");
    ASSERT_EQ(status(answer), 200);
    const std::string cookie = cookie_of(answer);
    EXPECT_EQ(cookie.size(), std::string{"cam_session="}.size() + 64);
    EXPECT_EQ(status(client_->Get("/events", {{"Cookie", cookie}})), 200);
    EXPECT_EQ(status(client_->Get("/events", {{"Cookie", "theme=dark; " + cookie + "; a=b"}})), 200);
    const json told = opened(client_->Get("/session", {{"Cookie", cookie}}))["result"];
    EXPECT_EQ(told["authenticated"], true);
    EXPECT_EQ(told["csrf"], opened(answer)["result"]["csrf"]);
}

TEST_F(SessionTest, TheCookieIsOutOfReachForScriptsAndForOtherSites) {
    const std::string plain = log_in("s3cret")->get_header_value("Set-Cookie");
    for (const char* part : {"; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=604800"}) {
        EXPECT_NE(plain.find(part), std::string::npos) << plain;
    }
    EXPECT_EQ(plain.find("Secure"), std::string::npos);
    const auto by_https = log_in("s3cret", {{"Host", "noc.example"}, {"Origin", "https://noc.example"}});
    EXPECT_NE(by_https->get_header_value("Set-Cookie").find("; Secure"), std::string::npos);
    const auto claimed = log_in("s3cret", {{"X-Forwarded-Proto", "https"}});
    EXPECT_EQ(claimed->get_header_value("Set-Cookie").find("Secure"), std::string::npos);
}

TEST_F(SessionTest, AWriteByCookieNeedsTheCsrfToken) {
    const Browser browser = logged_in();
    EXPECT_EQ(put({{"Cookie", browser.cookie}}), 403);
    EXPECT_EQ(put({{"Cookie", browser.cookie}, {"X-CSRF-Token", ""}}), 403);
    EXPECT_EQ(put({{"Cookie", browser.cookie}, {"X-CSRF-Token", std::string(64, 'a')}}), 403);
    EXPECT_EQ(put({{"Cookie", browser.cookie}, {"X-CSRF-Token", logged_in().csrf}}), 403) << "of another";
    EXPECT_TRUE(my_prefixes_only_);
    EXPECT_EQ(put({{"Cookie", browser.cookie}, {"X-CSRF-Token", browser.csrf}}), 200);
    EXPECT_FALSE(my_prefixes_only_);
    for (const char* method : {"POST", "PUT", "DELETE"}) {
        httplib::Request request;
        request.method = method;
        request.path = std::string{method} == "POST" ? "/rules" : "/rules/x";
        request.headers = {{"Cookie", browser.cookie}};
        if (request.method != "DELETE") request.body = "{}";
        EXPECT_EQ(status(client_->send(request)), 403) << method;
    }
}

TEST_F(SessionTest, AForeignPageCannotWriteEvenWithTheTokenOfItsOwn) {
    const Browser browser = logged_in();
    const httplib::Headers foreign{
        {"Cookie", browser.cookie}, {"X-CSRF-Token", browser.csrf}, {"Origin", "https://evil.example"}};
    EXPECT_EQ(put(foreign), 403);
    EXPECT_EQ(status(log_in("s3cret", {{"Origin", "https://evil.example"}})), 403) << "login CSRF";
}

TEST_F(SessionTest, TheBearerTokenWritesWithoutACsrfToken) {
    EXPECT_EQ(put({{"Authorization", "Bearer s3cret"}}), 200);
    const Browser browser = logged_in();
    EXPECT_EQ(
        put({{"Authorization", "Bearer wrong"}, {"Cookie", browser.cookie}, {"X-CSRF-Token", browser.csrf}}),
        401);
}

TEST_F(SessionTest, LoggingOutEndsTheSessionAndNoOther) {
    const Browser first = logged_in();
    const Browser second = logged_in();
    const httplib::Headers mine{{"Cookie", first.cookie}};
    EXPECT_EQ(status(client_->Delete("/session", mine)), 403) << "a write needs the CSRF token";
    const auto answer = client_->Delete("/session", {{"Cookie", first.cookie}, {"X-CSRF-Token", first.csrf}});
    EXPECT_EQ(status(answer), 200);
    EXPECT_NE(answer->get_header_value("Set-Cookie").find("cam_session=; "), std::string::npos);
    EXPECT_NE(answer->get_header_value("Set-Cookie").find("Max-Age=0"), std::string::npos);
    EXPECT_EQ(status(client_->Get("/events", mine)), 401);
    EXPECT_EQ(status(client_->Get("/events", {{"Cookie", second.cookie}})), 200);
}

TEST_F(SessionTest, AMadeUpSessionIsNone) {
    for (const std::string& cookie :
         {std::string{"cam_session="}, "cam_session=" + std::string(64, '0'), std::string{"cam_session"},
          logged_in().cookie + "; cam_session=x", std::string{"other=s3cret"}}) {
        EXPECT_EQ(status(client_->Get("/events", {{"Cookie", cookie}})), 401) << cookie;
    }
}

TEST_F(SessionTest, GuessingIsSlowedDownAndTheTokenStillWorksAsBearer) {
    int refused = 0;
    httplib::Result answer = log_in("guess");
    for (; status(answer) == 401 && refused < 100; ++refused) answer = log_in("guess");
    EXPECT_EQ(refused, 5);
    EXPECT_EQ(status(answer), 429);
    const int wait = std::stoi(answer->get_header_value("Retry-After"));
    EXPECT_GE(wait, 1);
    EXPECT_LE(wait, 30);
    EXPECT_EQ(status(log_in("s3cret")), 429) << "the right one does not tell itself apart";
    EXPECT_EQ(put({{"Authorization", "Bearer s3cret"}}), 200);
}

TEST_F(SessionTest, ALoginThatIsNoneNamesTheFault) {
    EXPECT_EQ(status(client_->Post("/session", "{", "application/json")), 400);
    EXPECT_EQ(status(client_->Post("/session", "{}", "application/json")), 422);
    EXPECT_EQ(status(client_->Post("/session", R"({"token":7})", "application/json")), 422);
    EXPECT_EQ(status(client_->Post("/session", std::string(2 << 20, ' '), "application/json")), 413);
}

TEST_F(SessionTest, WithoutATokenNobodyNeedsToLogIn) {
    start({});
    const json none{{"required", false}, {"authenticated", true}, {"csrf", nullptr}};
    EXPECT_EQ(opened(client_->Get("/session"))["result"], none);
    EXPECT_EQ(opened(log_in("anything"))["result"], none);
    EXPECT_EQ(put({}), 200);
    EXPECT_EQ(put({{"Origin", "http://evil.example"}}), 403);
}

TEST(SessionTableTest, ASessionEndsWhenItIsIdleAndAtTheLatestAfterAWeek) {
    FakeClock clock;
    SessionTable table({.sessions = 4, .idle = hours{12}, .whole = hours{7 * 24}}, clock);
    const std::string idle = table.open().value();
    clock.advance(hours{12} - seconds{1});
    EXPECT_TRUE(table.knows(idle));
    clock.advance(seconds{1});
    EXPECT_FALSE(table.use(idle));
    const std::string busy = table.open().value();
    for (int hour = 1; hour < 7 * 24; ++hour) {
        clock.advance(hours{1});
        ASSERT_TRUE(table.use(busy)) << hour;
    }
    clock.advance(hours{1});
    EXPECT_FALSE(table.use(busy));
}

TEST(SessionTableTest, HoldsABoundedNumberAndGivesUpTheOneThatIsIdleLongest) {
    FakeClock clock;
    SessionTable table({.sessions = 3}, clock);
    std::set<std::string> ids;
    const std::string first = table.open().value();
    clock.advance(seconds{1});
    const std::string second = table.open().value();
    clock.advance(seconds{1});
    EXPECT_TRUE(table.use(first));
    for (int i = 0; i < 2; ++i) ids.insert(table.open().value());
    EXPECT_EQ(ids.size(), 2U);
    EXPECT_TRUE(table.knows(first));
    EXPECT_FALSE(table.knows(second));
    for (const std::string& id : ids) EXPECT_TRUE(table.knows(id));
}

TEST(LoginLimiterTest, EachSourceHasItsOwnTries) {
    FakeClock clock;
    LoginLimiter limiter({}, clock);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(limiter.take("192.0.2.1")) << i;
    EXPECT_EQ(limiter.take("192.0.2.1"), seconds{30});
    EXPECT_FALSE(limiter.take("192.0.2.2"));
    clock.advance(seconds{20});
    EXPECT_EQ(limiter.take("192.0.2.1"), seconds{10});
    clock.advance(seconds{10});
    EXPECT_FALSE(limiter.take("192.0.2.1"));
    EXPECT_TRUE(limiter.take("192.0.2.1"));
}

TEST(LoginLimiterTest, AnIpv6NetworkIsOneSource) {
    FakeClock clock;
    LoginLimiter limiter({}, clock);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(limiter.take(fmt::format("2001:db8::{}", i + 1)));
    EXPECT_TRUE(limiter.take("2001:db8::ffff"));
    EXPECT_FALSE(limiter.take("2001:db8:0:1::1"));
}

TEST(LoginLimiterTest, ManySourcesShareABoundButNotThoseFromWhichSomebodyLoggedIn) {
    FakeClock clock;
    LoginLimiter limiter({}, clock);
    EXPECT_FALSE(limiter.take("198.51.100.1"));
    limiter.succeeded("198.51.100.1");
    int passed = 0;
    for (int i = 0; i < 200; ++i) passed += limiter.take(fmt::format("10.0.0.{}", i)) ? 0 : 1;
    EXPECT_EQ(passed, 29);
    EXPECT_FALSE(limiter.take("198.51.100.1"));
    clock.advance(seconds{2});
    EXPECT_FALSE(limiter.take("10.0.1.1"));
}

TEST(LoginLimiterTest, RemembersABoundedNumberOfSources) {
    FakeClock clock;
    LoginLimiter limiter({.all = {.at_once = 1'000'000, .pause = seconds{1}}, .sources = 10}, clock);
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(limiter.take("192.0.2.1"));
    EXPECT_TRUE(limiter.take("192.0.2.1"));
    for (int i = 0; i < 10; ++i) {
        clock.advance(std::chrono::milliseconds{1});
        EXPECT_FALSE(limiter.take(fmt::format("10.0.0.{}", i)));
    }
    EXPECT_FALSE(limiter.take("192.0.2.1")) << "forgotten: memory is bounded, the bound in all stays";
}

}  // namespace
}  // namespace cam::api
