#include "simulator/fault.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include "unit/simulator/simulator_client.h"

namespace cam::simulator {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

/// What a bare socket saw of an answer.
struct RawAnswer {
    std::string bytes;
    int error = 0;  ///< errno of the last read; 0 after an orderly end
    [[nodiscard]] std::string body() const {
        const std::size_t end = bytes.find("\r\n\r\n");
        return end == std::string::npos ? std::string{} : bytes.substr(end + 4);
    }
};

RawAnswer exchange(std::uint16_t port, const std::string& request,
                   std::chrono::milliseconds patience = 5000ms) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const timeval timeout{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    RawAnswer answer;
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
        ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
        std::array<char, 65536> bytes{};
        ssize_t got = 0;
        while ((got = ::recv(socket, bytes.data(), bytes.size(), 0)) > 0) {
            answer.bytes.append(bytes.data(), static_cast<std::size_t>(got));
        }
        if (got < 0) answer.error = errno;
    }
    ::close(socket);
    return answer;
}

class FaultTest : public testing::Test {
protected:
    void SetUp() override { world.start(); }

    RawAnswer get(std::chrono::milliseconds patience = 5000ms) {
        return exchange(world.port(),
                        "GET /client/v4/user/tokens/verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        "Authorization: Bearer " +
                            world.api_token() + "\r\n\r\n",
                        patience);
    }

    World world;
};

