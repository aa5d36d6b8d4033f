#include "simulator/cloudflare.h"

#include <gtest/gtest.h>

#include "unit/simulator/simulator_client.h"

namespace cam::simulator {
namespace {

using nlohmann::json;

constexpr const char* kDay = R"(datetime_geq: "2026-01-19T00:00:00Z", datetime_lt: "2026-01-20T00:00:00Z")";

class CloudflareTest : public testing::Test {
protected:
    void SetUp() override {
        world.set_now(parse_moment("2026-01-19T23:00:00Z"));
        world.start();
        client.emplace(world);
    }

    void add(const std::string& id, const std::string& time, json more = json::object()) {
        more["attackId"] = id;
        more["datetime"] = time;
        world.add_event(more);
    }

    /// The attack ids that a filter lets through on the day of the tests.
    std::vector<std::string> ids(const std::string& filter, const std::string& order = "datetime_ASC") {
        const json rows = client->rows(std::string(kDay) + ", " + filter, "dimensions { attackId }",
                                       "limit: 100, orderBy: [" + order + "]");
        if (rows.is_string()) return {"error: " + rows.get<std::string>()};
        std::vector<std::string> out;
        for (const json& row : rows) out.push_back(row.at("dimensions").at("attackId"));
        return out;
    }

    using Ids = std::vector<std::string>;

