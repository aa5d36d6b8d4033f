#include "api/http_server.h"

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "unit/api/raw_client.h"

namespace cam::api {
namespace {

using std::chrono::milliseconds;

/// Answers every request with its method, path and body.
class HttpServerTest : public ::testing::Test {
protected:
    void start(HttpLimits limits) {
        auto socket = listen_on("127.0.0.1", 0);
        ASSERT_TRUE(socket);
        port_ = socket->port;
        auto server = HttpServer::start(std::move(socket).value(), service_, limits, metrics_, null_logger());
        ASSERT_TRUE(server);
        server_ = std::move(server).value();
    }

    std::string exchange(const std::string& bytes) const {
        RawClient client(port_);
        client.send(bytes);
        return client.read_to_end();
    }

    static HttpLimits small() {
        return {.workers = 2,
                .waiting_connections = 2,
                .head_bytes = 1024,
                .body_bytes = 64,
                .idle = milliseconds{60'000},
                .head = milliseconds{60'000},
                .body = milliseconds{60'000},
                .answer = milliseconds{60'000},
                .drain = milliseconds{200},
                .crowded = milliseconds{200}};
    }

    static inline const std::string kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    MetricRegistry registry_;
    HttpMetrics metrics_{registry_};
    HttpService service_{.refuse = [](const HttpRequest& request) -> std::optional<HttpAnswer> {
                             if (request.path == "/refused") return failure(403, "no");
                             return std::nullopt;
                         },
                         .answer =
                             [](const HttpRequest& request) {
                                 return HttpAnswer{
                                     .status = 200,
                                     .content_type = "text/plain",
                                     .body = request.method + " " + request.path + " " + request.body,
                                     .headers = {}};
                             }};
    std::uint16_t port_ = 0;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersAndCloses) {
    start(small());
    const std::string answer = exchange(kGet);
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_EQ(body_of(answer), "GET /a ");
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_NE(answer.find("Cache-Control: no-store"), std::string::npos);
    EXPECT_NE(answer.find("X-Content-Type-Options: nosniff"), std::string::npos);
    EXPECT_EQ(metrics_.requests_ok.value(), 1U);
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
    start(small());
    RawClient client(port_);
    client.send(
        "\r\nPUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxyPUT /2 HTTP/1.1\r\nHost: a\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nab\r\n1\r\nc\r\n0\r\nT: r\r\n\r\n" +
        kGet);
    const std::string answers = client.read_to_end();
    const std::size_t first = answers.find("PUT /1 xy");
    const std::size_t second = answers.find("PUT /2 abc");
    const std::size_t third = answers.find("GET /a ");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos);
}

TEST_F(HttpServerTest, ClosesAfterItsNumberOfRequests) {
    HttpLimits limits = small();
    limits.requests_per_connection = 2;
    start(limits);
    const std::string get = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const std::string answers = exchange(get + get + get);
    EXPECT_EQ(metrics_.requests_ok.value(), 2U);
    EXPECT_NE(answers.find("Connection: close"), std::string::npos);
}

TEST_F(HttpServerTest, ClosesAfterAnHttp10Request) {
    start(small());
    EXPECT_EQ(status_of(exchange("GET /a HTTP/1.0\r\n\r\n")), 200);
}

TEST_F(HttpServerTest, RefusesGarbageWith400AndCloses) {
    start(small());
    for (const char* garbage :
         {"\x16\x03\x01\x02\x01\x01\x01\r\n\r\n", "hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
          "FETCH / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
          "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
          "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
          "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"}) {
        const std::string answer = exchange(std::string{garbage} + kGet);
        EXPECT_EQ(status_of(answer), 400) << garbage;
        EXPECT_EQ(answer.find("GET /a"), std::string::npos) << "what followed was served: " << garbage;
        EXPECT_NE(answer.find("\"success\":false"), std::string::npos) << garbage;
        EXPECT_NE(answer.find("nosniff"), std::string::npos) << garbage;
    }
    EXPECT_EQ(status_of(exchange(kGet)), 200);
    EXPECT_EQ(metrics_.requests_refused.value(), 11U);
}

TEST_F(HttpServerTest, RefusesHeadersThatAreTooLarge) {
    start(small());
    const std::string answer = exchange("GET / HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n");
    EXPECT_EQ(status_of(answer), 431);
    EXPECT_EQ(status_of(exchange("GET /" + std::string(2000, 'x'))), 431);
}

TEST_F(HttpServerTest, RefusesAddressesThatAreTooLong) {
    HttpLimits limits = small();
    limits.head_bytes = std::size_t{16} * 1024;
    start(limits);
    const std::string answer = exchange("GET /" + std::string(9000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(answer), 414);
    EXPECT_NE(answer.find("\"success\":false"), std::string::npos);
}

TEST_F(HttpServerTest, RefusesBodiesOverTheLimitHoweverTheyAreFramed) {
    start(small());
    const std::string put = "PUT / HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(status_of(exchange(put + "Content-Length: 65\r\n\r\n" + std::string(65, 'x'))), 413);
    EXPECT_EQ(status_of(exchange(put + "Content-Length: 18446744073709551615\r\n\r\n")), 413);
    EXPECT_EQ(status_of(exchange(put + "Transfer-Encoding: chunked\r\n\r\n28\r\n" + std::string(40, 'x') +
                                 "\r\n28\r\n" + std::string(40, 'x') + "\r\n0\r\n\r\n")),
              413);
    EXPECT_EQ(status_of(exchange(put + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n")), 413);
    EXPECT_EQ(
        status_of(exchange(put + "Connection: close\r\nContent-Length: 64\r\n\r\n" + std::string(64, 'x'))),
        200);
}

TEST_F(HttpServerTest, RefusesCompressedBodiesThatCouldBeBombs) {
    start(small());
    const std::string answer =
        exchange("PUT / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx");
    EXPECT_EQ(status_of(answer), 415);
}

TEST_F(HttpServerTest, DoesNotReadTheBodyOfARequestItRefuses) {
    start(small());
    RawClient client(port_);
    client.send("PUT /refused HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n");
    const std::string answer = client.read_to_end();
    EXPECT_EQ(status_of(answer), 403);
}

TEST_F(HttpServerTest, AsksForTheBodyOfAClientThatWaitsToBeAsked) {
    start(small());
    RawClient client(port_);
    client.send(
        "PUT /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: "
        "2\r\n\r\n");
    EXPECT_EQ(client.read_past("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ab");
    EXPECT_EQ(body_of(client.read_to_end()), "PUT /p ab");
}

TEST_F(HttpServerTest, DoesNotCompressAnswers) {
    start(small());
    const std::string answer =
        exchange("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: gzip, br\r\n\r\n");
    EXPECT_EQ(body_of(answer), "GET /a ");
}

TEST_F(HttpServerTest, IgnoresRangesWhateverTheySay) {
    start(small());
    for (const char* range : {"bytes=0-1", "bytes=99999999999999999999999-", "nonsense"}) {
        const std::string answer = exchange(
            "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: " + std::string{range} + "\r\n\r\n");
        EXPECT_EQ(status_of(answer), 200);
        EXPECT_EQ(body_of(answer), "GET /a ");
    }
}

TEST_F(HttpServerTest, GivesUpAClientThatNeverEndsItsHeaders) {
    HttpLimits limits = small();
    limits.head = milliseconds{100};
    start(limits);
    EXPECT_EQ(status_of(exchange("GET / HTTP/1.1\r\nHost: a\r\n")), 408);
    EXPECT_EQ(metrics_.dropped_slow.value(), 1U);
}

TEST_F(HttpServerTest, GivesUpAClientThatSendsAByteNowAndThen) {
    HttpLimits limits = small();
    limits.head = milliseconds{300};
    start(limits);
    RawClient client(port_);
    client.send("GET / HTTP/1.1\r\nX: ");
    std::future<std::string> answer = std::async(std::launch::async, [&] { return client.read_to_end(); });
    while (answer.wait_for(milliseconds{20}) == std::future_status::timeout) client.send("x");
    EXPECT_EQ(metrics_.dropped_slow.value(), 1U);
}

TEST_F(HttpServerTest, GivesUpAClientThatNeverEndsItsBody) {
    HttpLimits limits = small();
    limits.body = milliseconds{100};
    start(limits);
    EXPECT_EQ(status_of(exchange("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx")), 408);
    EXPECT_EQ(metrics_.dropped_slow.value(), 1U);
}

TEST_F(HttpServerTest, GivesUpAClientThatDoesNotTakeItsAnswer) {
    HttpLimits limits = small();
    limits.workers = 1;
    limits.answer = milliseconds{100};
    service_.answer = [](const HttpRequest& request) {
        return HttpAnswer{.status = 200,
                          .content_type = "text/plain",
                          .body = std::string(request.path == "/big" ? 64'000'000U : 1U, 'x'),
                          .headers = {}};
    };
    start(limits);
    RawClient lazy(port_);
    lazy.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(status_of(lazy.read_past("\r\n\r\n")), 200);
    EXPECT_EQ(status_of(exchange(kGet)), 200);
}

TEST_F(HttpServerTest, SlowClientsOnAllWorkersGiveWayToOthers) {
    start(small());  // patient for a minute while nobody waits
    std::vector<RawClient> slow;
    for (int client = 0; client < 2; ++client) {
        slow.emplace_back(port_);
        slow.back().send("GET / HTTP/1.1\r\nHost: ");
    }
    EXPECT_EQ(status_of(exchange(kGet)), 200);
}

TEST_F(HttpServerTest, IdleConnectionsOnAllWorkersGiveWayToOthers) {
    start(small());
    std::vector<RawClient> idle;
    for (int client = 0; client < 2; ++client) {
        idle.emplace_back(port_);
        idle.back().send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        EXPECT_EQ(status_of(idle.back().read_past("GET /a ")), 200);
    }
    EXPECT_EQ(status_of(exchange(kGet)), 200);
}

TEST_F(HttpServerTest, ClosesConnectionsBeyondItsRoomAtOnce) {
    std::promise<void> release;
    std::shared_future<void> released = release.get_future().share();
    std::atomic<int> busy = 0;
    service_.answer = [&busy, released](const HttpRequest&) {
        ++busy;
        busy.notify_all();
        released.wait();
        return success("late");
    };
    HttpLimits limits = small();
    limits.workers = 1;
    start(limits);
    RawClient working(port_);
    working.send(kGet);
    busy.wait(0);
    RawClient waiting_1(port_);
    RawClient waiting_2(port_);
    RawClient too_many(port_);
    EXPECT_EQ(too_many.read_to_end(), "");
    EXPECT_EQ(metrics_.dropped_full.value(), 1U);
    waiting_1.send(kGet);  // before its turn comes: patience is short while another one waits
    release.set_value();
    EXPECT_EQ(status_of(working.read_to_end()), 200);
    EXPECT_EQ(status_of(waiting_1.read_to_end()), 200);
}

TEST_F(HttpServerTest, StopsAtOnceWithSlowAndIdleConnectionsOpen) {
    start(small());
    RawClient slow(port_);
    slow.send("GET / HTTP/1.1\r\nX");
    RawClient idle(port_);
    idle.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    idle.read_past("GET /a ");
    RawClient waiting(port_);
    const SteadyTime before = SystemClock{}.steady();
    server_.reset();
    EXPECT_LT(SystemClock{}.steady() - before, milliseconds{20'000});
    EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(HttpServerTest, ConnectionsThatBreakOffDoNotHarmTheNext) {
    HttpLimits limits = small();
    limits.waiting_connections = 8;
    start(limits);
    for (const char* part : {"", "G", "GET / HTTP/1.1\r\nHost: a\r\n",
                             "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"}) {
        RawClient client(port_);
        client.send(part);
    }
    EXPECT_EQ(status_of(exchange(kGet)), 200);
}

}  // namespace
}  // namespace cam::api
