// Server-sent events over real connections: what comes, in which order, after a break, and what happens to
// those who do not listen.

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "api/event_streams.h"
#include "api/listen_socket.h"
#include "unit/api/raw_client.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr const char* kAsk = "GET /stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";

MinuteTime minute_at(const char* text) {
    return std::chrono::floor<std::chrono::minutes>(*parse_time(text));
}

class StreamTest : public SiteTest {
protected:
    /// A stream whose greeting has come.
    RawClient listener(const std::string& headers = "") {
        RawClient client(server_->port());
        EXPECT_TRUE(client.send(kAsk + headers + "\r\n"));
        const std::string head = client.read_past("\"heartbeat_ms\":15000}\n\n");
        EXPECT_EQ(status_of(head), 200) << head;
        EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos) << head;
        EXPECT_NE(head.find("Cache-Control: no-store\r\n"), std::string::npos) << head;
        EXPECT_EQ(head.find("Content-Length"), std::string::npos) << head;
        EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos) << head;
        return client;
    }
    /// Calls until it is true, for at most 10 s.
    template <typename Check>
    static bool comes_true(Check check) {
        for (int i = 0; i < 1000; ++i) {
            if (check()) return true;
            std::this_thread::sleep_for(milliseconds{10});
        }
        return false;
    }
    double open_streams() { return metrics_.gauge("cam_api_streams", "").value(); }
};

TEST_F(StreamTest, TellsWhatHappensWhenItHappens) {
    RawClient client = listener();
    board_.alert("a-1", EventBoard::AlertChange::kStarted);
    board_.minute(minute_at("2026-01-20T09:00:00Z"));
    board_.poll(EventBoard::PollOutcome::kFailed, *parse_time("2026-01-20T09:01:00Z"), 0);
    board_.delivery(3);
    board_.delivery(3);
    board_.preferences();
    const std::string told = client.read_past("event: preferences\ndata: {}\n\n");
    const std::string run = board_.run();
    EXPECT_EQ(told,
              "id: " + run +
                  "-1\nevent: alert\ndata: {\"id\":\"a-1\",\"change\":\"started\"}\n\n"
                  "id: " +
                  run +
                  "-2\nevent: minute\ndata: {\"minute\":\"2026-01-20T09:00:00Z\"}\n\n"
                  "id: " +
                  run +
                  "-3\nevent: poll\ndata: {\"outcome\":\"failed\",\"at\":\"2026-01-20T09:01:00Z\",\"new_"
                  "events\":0}\n\n"
                  "id: " +
                  run + "-4\nevent: delivery\ndata: {\"waiting\":3}\n\n" + "id: " + run +
                  "-5\nevent: preferences\ndata: {}\n\n");
}

TEST_F(StreamTest, ADifferentClientSeesEachEventOnce) {
    RawClient first = listener();
    RawClient second = listener();
    board_.preferences();
    EXPECT_NE(first.read_past("-1\nevent: preferences\ndata: {}\n\n"), "");
    EXPECT_NE(second.read_past("-1\nevent: preferences\ndata: {}\n\n"), "");
    EXPECT_TRUE(comes_true([&] { return open_streams() == 2; }));
}

TEST_F(StreamTest, AClientThatComesBackGetsWhatItMissed) {
    board_.alert("a", EventBoard::AlertChange::kStarted);
    board_.alert("b", EventBoard::AlertChange::kStarted);
    RawClient client(server_->port());
    ASSERT_TRUE(client.send(kAsk + fmt::format("Last-Event-ID: {}-1\r\n\r\n", board_.run())));
    const std::string told = client.read_past("\"b\",\"change\":\"started\"}\n\n");
    EXPECT_NE(told.find("event: hello"), std::string::npos);
    EXPECT_EQ(told.find("resync"), std::string::npos);
    EXPECT_EQ(told.find("\"a\""), std::string::npos);
    EXPECT_EQ(told.find(board_.run() + "-0"), std::string::npos) << "an id here would lose what follows";
}

TEST_F(StreamTest, WhereTooMuchWasMissedTheClientIsToldToReadAllAgain) {
    for (std::size_t i = 0; i < EventBoard::kKept + 10; ++i) board_.preferences();
    for (const std::string& id : {board_.run() + "-5", std::string{"otherrun-600"}, board_.run() + "-99999",
                                  std::string{"nonsense"}, board_.run() + "-", board_.run() + "-1x"}) {
        RawClient client(server_->port());
        ASSERT_TRUE(client.send(kAsk + fmt::format("Last-Event-ID: {}\r\n\r\n", id)));
        const std::string told = client.read_past("event: resync\ndata: {}\n\n");
        EXPECT_NE(told.find("event: resync"), std::string::npos) << id;
        EXPECT_NE(told.find(fmt::format("id: {}-{}\nevent: hello", board_.run(), board_.latest())),
                  std::string::npos);
        EXPECT_EQ(told.find("preferences"), std::string::npos) << id;
    }
}