    World world;
    std::optional<SimulatorClient> client;
};

TEST_F(CloudflareTest, AnswersOnlyTheSelectedFieldsUnderTheirAliases) {
    add("a", "2026-01-19T22:51:50Z", {{"packets", 1500}, {"bits", 9000000}, {"sourceAsnName", "MEGAHOST_"}});
    EXPECT_EQ(client->rows(kDay, "dimensions { who: sourceAsnName datetime } sum { packets }"),
              json::array({{{"dimensions", {{"who", "MEGAHOST_"}, {"datetime", "2026-01-19T22:51:50Z"}}},
                            {"sum", {{"packets", 1500}}}}}));
}

TEST_F(CloudflareTest, AnswersRowsOfTheWindowOnlyAndLimitsThemAfterSorting) {
    add("late", "2026-01-19T22:52:00Z");
    add("early", "2026-01-19T22:50:00Z");
    add("before", "2026-01-19T22:49:59Z");
    const auto answer = client->events("2026-01-19T22:50:00Z", "2026-01-19T22:52:00Z");
    ASSERT_TRUE(answer);
    const json body = json::parse(answer->body);
    EXPECT_TRUE(body.at("errors").is_null());
    const json& rows =
        body.at("data").at("viewer").at("accounts").at(0).at("dosdNetworkAnalyticsAdaptiveGroups");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows.at(0).at("dimensions").at("attackId"), "early");
    EXPECT_EQ(client->rows(kDay, "dimensions { attackId }", "limit: 2, orderBy: [datetime_DESC]").at(1),
              json({{"dimensions", {{"attackId", "early"}}}}));
}

TEST_F(CloudflareTest, FiltersByEveryOperator) {
    add("a", "2026-01-19T22:00:01Z", {{"sourcePort", 80}, {"ipDestinationAddress", "185.54.82.4"}});
    add("b", "2026-01-19T22:00:02Z", {{"sourcePort", 443}, {"ipDestinationAddress", "185.54.83.4"}});
    add("", "2026-01-19T22:00:03Z", {{"sourcePort", 8080}, {"ipDestinationAddress", "2a02:4460::1"}});
    EXPECT_EQ(ids("sourcePort: 443"), Ids{"b"});
    EXPECT_EQ(ids("attackId_neq: \"\""), (Ids{"a", "b"}));
    EXPECT_EQ(ids("sourcePort_gt: 80"), (Ids{"b", ""}));
    EXPECT_EQ(ids("sourcePort_geq: 443, sourcePort_lt: 8080"), Ids{"b"});
    EXPECT_EQ(ids("sourcePort_leq: 443"), (Ids{"a", "b"}));
    EXPECT_EQ(ids("attackId_in: [\"a\", \"z\"]"), Ids{"a"});
    EXPECT_EQ(ids("attackId_notin: [\"a\"]"), (Ids{"b", ""}));
    EXPECT_EQ(ids("ipDestinationAddress_like: \"185.54.8_.%\""), Ids{});
    EXPECT_EQ(ids("ipDestinationAddress_like: \"185.54.%.4\""), (Ids{"a", "b"}));
    EXPECT_EQ(ids("ipDestinationSubnet_in: [\"185.54.82.0/24\", \"2a02:4460::/64\"]"), (Ids{"a", ""}));
    EXPECT_EQ(ids("OR: [{sourcePort: 80}, {attackId: \"b\"}]"), (Ids{"a", "b"}));
    EXPECT_EQ(ids("AND: [{sourcePort_gt: 80}, {attackId_neq: \"\"}]"), Ids{"b"});
}

TEST_F(CloudflareTest, RefusesFiltersItDoesNotKnowOrOfTheWrongType) {
    EXPECT_NE(ids("sourcePrt: 1").front().find("unknown field \"sourcePrt\""), std::string::npos);
    EXPECT_NE(ids("sourcePort: \"1\"").front().find("error parsing args"), std::string::npos);
    EXPECT_NE(ids("datetime_gt: \"yesterday\"").front().find("error parsing args"), std::string::npos);
}

TEST_F(CloudflareTest, SortsBySumsAndByDimensions) {
    add("small", "2026-01-19T22:00:01Z", {{"packets", 1}, {"sourcePort", 9}});
    add("large", "2026-01-19T22:00:02Z", {{"packets", 9}, {"sourcePort", 1}});
    EXPECT_EQ(ids("outcome: \"\"", "sum_packets_DESC"), (Ids{"large", "small"}));
    EXPECT_EQ(ids("outcome: \"\"", "sourcePort_DESC"), (Ids{"small", "large"}));
    EXPECT_NE(ids("outcome: \"\"", "packets_DESC").front().find("orderBy"), std::string::npos);
    EXPECT_NE(ids("outcome: \"\"", "\"datetime_ASC\"").front().find("enum"), std::string::npos);
}

TEST_F(CloudflareTest, GroupsRowsThatAgreeInAllSelectedDimensionsAndAddsTheirSums) {
    add("a", "2026-01-19T22:00:01Z",
        {{"sourcePort", 80}, {"sourceAsn", nullptr}, {"packets", 10}, {"bits", 100}});
    add("a", "2026-01-19T22:00:59Z",
        {{"sourcePort", 80U}, {"sourceAsn", nullptr}, {"packets", 5}, {"bits", 50}});
    EXPECT_EQ(client->rows(
                  kDay, "dimensions { attackId datetimeMinute sourcePort sourceAsn } sum { packets bits }"),
              json::array({{{"dimensions",
                             {{"attackId", "a"},
                              {"datetimeMinute", "2026-01-19T22:00:00Z"},
                              {"sourcePort", 80},
                              {"sourceAsn", nullptr}}},
                            {"sum", {{"packets", 15}, {"bits", 150}}}}}));
}

TEST_F(CloudflareTest, PassesNullOddAndMissingValuesThrough) {
    add("a", "2026-01-19T22:00:01Z",
        {{"packets", nullptr},
         {"sourcePort", "46181"},
         {"sourceAsn", nullptr},
         {"missing", {"bits", "coloCode"}}});
    EXPECT_EQ(client->rows(kDay, "dimensions { sourcePort sourceAsn coloCode } sum { packets bits }"),
              json::array({{{"dimensions", {{"sourcePort", "46181"}, {"sourceAsn", nullptr}}},
                            {"sum", {{"packets", nullptr}}}}}));
}

TEST_F(CloudflareTest, KeepsLargeCountsExact) {
    add("a", "2026-01-19T22:00:01Z", {{"bits", 18446744073709551615U}});
    EXPECT_EQ(client->rows(kDay, "sum { bits }").at(0).at("sum").at("bits"), 18446744073709551615U);
}

TEST_F(CloudflareTest, TakesEventsInTheShapeOfAnAnswer) {
    world.add_event({{"dimensions", {{"datetime", "2026-01-19T22:00:01Z"}, {"attackId", "x"}}},
                     {"sum", {{"packets", 7}}}});
    EXPECT_EQ(client->rows(kDay, "dimensions { attackId } sum { packets }").at(0).at("sum").at("packets"), 7);
}

TEST_F(CloudflareTest, NamesUnknownFieldsWithTheConfiguredStatus) {
    EXPECT_EQ(client->rows(kDay, "dimensions { attackIdd }"), "unknown field \"attackIdd\"");
    EXPECT_EQ(client->rows(kDay, "sum { bytes }"), "unknown field \"bytes\"");
    EXPECT_EQ(client->rows(kDay, "count"), "unknown field \"count\"");
    EXPECT_EQ(world.requests().back().status, 400);
    world.configure_cloudflare([](CloudflareSettings& settings) {
        settings.unknown_field_status = 200;
        settings.unavailable_fields = {"sourceAsn"};
    });
    EXPECT_EQ(client->rows(kDay, "dimensions { sourceAsn }"), "unknown field \"sourceAsn\"");
    EXPECT_EQ(world.requests().back().status, 200);
    EXPECT_EQ(client->rows(kDay, "dimensions { attackId { x } }"), "scalar fields must have no selections");
    EXPECT_EQ(client->rows(kDay, "dimensions"), "object field must have selections");
}

TEST_F(CloudflareTest, EnforcesTheLimitsOfTheAccount) {
    world.set_limits({.max_duration_seconds = 3600,
                      .max_number_of_fields = 2,
                      .max_page_size = 50,
                      .not_older_than_seconds = 7200});
    const std::string hour = R"(datetime_geq: "2026-01-19T22:00:00Z", datetime_lt: "2026-01-19T23:00:00Z")";
    EXPECT_TRUE(client->rows(hour, "dimensions { attackId }", "limit: 50").is_array());
    EXPECT_EQ(client->rows(hour, "dimensions { attackId }", "limit: 51"),
              "limit must be positive number and not greater than 50");
    EXPECT_EQ(client->rows(hour, "dimensions { attackId }", "orderBy: [datetime_ASC]"),
              "limit must be positive number and not greater than 50");
    EXPECT_EQ(client->rows(hour, "dimensions { attackId ruleId } sum { bits }", "limit: 1"),
              "number of fields can't be more than 2");
    EXPECT_EQ(client->rows(R"(datetime_geq: "2026-01-19T20:59:00Z")", "sum { bits }", "limit: 1"),
              "cannot request data older than 7200s");
    EXPECT_EQ(client->rows(R"(datetime_geq: "2026-01-19T21:30:00Z")", "sum { bits }", "limit: 1"),
              "query time range is too large: 5400s requested, cannot request a time range wider than 3600s");
    world.set_limits({.enabled = false});
    EXPECT_EQ(client->rows(hour, "sum { bits }", "limit: 1"),
              "account does not have access to the path dosdNetworkAnalyticsAdaptiveGroups");
}

TEST_F(CloudflareTest, TellsTheLimitsInTheSettingsNode) {
    world.set_limits({.max_page_size = 77});
    const auto answer = client->graphql(
        "query($a: string!) { viewer { accounts(filter: {accountTag: $a}) { settings { "
        "dosdNetworkAnalyticsAdaptiveGroups { enabled maxPageSize availableFields } } } } }",
        {{"a", world.account_id()}});
    ASSERT_TRUE(answer);
    const json body = json::parse(answer->body);
    const json& node = body.at("data")
                           .at("viewer")
                           .at("accounts")
                           .at(0)
                           .at("settings")
                           .at("dosdNetworkAnalyticsAdaptiveGroups");
    EXPECT_EQ(node.at("enabled"), true);
    EXPECT_EQ(node.at("maxPageSize"), 77);
    EXPECT_EQ(node.at("availableFields").at(0), "dimensions_datetime");
    EXPECT_EQ(node.at("availableFields").back(), "sum_bits");
    EXPECT_EQ(world.requests(Target::kSettings).size(), 1U);
}

TEST_F(CloudflareTest, RefusesAWrongTokenAndAnUnknownAccount) {
    httplib::Client stranger("127.0.0.1", world.port());
    const auto refused =
        stranger.Post("/client/v4/graphql", R"({"query":"{viewer{accounts{x}}}"})", "application/json");
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 401);
    EXPECT_EQ(json::parse(refused->body).at("errors").at(0).at("message"), "Unauthorized");

