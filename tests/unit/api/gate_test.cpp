#include "api/gate.h"

#include <string>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "fakes/base/fake_clock.h"

namespace cam::api {
namespace {

FakeClock& clock() {
    static FakeClock hands;
    return hands;
}

HttpRequest request(std::string method, std::optional<std::string> host,
                    std::optional<std::string> origin = {}, std::optional<std::string> authorization = {}) {
    return {.method = std::move(method),
            .path = "/events",
            .query = {},
            .host = std::move(host),
            .origin = std::move(origin),
            .authorization = std::move(authorization),
            .body = {}};
}

int status(const std::optional<HttpAnswer>& answer) {
    return answer ? answer->status : 200;
}

TEST(GateTest, WithoutATokenServesOnlyNamesThatCannotBePointedHere) {
    Gate gate{std::nullopt, clock()};
    for (const char* host : {"localhost", "LocalHost:8090", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8090",
                             "127.1.2.3:8090"}) {
        EXPECT_EQ(status(gate.refuse(request("GET", host), Access::kToken)), 200) << host;
    }
    for (const char* host :
         {"evil.example", "evil.example:8090", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1",
          "[::2]", "", "localhost:80x", "localhost:80@evil", "[::1", "127.0.0.1 "}) {
        EXPECT_EQ(status(gate.refuse(request("GET", host), Access::kOpen)), 403) << host;
    }
    EXPECT_EQ(status(gate.refuse(request("GET", std::nullopt), Access::kOpen)), 403);
}

TEST(GateTest, WithoutATokenRefusesWritesFromPagesOfAnotherOrigin) {
    Gate gate{std::nullopt, clock()};
    const auto put = [&](const char* origin) {
        return status(gate.refuse(request("PUT", "localhost:8090", origin), Access::kToken));
    };
    EXPECT_EQ(put("http://localhost:8090"), 200);
    EXPECT_EQ(put("http://localhost"), 403);
    EXPECT_EQ(put("http://evil.example"), 403);
    EXPECT_EQ(put("null"), 403);
    EXPECT_EQ(put(""), 403);
    EXPECT_EQ(status(gate.refuse(request("GET", "localhost:8090", "http://evil.example"), Access::kToken)),
              200);
}

TEST(GateTest, WithATokenAsksForItAndForNothingElse) {
    const auto with = [](std::optional<std::string> authorization) {
        Gate gate{Secret{"open sesame"}, clock()};
        return gate.refuse(request("PUT", "noc.example", "http://noc.example:1", std::move(authorization)),
                           Access::kToken);
    };
    EXPECT_EQ(status(with("Bearer open sesame")), 200);
    EXPECT_EQ(status(with("bearer open sesame")), 200);
    for (const char* wrong : {"Bearer", "Bearer ", "Bearer open sesam", "Bearer open sesame2",
                              "Basic open sesame", "open sesame", ""}) {
        const auto refused = with(wrong);
        ASSERT_TRUE(refused) << wrong;
        EXPECT_EQ(refused->status, 401);
        ASSERT_EQ(refused->headers.size(), 1U);
        EXPECT_EQ(refused->headers.front().first, "WWW-Authenticate");
        EXPECT_EQ(refused->headers.front().second, "Bearer");
    }
    EXPECT_EQ(status(with(std::nullopt)), 401);
}

TEST(GateTest, WrongTokensAreCountedByAddressAndTheRightOneAlwaysWorks) {
    FakeClock hands;
    Gate gate{Secret{"open sesame"}, hands};
    const auto answer = [&](const char* peer, std::optional<std::string> authorization) {
        HttpRequest asked = request("GET", "noc.example", {}, std::move(authorization));
        asked.peer = peer;
        return gate.refuse(asked, Access::kToken);
    };
    for (int i = 0; i < 5; ++i) EXPECT_EQ(status(answer("192.0.2.1", "Bearer guess")), 401) << i;
    const auto refused = answer("192.0.2.1", "Bearer guess");
    ASSERT_EQ(status(refused), 429);
    ASSERT_EQ(refused->headers.size(), 1U);
    EXPECT_EQ(refused->headers.front(), (std::pair<std::string, std::string>{"Retry-After", "30"}));
    EXPECT_EQ(status(answer("192.0.2.1", "Bearer open sesame")), 200) << "the stranger locks nobody out";
    EXPECT_EQ(status(answer("192.0.2.1", std::nullopt)), 401) << "no token is no wrong token";
    EXPECT_EQ(status(answer("192.0.2.2", "Bearer guess")), 401) << "another address has its own tries";
    EXPECT_TRUE(gate.log_in("open sesame", "192.0.2.1")) << "logging in is counted on its own";
    hands.advance(std::chrono::seconds{30});
    EXPECT_EQ(status(answer("192.0.2.1", "Bearer guess")), 401);
    EXPECT_EQ(status(answer("192.0.2.1", "Bearer guess")), 429);
}

TEST(GateTest, WrongTokensFromManyAddressesShareABoundAndTheRightOneAlwaysWorks) {
    FakeClock hands;
    Gate gate{Secret{"open sesame"}, hands};
    int unauthorized = 0;
    for (int i = 0; i < 5'000; ++i) {
        HttpRequest asked = request("GET", "noc.example", {}, "Bearer guess");
        asked.peer = fmt::format("198.51.{}.{}", i / 256, i % 256);
        unauthorized += status(gate.refuse(asked, Access::kToken)) == 401 ? 1 : 0;
    }
    EXPECT_EQ(unauthorized, 30);
    EXPECT_EQ(status(gate.refuse(request("GET", "noc.example", {}, "Bearer open sesame"), Access::kToken)),
              200);
}

TEST(GateTest, AnOpenPathNeedsNoToken) {
    Gate gate{Secret{"open sesame"}, clock()};
    EXPECT_EQ(status(gate.refuse(request("GET", "noc.example"), Access::kOpen)), 200);
}

}  // namespace
}  // namespace cam::api