TEST_F(StreamTest, StreamsLeaveTheWorkersToOthersAndAreBounded) {
    std::vector<RawClient> listeners;
    for (std::size_t i = 0; i < EventStreams::Limits{}.streams; ++i) listeners.push_back(listener());
    EXPECT_EQ(client_->Get("/healthz")->status, 200);
    const auto refused = client_->Get("/stream");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 503);
    EXPECT_EQ(refused->get_header_value("Retry-After"), "5");
    opened(refused);
    EXPECT_EQ(metrics_.counter("cam_api_streams_refused_total", "").value(), 1U);
    listeners.pop_back();
    EXPECT_TRUE(comes_true([&] { return open_streams() == EventStreams::Limits{}.streams - 1.0; }));
    RawClient again = listener();
    board_.preferences();
    EXPECT_NE(again.read_past("event: preferences\n"), "");
}

TEST_F(StreamTest, WhoReadsNothingIsDroppedAndHoldsUpNobody) {
    RawClient deaf = listener();
    RawClient awake = listener();
    Counter& slow = metrics_.counter("cam_api_streams_dropped_total", "");
    // What the kernel takes for a client that reads nothing has an end; 64 MiB would pass it many times.
    const std::string id(4'000, 'x');
    std::uint64_t sent = 0;
    for (; slow.value() == 0 && sent < 16'000; ++sent) {
        board_.alert(id, EventBoard::AlertChange::kUpdated);
        ASSERT_NE(awake.read_past("\"updated\"}\n\n"), "") << sent;
    }
    EXPECT_EQ(slow.value(), 1U);
    EXPECT_TRUE(comes_true([&] { return open_streams() == 1; }));
    board_.preferences();
    EXPECT_NE(awake.read_past("event: preferences\n"), "");
}

TEST_F(StreamTest, TheServerStopsAtOnceWhileStreamsAreOpen) {
    RawClient client = listener();
    const auto before = std::chrono::steady_clock::now();
    client_.reset();
    server_.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds{2});
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(open_streams(), 0);
}

TEST_F(StreamTest, NeedsTheTokenAndEndsWithTheSession) {
    start(Secret{"s3cret"});
    EXPECT_EQ(client_->Get("/stream")->status, 401);
    const auto login = client_->Post("/session", R"({"token":"s3cret"})", "application/json");
    const std::string cookie =
        login->get_header_value("Set-Cookie").substr(0, login->get_header_value("Set-Cookie").find(';'));
    RawClient client = listener("Cookie: " + cookie + "\r\n");
    RawClient program = listener("Authorization: Bearer s3cret\r\n");
    EXPECT_EQ(client_
                  ->Delete("/session", {{"Cookie", cookie},
                                        {"X-CSRF-Token", opened(login)["result"]["csrf"].get<std::string>()}})
                  ->status,
              200);
    EXPECT_EQ(client.read_to_end(), "");
    board_.preferences();
    EXPECT_NE(program.read_past("event: preferences\n"), "");
}

TEST_F(StreamTest, HeadAndUnknownParametersTakeNoStream) {
    EXPECT_EQ(client_->Head("/stream")->status, 200);
    EXPECT_EQ(client_->Get("/stream?colour=1")->status, 422);
    EXPECT_EQ(client_->Post("/stream", "", "text/plain")->status, 405);
    EXPECT_TRUE(comes_true([&] { return open_streams() == 0; }));
    for (std::size_t i = 0; i < 2 * EventStreams::Limits{}.streams; ++i)
        EXPECT_EQ(client_->Head("/stream")->status, 200);
}

TEST_F(StreamTest, AClientThatGoesFreesItsPlaceWithoutAnEvent) {
    { RawClient client = listener(); }
    EXPECT_TRUE(comes_true([&] { return open_streams() == 0; }));
}

/// The streams alone, with a heartbeat that a test can wait for.
TEST(EventStreamsTest, AQuietStreamHasAHeartbeat) {
    EventBoard board;
    MetricRegistry metrics;
    auto streams = EventStreams::start(board, {.heartbeat = milliseconds{20}}, metrics, null_logger());
    ASSERT_TRUE(streams);
    auto socket = listen_on("127.0.0.1", 0);
    ASSERT_TRUE(socket);
    RawClient client(socket->port);
    UniqueFd accepted;
    for (int i = 0; i < 1000 && !accepted.valid(); ++i) {
        accepted = UniqueFd{::accept(socket->fd.get(), nullptr, nullptr)};
        if (!accepted.valid()) std::this_thread::sleep_for(milliseconds{5});
    }
    ASSERT_TRUE(accepted.valid());
    const HttpAnswer answer = (*streams)->open({.method = "GET",
                                                .path = "/stream",
                                                .query = {},
                                                .host = {},
                                                .origin = {},
                                                .authorization = {},
                                                .body = {}},
                                               [] { return true; });
    answer.take_over(std::move(accepted));
    EXPECT_NE(client.read_past("\n\n:\n\n"), "");
}

}  // namespace
}  // namespace cam::api