    const json variables{
        {"account", "f00"}, {"from", "2026-01-19T22:00:00Z"}, {"to", "2026-01-19T23:00:00Z"}, {"limit", 1}};
    EXPECT_EQ(json::parse(client->graphql(kEventsQuery, variables)->body),
              json({{"data", {{"viewer", {{"accounts", json::array()}}}}}, {"errors", nullptr}}));
    world.configure_cloudflare([](CloudflareSettings& settings) {
        settings.unknown_account = CloudflareSettings::UnknownAccount::kForbidden;
    });
    const auto forbidden = client->graphql(kEventsQuery, variables);
    EXPECT_EQ(forbidden->status, 403);
    EXPECT_NE(forbidden->body.find("not authorized for that account"), std::string::npos);
}

TEST_F(CloudflareTest, ShowsARowOnlyOnceItsTimeHasCome) {
    World clocked;
    clocked.set_now(parse_moment("2026-01-19T22:00:00Z"));
    clocked.load(
        parse_scenario({{"now", "2026-01-19T22:00:00Z"},
                        {"events",
                         {{{"at_seconds_after_start", 10}, {"attackId", "on-time"}},
                          {{"at_seconds_ago", 60}, {"appears_after_seconds", 20}, {"attackId", "late"}}}}}));
    clocked.start();
    SimulatorClient other(clocked);
    const auto count_at = [&](const char* now) {
        clocked.set_now(parse_moment(now));
        return other.rows(kDay).size();
    };
    EXPECT_EQ(count_at("2026-01-19T22:00:09Z"), 0U);
    EXPECT_EQ(count_at("2026-01-19T22:00:10Z"), 1U);
    EXPECT_EQ(count_at("2026-01-19T22:00:20Z"), 2U);
}

