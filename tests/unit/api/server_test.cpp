#include "cam/api/server.h"

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <httplib.h>
#include <nlohmann/json.hpp>

#include "cam/base/guarded.h"
#include "cam/base/time_text.h"
#include "unit/api/raw_client.h"

namespace cam::api {
namespace {

using nlohmann::json;

/// A server on a free port over a backend that remembers.
class ServerTest : public ::testing::Test {
protected:
    void SetUp() override { start({.host = "127.0.0.1", .port = 0, .token = {}, .metrics = &metrics_}); }

    void start(Server::Options options) {
        auto server = Server::start(std::move(options), backend(), null_logger());
        ASSERT_TRUE(server) << server.error().detail;
        server_ = std::move(server).value();
        client_ = std::make_unique<httplib::Client>("127.0.0.1", server_->port());
    }

    Backend backend() {
        return {
            .events =
                [this](const EventQuery& request) {
                    asked_.with([&](auto& asked) { asked = request; });
                    return events_;
                },
            .my_prefixes_only =
                [this] { return fault_ ? Result<bool>{*fault_} : Result<bool>{my_prefixes_only_.load()}; },
            .set_my_prefixes_only =
                [this](bool value) {
                    if (fault_) return Status{*fault_};
                    my_prefixes_only_ = value;
                    return Status{Done{}};
                },
            .readiness = [this] { return readiness_; },
            .metrics_text = [] { return std::string{"cam_polls_total 7\n"}; }};
    }

    /// The body, after checking that it is an envelope which agrees with the status.
    static json opened(const httplib::Result& answer) {
        if (!answer) {
            ADD_FAILURE() << "no answer: " << httplib::to_string(answer.error());
            return {};
        }
        EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
        EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-store");
        EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff");
        json body = json::parse(answer->body, nullptr, false);
        EXPECT_TRUE(body.is_object()) << answer->body;
        EXPECT_EQ(body.size(), body.contains("result_info") ? 4U : 3U);
        EXPECT_EQ(body.at("success"), answer->status < 400);
        EXPECT_EQ(body.at("errors").empty(), answer->status < 400);
        return body;
    }

    static std::string message(const httplib::Result& answer) {
        const json body = opened(answer);
        return body.is_object() ? body["errors"][0]["message"].get<std::string>() : "";
    }

    Guarded<EventQuery> asked_;
    Result<EventPage> events_ = EventPage{};
    std::optional<Error> fault_;
    std::atomic<bool> my_prefixes_only_ = true;
    Readiness readiness_{.ready = true, .reasons = {}};
    MetricRegistry metrics_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<httplib::Client> client_;
};

TEST_F(ServerTest, HealthzSaysOk) {
    const auto answer = client_->Get("/healthz");
    EXPECT_EQ(opened(answer)["result"], json({{"status", "ok"}}));
    EXPECT_EQ(answer->status, 200);
}

TEST_F(ServerTest, ReadyzGivesTheReasonsWhyNot) {
    auto answer = client_->Get("/readyz");
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(opened(answer)["result"], json({{"ready", true}, {"reasons", json::array()}}));
    readiness_ = {.ready = false, .reasons = {"no poll has succeeded yet"}};
    answer = client_->Get("/readyz");
    EXPECT_EQ(answer->status, 503);
    EXPECT_EQ(opened(answer)["result"]["reasons"], json::array({"no poll has succeeded yet"}));
}

TEST_F(ServerTest, NotReadyWithoutAReasonIsStillAnEnvelopeWithAnError) {
    readiness_ = {.ready = false, .reasons = {}};
    EXPECT_EQ(message(client_->Get("/readyz")), "not ready");
}

TEST_F(ServerTest, MetricsAreInPrometheusTextFormat) {
    const auto answer = client_->Get("/metrics");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(answer->body, "cam_polls_total 7\n");
}

TEST_F(ServerTest, IndexListsThePaths) {
    const json paths = opened(client_->Get("/"))["result"]["paths"];
    EXPECT_EQ(paths["/preferences"], json::array({"GET", "PUT"}));
    EXPECT_EQ(paths["/events"], json::array({"GET"}));
    EXPECT_TRUE(paths.contains("/healthz"));
    EXPECT_TRUE(paths.contains("/readyz"));
    EXPECT_TRUE(paths.contains("/metrics"));
}

TEST_F(ServerTest, EventsHaveTheColumnsOfTheTableWithNullForWhatIsMissing) {
    StoredEvent event;
    event.id = 7;
    event.event_hash = "ab";
    event.attack_id = "attack";
    event.source_port = 53;
    event.rule_name = "caf\xe9";  // not UTF-8
    events_ = EventPage{.events = {event}, .next_cursor = std::nullopt};
    const json list = opened(client_->Get("/events"))["result"];
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0].size(), 23U);
    EXPECT_EQ(list[0]["id"], 7);
    EXPECT_EQ(list[0]["attack_id"], "attack");
    EXPECT_EQ(list[0]["source_port"], 53);
    EXPECT_EQ(list[0]["rule_name"], "caf\xef\xbf\xbd");
    EXPECT_TRUE(list[0]["packets"].is_null());
}

