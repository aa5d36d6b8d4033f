#include "api/envelope.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cam::api {
namespace {

TEST(EnvelopeTest, HasResultErrorsAndSuccess) {
    EXPECT_EQ(success({{"a", 1}}).body, "{\"result\":{\"a\":1},\"errors\":[],\"success\":true}\n");
    EXPECT_EQ(failure(422, "no").body,
              "{\"result\":null,\"errors\":[{\"message\":\"no\"}],\"success\":false}\n");
}

TEST(EnvelopeTest, ReplacesBytesThatAreNoText) {
    EXPECT_NE(failure(422, "\xff").body.find("\xef\xbf\xbd"), std::string::npos);
}

TEST(ParseJsonTest, RefusesBombsOfBracketsBeforeParsingThem) {
    EXPECT_TRUE(parse_json(std::string(32, '[') + std::string(32, ']')));
    EXPECT_FALSE(parse_json(std::string(33, '[') + std::string(33, ']')));
    EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
    EXPECT_FALSE(parse_json(std::string(100, '{')));
}

TEST(ParseJsonTest, CountsNoBracketsInsideStrings) {
    EXPECT_TRUE(parse_json("[\"" + std::string(100, '[') + "\\\"" + std::string(100, '{') + "\"]"));
}

TEST(ParseJsonTest, SaysWhereTextStopsBeingJson) {
    const auto parsed = parse_json("{\"a\": nope}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
    EXPECT_EQ(parsed.error().detail, "the body is not JSON (byte 8)");
    EXPECT_FALSE(parse_json(""));
    EXPECT_FALSE(parse_json("\"\xff\""));
}

TEST(ParseJsonTest, ANumberBeyondAllBoundsIsJsonAndRefused) {
    const auto parsed = parse_json("{\"a\": 1e400}");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(parsed.error().detail, "a number in the body is too large");
}

}  // namespace
}  // namespace cam::api