class HeavyCloudflareTest : public CloudflareTest {};

TEST_F(HeavyCloudflareTest, AnswersTenThousandOfAHundredThousandRowsQuickly) {
    std::vector<json> events;
    for (int i = 0; i < 100; ++i) {
        const AttackOptions attack{
            .attack_id = "attack-" + std::to_string(i), .events = 1000, .sources = 1000};
        for (json& event : attack_events(attack, *parse_moment("2026-01-19T22:00:00Z"))) {
            events.push_back(std::move(event));
        }
    }
    world.add_events(events);
    const auto begin = std::chrono::steady_clock::now();
    const json rows =
        client->rows(kDay,
                     "dimensions { datetime attackId attackVector ruleName ipSourceAddress sourcePort "
                     "ipDestinationAddress destinationPort ipProtocolName tcpFlagsString sourceAsn "
                     "sourceAsnName sourceCountry coloCode coloCountry coloCity outcome "
                     "mitigationReason } sum { packets bits }",
                     "limit: 10000, orderBy: [datetime_ASC]");
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(rows.size(), 10000U);
    EXPECT_EQ(world.requests().back().rows, 10000U);
    RecordProperty("milliseconds",
                   static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
    EXPECT_LT(took, std::chrono::seconds{60});
}

TEST_F(CloudflareTest, CompressesOnlyForClientsThatAsk) {
    const AttackOptions attack{.events = 50};
    world.add_attack(attack, *parse_moment("2026-01-19T22:00:00Z"));
    client->http().set_decompress(false);
    client->http().set_default_headers({{"Accept-Encoding", "gzip"}});
    const auto packed = client->events("2026-01-19T22:00:00Z", "2026-01-19T23:00:00Z");
    EXPECT_EQ(packed->get_header_value("Content-Encoding"), "gzip");
    world.configure_cloudflare([](CloudflareSettings& settings) { settings.gzip = false; });
    const auto plain = client->events("2026-01-19T22:00:00Z", "2026-01-19T23:00:00Z");
    EXPECT_FALSE(plain->has_header("Content-Encoding"));
    EXPECT_LT(packed->body.size(), plain->body.size());
}

TEST_F(CloudflareTest, ServesPrefixesWithTheirBgpStates) {
    world.set_prefixes(
        {{.id = "p1",
          .cidr = "185.54.80.0/22",
          .bgp_prefixes = {{.id = "b1", .cidr = "185.54.80.0/24", .advertised = true},
                           {.id = "b2", .cidr = "185.54.81.0/24", .advertised = std::nullopt}}}});
    const std::string base = "/client/v4/accounts/" + world.account_id() + "/addressing/prefixes";
    const json prefixes = json::parse(client->http().Get(base)->body);
    EXPECT_EQ(prefixes.at("success"), true);
    EXPECT_EQ(prefixes.at("result").at(0).at("cidr"), "185.54.80.0/22");
    const json states = json::parse(client->http().Get(base + "/p1/bgp/prefixes")->body).at("result");
    EXPECT_EQ(states.at(0).at("on_demand").at("advertised"), true);
    EXPECT_TRUE(states.at(1).at("on_demand").at("advertised").is_null());
    EXPECT_EQ(client->http().Get(base + "/p9/bgp/prefixes")->status, 404);
    EXPECT_EQ(client->http().Get("/client/v4/accounts/x/addressing/prefixes")->status, 403);
    EXPECT_EQ(
        json::parse(client->http().Get("/client/v4/user/tokens/verify")->body).at("result").at("status"),
        "active");
}

TEST_F(CloudflareTest, RecordsTheWindowAndVariablesOfEveryQuery) {
    static_cast<void>(client->events("2026-01-19T22:00:00Z", "2026-01-19T23:00:00Z", 42));
    const auto requests = world.requests(Target::kGraphql);
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].from, parse_moment("2026-01-19T22:00:00Z"));
    EXPECT_EQ(requests[0].to, parse_moment("2026-01-19T22:59:59.999Z"));
    EXPECT_EQ(requests[0].limit, 42U);
    EXPECT_EQ(requests[0].variables.at("limit"), 42);
    EXPECT_EQ(requests[0].status, 200);
}

}  // namespace
}  // namespace cam::simulator
