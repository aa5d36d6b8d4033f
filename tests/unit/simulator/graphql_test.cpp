#include "simulator/graphql.h"

#include <gtest/gtest.h>

namespace cam::simulator::graphql {
namespace {

using nlohmann::json;

Query parsed(std::string_view text) {
    auto result = parse(text);
    if (const auto* error = std::get_if<SyntaxError>(&result)) {
        ADD_FAILURE() << error->text();
        return {};
    }
    return std::get<Query>(std::move(result));
}

std::string error_of(std::string_view text) {
    const auto result = parse(text);
    const auto* error = std::get_if<SyntaxError>(&result);
    return error != nullptr ? error->text() : "no error";
}

TEST(GraphqlTest, ReadsNestedFieldsWithAliasesAndIgnoresCommasAndComments) {
    const Query query = parsed("query Name { a: viewer, { b c(x: 1) { d } } # the rest\n }");
    ASSERT_EQ(query.selections.size(), 1U);
    const Field& viewer = query.selections.front();
    EXPECT_EQ(query.name, "Name");
    EXPECT_EQ(viewer.key, "a");
    EXPECT_EQ(viewer.name, "viewer");
    ASSERT_EQ(viewer.selections.size(), 2U);
    EXPECT_EQ(viewer.selections[1].selections.front().name, "d");
}

TEST(GraphqlTest, AcceptsAQueryWithoutTheWordQuery) {
    EXPECT_EQ(parsed("{viewer{x}}").selections.size(), 1U);
}

TEST(GraphqlTest, ResolvesEveryKindOfLiteralAndVariable) {
    const Query query = parsed(
        R"(query($v: [string!]!) {f(a: {s: "a\"\u00e9", n: -1.5e2, t: true, z: null, e: sum_DESC, l: [1 2], v: $v})})");
    const auto bound = bind_variables(query, {{"v", {"x", "y"}}});
    ASSERT_TRUE(std::holds_alternative<json>(bound));
    const auto value = resolve(*query.selections.front().argument("a"), std::get<json>(bound));
    ASSERT_TRUE(std::holds_alternative<json>(value));
    EXPECT_EQ(std::get<json>(value), json({{"s", "a\"é"},
                                           {"n", -150.0},
                                           {"t", true},
                                           {"z", nullptr},
                                           {"e", "sum_DESC"},
                                           {"l", {1, 2}},
                                           {"v", {"x", "y"}}}));
}

TEST(GraphqlTest, RefusesARequiredVariableThatWasNotSent) {
    const Query query = parsed("query($a: Time!) {f(a: $a)}");
    const auto bound = bind_variables(query, json::object());
    ASSERT_TRUE(std::holds_alternative<std::string>(bound));
    EXPECT_EQ(std::get<std::string>(bound), "Variable \"$a\" of required type \"Time!\" was not provided.");
}

TEST(GraphqlTest, UsesTheFallbackOfAVariableThatWasNotSent) {
    const Query query = parsed("query($n: Int = 7) {f(a: $n)}");
    EXPECT_EQ(std::get<json>(bind_variables(query, json::object())), json({{"n", 7}}));
}

TEST(GraphqlTest, RefusesAVariableThatWasNotDeclared) {
    const Query query = parsed("{f(a: $n)}");
    const auto value = resolve(*query.selections.front().argument("a"), json::object());
    ASSERT_TRUE(std::holds_alternative<std::string>(value));
}

TEST(GraphqlTest, NamesLineAndColumnOfASyntaxError) {
    EXPECT_EQ(error_of("{\n  viewer(a 1)}"), "Syntax Error GraphQL (2:12) Expected :, found \"1\"");
    EXPECT_EQ(error_of("{viewer"), "Syntax Error GraphQL (1:8) Expected Name, found EOF");
    EXPECT_EQ(error_of("mutation {a}"), "Syntax Error GraphQL (1:1) Unexpected Name \"mutation\"");
}

TEST(GraphqlTest, RefusesEmptySelectionsUnterminatedStringsAndEndlessNesting) {
    EXPECT_NE(error_of("{}"), "no error");
    EXPECT_NE(error_of("{a(b: \"c)}"), "no error");
    EXPECT_NE(error_of("{a} {b}"), "no error");
    EXPECT_NE(error_of(std::string(100000, '{')), "no error");
    EXPECT_NE(error_of("{a(b: " + std::string(100000, '[') + ")}"), "no error");
}

}  // namespace
}  // namespace cam::simulator::graphql
