#include "clickhouse/server_exception.h"

#include <gtest/gtest.h>

namespace cam::clickhouse {
namespace {

net::HttpResponse answer(int status, std::string body,
                         std::vector<std::pair<std::string, std::string>> headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

ErrorCode code_of(int number) {
    const auto found =
        find_exception(answer(500, "Code: " + std::to_string(number) + ". DB::Exception: words"));
    return explain(found.value(), 500, "soc", "flows").code;
}

TEST(ServerExceptionTest, RowsAreNoFailure) {
    EXPECT_FALSE(find_exception(answer(200, "1\t2\n")));
    EXPECT_FALSE(find_exception(answer(200, "")));
    EXPECT_FALSE(find_exception(
        answer(200, "Code: 60. DB::Exception: a row that tells of one (X)\nand one more row\n")))
        << "what goes on after it is no end";
    EXPECT_FALSE(find_exception(answer(200, "(a row in parentheses)\n")));
}

TEST(ServerExceptionTest, TheHeaderTellsTheCode) {
    const auto found = find_exception(
        answer(404, "Code: 60. DB::Exception: Table flows.raw does not exist. (UNKNOWN_TABLE)\n",
               {{"x-clickhouse-exception-code", "60"}}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->code, 60);
    EXPECT_EQ(found->text, "DB::Exception: Table flows.raw does not exist. (UNKNOWN_TABLE)");
    EXPECT_FALSE(found->after_rows);
}

TEST(ServerExceptionTest, TheHeaderCountsAlsoWithStatus200) {
    const auto found = find_exception(answer(200, "odd words", {{"x-clickhouse-exception-code", "241"}}));
    ASSERT_TRUE(found);
    EXPECT_EQ(explain(*found, 200, "soc", "flows").code, ErrorCode::kBusy);
}

TEST(ServerExceptionTest, AServerOf2018IsUnderstood) {
    const auto found = find_exception(answer(500,
                                             "Code: 60, e.displayText() = DB::Exception: Table default.x "
                                             "doesn't exist., e.what() = DB::Exception\n"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->code, 60);
}

TEST(ServerExceptionTest, AnExceptionAfterRowsIsFoundAtTheEnd) {
    for (const char* text :
         {"Code: 159. DB::Exception: Timeout exceeded: elapsed 5 seconds. (TIMEOUT_EXCEEDED) (version "
          "23.8.2.7)\n",
          "Code: 159, e.displayText() = DB::Exception: Timeout exceeded, e.what() = DB::Exception\n",
          "Code: 159, e.displayText() = DB::Exception: Timeout exceeded (version 20.3.1)"}) {
        const auto found = find_exception(answer(200, std::string(100'000, '\x01') + text));
        ASSERT_TRUE(found) << text;
        EXPECT_EQ(found->code, 159);
        EXPECT_TRUE(found->after_rows);
    }
}

TEST(ServerExceptionTest, TheFramedExceptionOfNewServersIsFound) {
    const std::string framed =
        "rows\r\n__exception__\r\ntagtagtagtagtag1\r\nCode: 395. DB::Exception: Value passed to 'throwIf'. "
        "(FUNCTION_THROW_IF)\n64 tagtagtagtagtag1\r\n__exception__\r\n";
    const auto found =
        find_exception(answer(200, framed, {{"x-clickhouse-exception-tag", "tagtagtagtagtag1"}}));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->code, 395);
    EXPECT_EQ(found->text, "DB::Exception: Value passed to 'throwIf'. (FUNCTION_THROW_IF)");
    EXPECT_FALSE(find_exception(answer(200, framed, {{"x-clickhouse-exception-tag", "anothertaganothe"}})))
        << "only the tag of this answer marks an exception";
    const auto cut = find_exception(
        answer(200, framed.substr(0, 60), {{"x-clickhouse-exception-tag", "tagtagtagtagtag1"}}));
    ASSERT_TRUE(cut) << "the end of it may be missing";
}

TEST(ServerExceptionTest, EachKindOfFailureHasItsCode) {
    EXPECT_EQ(code_of(516), ErrorCode::kRefused);
    EXPECT_EQ(code_of(497), ErrorCode::kRefused);
    EXPECT_EQ(code_of(81), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(60), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(16), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(252), ErrorCode::kBusy);
    EXPECT_EQ(code_of(242), ErrorCode::kBusy);
    EXPECT_EQ(code_of(243), ErrorCode::kFull);
    EXPECT_EQ(code_of(164), ErrorCode::kReadOnly);
    EXPECT_EQ(code_of(62), ErrorCode::kInvalid);
    EXPECT_EQ(code_of(33), ErrorCode::kInvalid);
    EXPECT_EQ(code_of(36), ErrorCode::kInternal);
    EXPECT_EQ(code_of(99999), ErrorCode::kInternal);
}

TEST(ServerExceptionTest, TheErrorNamesTheRemedy) {
    const auto words = [](int status, const std::string& body) {
        return explain(find_exception(answer(status, body)).value(), status, "soc", "flows").detail;
    };
    EXPECT_NE(words(403, "Code: 516. DB::Exception: soc: Authentication failed").find("password_file"),
              std::string::npos);
    EXPECT_NE(words(404, "Code: 81. DB::Exception: Database flows does not exist").find("'flows'"),
              std::string::npos);
    EXPECT_NE(words(400, "Port 9000 is for clickhouse-client program").find("8123"), std::string::npos);
    EXPECT_NE(words(502, "<html>Bad gateway</html>").find("status 502"), std::string::npos);
    EXPECT_EQ(explain(find_exception(answer(502, "")).value(), 502, "", "").code, ErrorCode::kBusy);
    EXPECT_EQ(explain(find_exception(answer(404, "")).value(), 404, "", "").code, ErrorCode::kInvalid);
    EXPECT_EQ(explain(find_exception(answer(401, "")).value(), 401, "", "").code, ErrorCode::kRefused);
}

TEST(ServerExceptionTest, WordsOfTheServerAreOneShortLine) {
    const auto found =
        find_exception(answer(500, "Code: 1. DB::Exception: a\nb\x1b[31m" + std::string(5000, 'x')));
    ASSERT_TRUE(found);
    EXPECT_LT(found->text.size(), 320U);
    EXPECT_EQ(found->text.find_first_of("\n\x1b"), std::string::npos);
    const auto umlauts =
        find_exception(answer(500, "Code: 1. DB::Exception: " + std::string(284, 'x') + "äääää"));
    EXPECT_TRUE(umlauts->text.ends_with("x…") || umlauts->text.ends_with("ä…")) << umlauts->text;
}

}  // namespace
}  // namespace cam::clickhouse
