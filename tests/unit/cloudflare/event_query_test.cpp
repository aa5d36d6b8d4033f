#include "cloudflare/event_query.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cam/base/time_text.h"

namespace cam::cloudflare {
namespace {

using nlohmann::json;

const TimeWindow kWindow{parse_time("2026-01-19T22:40:00Z").value_or(WallTime{}),
                         parse_time("2026-01-19T22:55:00Z").value_or(WallTime{})};

bool asks(const PageOptions& options, std::string_view dimension) {
    const auto asked = asked_dimensions(options);
    return std::find(asked.begin(), asked.end(), dimension) != asked.end();
}

// B2, B3: the Python monitor asked the newest 100 rows; we ask the whole half-open window, oldest first, by
// the page.
TEST(EventQueryTest, AsksForTheWholeWindowOldestFirst) {
    const json body = json::parse(event_query("0123", kWindow, {.limit = 5000}));
    EXPECT_EQ(body.at("variables"), json({{"accountTag", "0123"},
                                          {"datetimeStart", "2026-01-19T22:40:00Z"},
                                          {"datetimeEnd", "2026-01-19T22:55:00Z"}}));
    const auto query = body.at("query").get<std::string>();
    for (const char* part :
         {"$accountTag: String!", "$datetimeStart: Time!", "$datetimeEnd: Time!", "limit: 5000,",
          "orderBy: [datetime_ASC]", "datetime_geq: $datetimeStart", "datetime_lt: $datetimeEnd",
          "outcome: \"drop\"", "sum { packets bits }", "accounts(filter: {accountTag: $accountTag})"}) {
        EXPECT_NE(query.find(part), std::string::npos) << part << " in " << query;
    }
    EXPECT_EQ(std::count(query.begin(), query.end(), '{'), std::count(query.begin(), query.end(), '}'));
    EXPECT_EQ(asked_dimensions({}).size(), 21U);
}

TEST(EventQueryTest, NeverWritesTheAccountIntoTheQueryText) {
    const json body = json::parse(event_query("\"}) { evil \xff", kWindow, {}));
    EXPECT_EQ(body.at("query").get<std::string>().find("evil"), std::string::npos);
}

TEST(EventQueryTest, LeavesOutOptionalFieldsThatTheAccountLacks) {
    PageOptions options;
    options.available_fields = {"dimensions_datetime",
                                "dimensions_attackId",
                                "dimensions_ipSourceAddress",
                                "dimensions_ipDestinationAddress",
                                "dimensions_destinationPort",
                                "dimensions_coloCode",
                                "sum_packets",
                                "sum_bits",
                                "avg_bitRate"};
    EXPECT_EQ(asked_dimensions(options),
              (std::vector<std::string_view>{"datetime", "attackId", "ipSourceAddress",
                                             "ipDestinationAddress", "destinationPort", "coloCode"}));
}

TEST(EventQueryTest, DoesNotBelieveAListThatLacksTheFieldsNoAccountLacks) {
    PageOptions options;
    options.available_fields = {"attackId", "dimensions/datetime", "x"};
    EXPECT_EQ(asked_dimensions(options).size(), 21U);
}

TEST(EventQueryTest, GivesUpTheLeastImportantFieldsFirstAndTheIdentityNever) {
    EXPECT_TRUE(asks({.max_fields = 23}, "verdict"));
    EXPECT_FALSE(asks({.max_fields = 22}, "verdict"));
    EXPECT_TRUE(asks({.max_fields = 8}, "direction"));
    EXPECT_EQ(asked_dimensions({.max_fields = 10}).size(), 8U);
    for (std::uint32_t most : {1U, 6U, 7U}) {
        EXPECT_EQ(asked_dimensions({.max_fields = most}),
                  (std::vector<std::string_view>{"datetime", "attackId", "ipSourceAddress",
                                                 "ipDestinationAddress", "destinationPort"}));
    }
    // Whoever drops one more field keeps all others: the order is fixed.
    for (std::uint32_t most = 7; most < 23; ++most) {
        const auto fewer = asked_dimensions({.max_fields = most});
        for (const std::string_view dimension : fewer) EXPECT_TRUE(asks({.max_fields = most + 1}, dimension));
    }
}

TEST(EventQueryTest, AsksTheSettingsOfTheSameDataset) {
    const json body = json::parse(limits_query("0123"));
    EXPECT_EQ(body.at("variables"), json({{"accountTag", "0123"}}));
    const auto query = body.at("query").get<std::string>();
    EXPECT_NE(
        query.find("settings { dosdNetworkAnalyticsAdaptiveGroups { enabled availableFields maxDuration"),
        std::string::npos);
    EXPECT_EQ(std::count(query.begin(), query.end(), '{'), std::count(query.begin(), query.end(), '}'));
}

}  // namespace
}  // namespace cam::cloudflare
