#include "api/gate.h"

#include <string>

#include <gtest/gtest.h>

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
    Gate gate{Secret{"open sesame"}, clock()};
    const auto with = [&](std::optional<std::string> authorization) {
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

TEST(GateTest, AnOpenPathNeedsNoToken) {
    Gate gate{Secret{"open sesame"}, clock()};
    EXPECT_EQ(status(gate.refuse(request("GET", "noc.example"), Access::kOpen)), 200);
}

}  // namespace
}  // namespace cam::api