TEST_F(ServerTest, EventsAreAskedForAsTheQuerySays) {
    opened(client_->Get("/events"));
    asked_.with([](const EventQuery& asked) {
        EXPECT_FALSE(asked.since);
        EXPECT_FALSE(asked.attack_id);
        EXPECT_EQ(asked.limit, 100U);
    });
    opened(client_->Get("/events?since=2026-01-19T22:51:50Z&attack_id=a%20b&limit=1000"));
    asked_.with([](const EventQuery& asked) {
        EXPECT_EQ(asked.since, parse_time("2026-01-19T22:51:50Z"));
        EXPECT_EQ(asked.attack_id, "a b");
        EXPECT_EQ(asked.limit, 1000U);
    });
}

TEST_F(ServerTest, EventsUnderstandAnOffsetWhosePlusWasNotEncoded) {
    for (const char* since : {"2026-01-19T23:51:50+01:00", "2026-01-19T23:51:50%2B01:00"}) {
        RawClient client(server_->port());
        client.send(std::string{"GET /events?since="} + since +
                    " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        EXPECT_EQ(status_of(client.read_to_end()), 200) << since;
        asked_.with(
            [](const EventQuery& asked) { EXPECT_EQ(asked.since, parse_time("2026-01-19T22:51:50Z")); });
    }
}

TEST_F(ServerTest, EventsRefuseBadParametersByName) {
    for (const auto& [query, name] :
         std::vector<std::pair<std::string, std::string>>{{"limit=0", "limit"},
                                                          {"limit=1001", "limit"},
                                                          {"limit=-1", "limit"},
                                                          {"limit=ten", "limit"},
                                                          {"limit=", "limit"},
                                                          {"limit=1.5", "limit"},
                                                          {"limit=99999999999", "limit"},
                                                          {"limit=1&limit=2", "limit"},
                                                          {"since=yesterday", "since"},
                                                          {"since=", "since"},
                                                          {"since=2026-13-01T00:00:00Z", "since"},
                                                          {"attack_id=", "attack_id"},
                                                          {"limti=5", "limti"}}) {
        const auto answer = client_->Get("/events?" + query);
        EXPECT_NE(message(answer).find(name), std::string::npos) << query;
        EXPECT_EQ(answer->status, 422) << query;
    }
}

TEST_F(ServerTest, PreferencesAreReadAndWritten) {
    EXPECT_EQ(opened(client_->Get("/preferences"))["result"], json({{"my_prefixes_only", true}}));
    const auto answer = client_->Put("/preferences", R"({"my_prefixes_only": false})", "application/json");
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(opened(answer)["result"], json({{"my_prefixes_only", false}}));
    EXPECT_FALSE(my_prefixes_only_);
    EXPECT_EQ(opened(client_->Get("/preferences"))["result"], json({{"my_prefixes_only", false}}));
}

TEST_F(ServerTest, ABodyIsJsonWhateverItsContentType) {
    for (const char* type : {"application/x-www-form-urlencoded", "text/plain", "multipart/form-data",
                             "multipart/form-data; boundary=x", "nonsense"}) {
        my_prefixes_only_ = true;
        const auto answer = client_->Put("/preferences", R"({"my_prefixes_only":false})", type);
        EXPECT_EQ(answer->status, 200) << type;
        EXPECT_FALSE(my_prefixes_only_) << type;
    }
    const std::string padded = R"({"my_prefixes_only":true})" + std::string(100'000, ' ');
    EXPECT_EQ(client_->Put("/preferences", padded, "application/x-www-form-urlencoded")->status, 200);
}

TEST_F(ServerTest, AChunkedBodyIsTakenToo) {
    const auto answer = client_->Put(
        "/preferences",
        [](std::size_t, httplib::DataSink& sink) {
            const std::string body = R"({"my_prefixes_only":false})";
            sink.write(body.data(), body.size());
            sink.done();
            return true;
        },
        "application/json");
    EXPECT_EQ(answer->status, 200);
    EXPECT_FALSE(my_prefixes_only_);
}

TEST_F(ServerTest, PreferencesRefuseWhatIsNotJsonWith400) {
    for (const char* body : {"", "{", "my_prefixes_only=true", "{'my_prefixes_only': true}", "\xff"}) {
        const auto answer = client_->Put("/preferences", body, "application/json");
        EXPECT_EQ(answer->status, 400) << body;
        opened(answer);
    }
    EXPECT_EQ(client_->Put("/preferences", std::string(1'000'000, '['), "application/json")->status, 400);
    EXPECT_TRUE(my_prefixes_only_);
}

TEST_F(ServerTest, PreferencesRefuseWrongFieldsByName) {
    for (const auto& [body, name] : std::vector<std::pair<std::string, std::string>>{
             {"{}", "my_prefixes_only"},
             {"[]", "a JSON object"},
             {"null", "a JSON object"},
             {"true", "a JSON object"},
             {R"({"my_prefixes_only": "true"})", "my_prefixes_only"},
             {R"({"my_prefixes_only": 1})", "my_prefixes_only"},
             {R"({"my_prefixes_only": null})", "my_prefixes_only"},
             {R"({"my_prefixes_only": true, "colour": 1})", "colour"}}) {
        const auto answer = client_->Put("/preferences", body, "application/json");
        EXPECT_NE(message(answer).find(name), std::string::npos) << body;
        EXPECT_EQ(answer->status, 422) << body;
    }
    EXPECT_TRUE(my_prefixes_only_);
}

TEST_F(ServerTest, PathsWorkWithATrailingSlash) {
    for (const char* path :
         {"/events/", "/events/?limit=1", "/preferences/", "/healthz/", "/readyz/", "/metrics/"}) {
        EXPECT_EQ(client_->Get(path)->status, 200) << path;
    }
    EXPECT_EQ(client_->Put("/preferences/", R"({"my_prefixes_only":false})", "")->status, 200);
    EXPECT_EQ(client_->Get("/events//")->status, 404);
}

TEST_F(ServerTest, HeadGivesTheHeadersOfGetWithoutABody) {
    for (const char* path : {"/", "/events", "/preferences", "/healthz", "/readyz", "/metrics"}) {
        const auto get = client_->Get(path);
        const auto head = client_->Head(path);
        ASSERT_TRUE(head) << path;
        EXPECT_EQ(head->status, 200) << path;
        EXPECT_EQ(head->body, "") << path;
        EXPECT_EQ(head->get_header_value("Content-Length"), get->get_header_value("Content-Length")) << path;
        EXPECT_EQ(head->get_header_value("Content-Type"), get->get_header_value("Content-Type")) << path;
    }
    EXPECT_EQ(client_->Head("/nowhere")->status, 404);
}

TEST_F(ServerTest, UnknownPathsAre404InAnEnvelope) {
    for (const char* path : {"/nowhere", "/events/7/8", "/eventsx", "/%00", "/../etc/passwd", "/Events"}) {
        const auto answer = client_->Get(path);
        opened(answer);
        EXPECT_EQ(answer->status, 404) << path;
    }
}

TEST_F(ServerTest, OtherMethodsAre405WithTheAllowedOnes) {
    const auto post = client_->Post("/events", "{}", "application/json");
    EXPECT_EQ(post->status, 405);
    EXPECT_EQ(post->get_header_value("Allow"), "GET, HEAD");
    opened(post);
    const auto erase = client_->Delete("/preferences/");
    EXPECT_EQ(erase->status, 405);
    EXPECT_EQ(erase->get_header_value("Allow"), "GET, HEAD, PUT");
    EXPECT_EQ(client_->Options("/preferences")->status, 405);
    EXPECT_EQ(client_->Patch("/preferences")->status, 405);
}

TEST_F(ServerTest, ABodyOverOneMebibyteIs413) {
    const auto answer = client_->Put("/preferences", std::string(1024 * 1024 + 1, ' '), "application/json");
    opened(answer);
    EXPECT_EQ(answer->status, 413);
    const std::string fits = R"({"my_prefixes_only":false})";
    EXPECT_EQ(client_->Put("/preferences", fits + std::string(1024 * 1024 - fits.size(), ' '), "")->status,
              200);
}

TEST_F(ServerTest, BackendErrorsAre500WithTheirDetailOnly) {
    fault_ = Error{ErrorCode::kReadOnly, "cannot write dashboard_prefs.json: read-only file system"};
    events_ = Error{ErrorCode::kBusy, "database is locked"};
    const auto put = client_->Put("/preferences", R"({"my_prefixes_only":true})", "");
    EXPECT_EQ(put->status, 500);
    EXPECT_EQ(message(put), "cannot write dashboard_prefs.json: read-only file system");
    EXPECT_EQ(client_->Get("/preferences")->status, 500);
    EXPECT_EQ(message(client_->Get("/events")), "database is locked");
}

TEST(ServerExceptionTest, BackendExceptionsAre500AndSayNothing) {
    Backend backend;
    backend.readiness = []() -> Readiness { throw std::runtime_error("secret path /var/lib"); };
    backend.metrics_text = []() -> std::string { throw 7; };
    auto server = Server::start({.host = "127.0.0.1", .port = 0, .token = {}}, backend, null_logger());
    ASSERT_TRUE(server);
    httplib::Client client("127.0.0.1", (*server)->port());
    for (const char* path : {"/readyz", "/metrics", "/events"}) {  // the last: a function that is not there
        const auto answer = client.Get(path);
        ASSERT_TRUE(answer) << path;
        EXPECT_EQ(answer->status, 500) << path;
        EXPECT_EQ(json::parse(answer->body)["errors"][0]["message"], "internal error") << path;
    }
    EXPECT_EQ(client.Get("/healthz")->status, 200);
}

TEST_F(ServerTest, ATokenIsAskedForEverywhereButAtHealthz) {
    start({.host = "127.0.0.1", .port = 0, .token = Secret{"s3cret"}});
    EXPECT_EQ(client_->Get("/healthz")->status, 200);
    for (const char* path : {"/", "/events", "/preferences", "/readyz", "/metrics", "/nowhere"}) {
        const auto answer = client_->Get(path);
        opened(answer);
        EXPECT_EQ(answer->status, 401) << path;
        EXPECT_EQ(answer->get_header_value("WWW-Authenticate"), "Bearer") << path;
    }
    EXPECT_EQ(client_->Put("/preferences", R"({"my_prefixes_only":false})", "")->status, 401);
    EXPECT_TRUE(my_prefixes_only_);
    client_->set_bearer_token_auth("wrong");
    EXPECT_EQ(client_->Get("/events")->status, 401);
    client_->set_bearer_token_auth("s3cret");
    EXPECT_EQ(client_->Get("/events")->status, 200);
    EXPECT_EQ(client_->Get("/nowhere")->status, 404);
}

TEST_F(ServerTest, WithoutATokenForeignNamesAreRefused) {
    const auto answer = client_->Get("/events", {{"Host", "rebound.example:8090"}});
    opened(answer);
    EXPECT_EQ(answer->status, 403);
    EXPECT_EQ(client_->Get("/events", {{"Host", "localhost"}})->status, 200);
}

TEST_F(ServerTest, WithoutATokenPagesOfOthersMayNotWrite) {
    const std::string body = R"({"my_prefixes_only":false})";
    const auto answer =
        client_->Put("/preferences", {{"Origin", "https://evil.example"}}, body, "text/plain");
    EXPECT_EQ(answer->status, 403);
    EXPECT_TRUE(my_prefixes_only_);
    const std::string own = "http://127.0.0.1:" + std::to_string(server_->port());
    EXPECT_EQ(client_->Put("/preferences", {{"Origin", own}}, body, "text/plain")->status, 200);
}

TEST_F(ServerTest, WithATokenAnyNameIsServed) {
    start({.host = "127.0.0.1", .port = 0, .token = Secret{"s3cret"}});
    client_->set_bearer_token_auth("s3cret");
    EXPECT_EQ(client_->Get("/events", {{"Host", "noc.example"}})->status, 200);
}

TEST_F(ServerTest, CountsWhatBecameOfRequests) {
    EXPECT_EQ(client_->Get("/healthz")->status, 200);
    EXPECT_EQ(client_->Get("/nowhere")->status, 404);
    client_.reset();
    server_.reset();
    EXPECT_NE(metrics_.text().find("cam_api_requests_total{outcome=\"ok\"} 1"), std::string::npos);
    EXPECT_NE(metrics_.text().find("cam_api_requests_total{outcome=\"refused\"} 1"), std::string::npos);
}

TEST_F(ServerTest, AnswersManyClientsAtOnce) {
    constexpr int kClients = 12;
    constexpr int kRequests = 20;
    StoredEvent event;
    event.event_hash = std::string(64, 'a');
    events_ = EventPage{.events = std::vector(200, event), .next_cursor = std::nullopt};
    std::atomic<int> good = 0;
    {
        std::vector<std::jthread> threads;
        for (int client = 0; client < kClients; ++client) {
            threads.emplace_back([&] {
                httplib::Client own("127.0.0.1", server_->port());
                for (int request = 0; request < kRequests; ++request) {
                    const auto answer = own.Get(request % 2 == 0 ? "/events" : "/preferences");
                    if (answer && answer->status == 200) ++good;
                }
            });
        }
    }
    EXPECT_EQ(good, kClients * kRequests);
}

TEST_F(ServerTest, ATakenPortIsBusyAndFreeAgainAfterTheServerIsGone) {
    const Server::Options same{.host = "127.0.0.1", .port = server_->port(), .token = {}};
    EXPECT_EQ(client_->Get("/healthz")->status, 200);
    auto second = Server::start(same, backend(), null_logger());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    server_.reset();
    auto third = Server::start(same, backend(), null_logger());
    EXPECT_TRUE(third);
}

TEST_F(ServerTest, AnotherMachinesAddressIsInvalid) {
    auto server = Server::start({.host = "192.0.2.1", .port = 0, .token = {}}, backend(), null_logger());
    ASSERT_FALSE(server);
    EXPECT_EQ(server.error().code, ErrorCode::kInvalid);
}

TEST_F(ServerTest, BeyondLoopbackATokenIsNeeded) {
    auto open = Server::start({.host = "0.0.0.0", .port = 0, .token = {}}, backend(), null_logger());
    ASSERT_FALSE(open);
    EXPECT_EQ(open.error().code, ErrorCode::kInvalid);
    auto empty = Server::start({.host = "0.0.0.0", .port = 0, .token = Secret{}}, backend(), null_logger());
    EXPECT_FALSE(empty);
    auto closed =
        Server::start({.host = "0.0.0.0", .port = 0, .token = Secret{"s3cret"}}, backend(), null_logger());
    EXPECT_TRUE(closed);
}

TEST_F(ServerTest, ServesIpv6Loopback) {
    auto server = Server::start({.host = "[::1]", .port = 0, .token = {}}, backend(), null_logger());
    if (!server) GTEST_SKIP() << "no IPv6 here: " << server.error().detail;
    httplib::Client client("::1", (*server)->port());
    EXPECT_EQ(client.Get("/events", {{"Host", "[::1]:" + std::to_string((*server)->port())}})->status, 200);
}

}  // namespace
}  // namespace cam::api
