#include "cam/net/header_values.h"

#include <gtest/gtest.h>

#include "cam/base/time_text.h"
#include "cam/net/http_client.h"

namespace cam::net {
namespace {

using namespace std::chrono_literals;

TEST(HttpDateTest, ReadsTheThreeFormsOfTheStandard) {
    const auto expected = parse_time("1994-11-06T08:49:37Z");
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
    EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), expected);
    EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), expected);
    EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), parse_time("1994-11-16T08:49:37Z"));
    EXPECT_EQ(parse_http_date("Monday, 19-Jan-26 22:51:50 GMT"), parse_time("2026-01-19T22:51:50Z"));
}

TEST(HttpDateTest, RefusesEverythingElse) {
    for (const char* bad :
         {"", " ", "0", "Sun", "Sun,", "Sun, 06 Nov 1994", "Sun, 06 Nov 1994 08:49:37",
          "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 31 Feb 1994 08:49:37 GMT",
          "Sun, 06 Nvo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
          "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
          "Sun, +6 Nov 1994 08:49:37 GMT", "Sun Nov 6 08:49:37 1994", "1994-11-06T08:49:37Z"}) {
        EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
    }
}

TEST(RetryAfterTest, ReadsSecondsAndDatesAndKeepsThemInBounds) {
    const WallTime now = parse_time("2026-01-19T23:00:00.250Z").value_or(WallTime{});
    const auto told = [&](const char* value) {
        return retry_after({503, {{"retry-after", value}}, {}}, now);
    };
    EXPECT_EQ(told("0"), 0s);
    EXPECT_EQ(told("120"), 120s);
    EXPECT_EQ(told("86400"), kLongestRetryAfter);
    EXPECT_EQ(told("4000000000"), kLongestRetryAfter);
    EXPECT_EQ(told("99999999999999999999"), kLongestRetryAfter);
    EXPECT_EQ(told("Mon, 19 Jan 2026 23:01:00 GMT"), 60s) << "never earlier than told";
    EXPECT_EQ(told("Mon, 19 Jan 2026 22:00:00 GMT"), 0s);
    EXPECT_EQ(told("Mon, 19 Jan 2099 22:00:00 GMT"), kLongestRetryAfter);
    for (const char* bad : {"", "-1", "+5", "1.5", "5 s", "soon"}) EXPECT_EQ(told(bad), std::nullopt) << bad;
    EXPECT_EQ(retry_after({503, {}, {}}, now), std::nullopt);
}

TEST(HttpResponseTest, GivesTheFirstHeaderOfAName) {
    const HttpResponse response{200, {{"a", "1"}, {"b", "2"}, {"b", "3"}}, {}};
    EXPECT_EQ(response.header("b"), "2");
    EXPECT_EQ(response.header("c"), std::nullopt);
}

}  // namespace
}  // namespace cam::net