TEST_F(FaultTest, AnswersNormallyWithoutAFault) {
    EXPECT_TRUE(get().bytes.starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_EQ(world.requests().front().fault, "");
}

TEST_F(FaultTest, AnswersAStatusWithEachKindOfBody) {
    world.set_faults({Fault::status(503).times(1), Fault::status(502, BodyKind::kHtml).times(1),
                      Fault::status(500, BodyKind::kEmpty).times(1)});
    SimulatorClient client(world);
    const auto first = client.events("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
    EXPECT_EQ(first->status, 503);
    EXPECT_TRUE(json::parse(first->body).at("data").is_null());
    const auto second = client.events("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
    EXPECT_EQ(second->status, 502);
    EXPECT_TRUE(second->body.starts_with("<!DOCTYPE html>"));
    const auto third = client.events("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
    EXPECT_EQ(third->status, 500);
    EXPECT_TRUE(third->body.empty());
    EXPECT_EQ(world.counters().faults, 3U);
}

TEST_F(FaultTest, SkipsCountsAndHitsOnlyItsTarget) {
    world.add_fault(Fault::status(500).on(Target::kTelegram).skipping(1).times(2));
    SimulatorClient client(world);
    EXPECT_EQ(client.http().Get("/client/v4/user/tokens/verify")->status, 200);
    EXPECT_EQ(client.send_text("1")->status, 200);
    EXPECT_EQ(client.send_text("2")->status, 500);
    EXPECT_EQ(client.send_text("2")->status, 500);
    EXPECT_EQ(client.send_text("2")->status, 200);
    EXPECT_EQ(world.messages().size(), 2U);
}

TEST_F(FaultTest, HitsOnlyBodiesThatContainItsText) {
    world.add_fault(Fault::status(500).when_body_has("poison"));
    SimulatorClient client(world);
    EXPECT_EQ(client.send_text("water")->status, 200);
    EXPECT_EQ(client.send_text("poison")->status, 500);
}

TEST_F(FaultTest, HoldsForItsTimeOnly) {
    world.add_fault(Fault::status(500).lasting(100ms));
    SimulatorClient client(world);
    EXPECT_EQ(client.send_text("1")->status, 500);
    EXPECT_TRUE(world.wait_until([&](const World&) { return client.send_text("1")->status == 200; }));
}

TEST_F(FaultTest, TellsRetryAfterOrKeepsItToItself) {
    world.set_faults({Fault::rate_limited(30s).on(Target::kTelegram).times(1),
                      Fault::rate_limited(std::nullopt).on(Target::kGraphql).times(1)});
    SimulatorClient client(world);
    const auto told = client.send_text("x");
    EXPECT_EQ(told->status, 429);
    EXPECT_EQ(told->get_header_value("Retry-After"), "30");
    EXPECT_EQ(json::parse(told->body).at("parameters").at("retry_after"), 30);
    const auto silent = client.events("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
    EXPECT_EQ(silent->status, 429);
    EXPECT_FALSE(silent->has_header("Retry-After"));
}

TEST_F(FaultTest, CountsWhoComesBackBeforeRetryAfter) {
    world.set_faults({Fault::rate_limited(60s).on(Target::kTelegram).times(1),
                      Fault::rate_limited(60s).on(Target::kToken).times(1)});
    SimulatorClient client(world);
    EXPECT_EQ(client.send_text("x")->status, 429);
    EXPECT_EQ(client.send_text("x")->status, 429);
    EXPECT_EQ(world.counters().telegram_retry_after_violations, 1U);
    static_cast<void>(get());
    static_cast<void>(get());
    EXPECT_EQ(world.counters().cloudflare_retry_after_violations, 1U);
}

TEST_F(FaultTest, ResetsTheConnection) {
    world.add_fault(Fault::reset());
    const RawAnswer answer = get();
    EXPECT_EQ(answer.error, ECONNRESET);
    EXPECT_EQ(answer.bytes, "");
    EXPECT_EQ(world.requests().front().status, 0);
}

TEST_F(FaultTest, HangsUpWithoutAnAnswer) {
    world.add_fault(Fault::hang_up());
    const RawAnswer answer = get();
    EXPECT_EQ(answer.error, 0);
    EXPECT_EQ(answer.bytes, "");
}

TEST_F(FaultTest, AcceptsAMessageButLosesTheAnswer) {
    world.add_fault(Fault::answer_lost().on(Target::kTelegram).times(1));
    SimulatorClient client(world);
    EXPECT_EQ(client.send_text("once")->status, 0);
    EXPECT_EQ(world.messages().size(), 1U);
    EXPECT_EQ(client.send_text("once")->status, 200);
    EXPECT_EQ(world.messages().size(), 2U);
}

TEST_F(FaultTest, StallsUntilTheClientGivesUp) {
    world.add_fault(Fault::stall());
    const RawAnswer answer = get(100ms);
    EXPECT_EQ(answer.error, EAGAIN);
    EXPECT_EQ(answer.bytes, "");
}

TEST_F(FaultTest, AnswersLate) {
    world.add_fault(Fault::stall(150ms));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(get().bytes.starts_with("HTTP/1.1 200"));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 150ms);
}

TEST_F(FaultTest, DripsTheBody) {
    world.add_fault(Fault::drip(400));
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(json::accept(get().body()));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 150ms);
}

TEST_F(FaultTest, CutsTheJsonOrTheConnection) {
    const std::string whole = get().body();
    world.set_faults({Fault::cut_json().times(1), Fault::cut_connection().times(1)});
    const RawAnswer json_cut = get();
    EXPECT_EQ(json_cut.body(), whole.substr(0, whole.size() / 2));
    EXPECT_NE(json_cut.bytes.find("Content-Length: " + std::to_string(whole.size() / 2)), std::string::npos);
    const RawAnswer connection_cut = get();
    EXPECT_EQ(connection_cut.body(), whole.substr(0, whole.size() / 2));
    EXPECT_NE(connection_cut.bytes.find("Content-Length: " + std::to_string(whole.size())),
              std::string::npos);
}

TEST_F(FaultTest, ClosesAConnectionThatTheClientHopedToKeep) {
    world.add_fault(Fault::close_after());
    const RawAnswer answer = exchange(world.port(), "GET /client/v4/x HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(answer.bytes.starts_with("HTTP/1.1 401"));
    EXPECT_EQ(answer.bytes.find("Connection: close"), std::string::npos);
    EXPECT_EQ(answer.error, 0);
}

TEST_F(FaultTest, SendsChunksThatAClientPutsTogether) {
    world.add_fault(Fault::chunked());
    EXPECT_NE(get().bytes.find("Transfer-Encoding: chunked"), std::string::npos);
    SimulatorClient client(world);
    EXPECT_EQ(json::parse(client.http().Get("/client/v4/user/tokens/verify")->body).at("success"), true);
}

TEST_F(FaultTest, AnswersGraphqlsOddShapes) {
    world.set_faults({Fault::graphql_errors("limit reached, please try again later", "budget").times(1),
                      Fault::data_null().times(1), Fault::accounts_empty().times(1),
                      Fault::node_null().times(1), Fault::node_missing().times(1),
                      Fault::body("[]").times(1)});
    SimulatorClient client(world);
    const auto next = [&] {
        const auto answer = client.events("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z");
        EXPECT_EQ(answer->status, 200);
        return json::parse(answer->body);
    };
    const json errors = next();
    EXPECT_EQ(errors.at("errors").at(0).at("message"), "limit reached, please try again later");
    EXPECT_EQ(errors.at("errors").at(0).at("extensions").at("code"), "budget");
    EXPECT_EQ(next(), json({{"data", nullptr}, {"errors", nullptr}}));
    EXPECT_EQ(next().at("data").at("viewer").at("accounts"), json::array());
    EXPECT_TRUE(next()
                    .at("data")
                    .at("viewer")
                    .at("accounts")
                    .at(0)
                    .at("dosdNetworkAnalyticsAdaptiveGroups")
                    .is_null());
    EXPECT_EQ(next().at("data").at("viewer").at("accounts").at(0), json::object());
    EXPECT_EQ(next(), json::array());
}

TEST_F(FaultTest, SendsMoreThanAnyoneWants) {
    world.add_fault(Fault::oversized(3 * 1024 * 1024));
    EXPECT_GT(get().body().size(), 3U * 1024 * 1024);
}

TEST_F(FaultTest, ClaimsGzipForWhatIsNot) {
    world.add_fault(Fault::gzip_garbage());
    const RawAnswer answer = get();
    EXPECT_NE(answer.bytes.find("Content-Encoding: gzip"), std::string::npos);
    EXPECT_TRUE(answer.body().starts_with("\x1f\x8b"));
}

TEST_F(FaultTest, AddsHeadersOfTheTestsChoice) {
    world.add_fault(Fault::status(302, BodyKind::kEmpty).with_header("Location", "http://127.0.0.1:9/"));
    EXPECT_NE(get().bytes.find("Location: http://127.0.0.1:9/"), std::string::npos);
}

TEST_F(FaultTest, EndsStalledConnectionsWhenTheWorldStops) {
    world.add_fault(Fault::stall());
    std::thread waiting([&] { static_cast<void>(get(60000ms)); });
    ASSERT_TRUE(world.wait_for_requests(Target::kToken, 1));
    const auto begin = std::chrono::steady_clock::now();
    world.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
    waiting.join();
}

}  // namespace
}  // namespace cam::simulator
