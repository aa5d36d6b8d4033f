// Charts and previews as clients see them: null for what is unknown, bounds that name what to change.

#include <string>

#include <gtest/gtest.h>

#include "unit/api/samples.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;
using std::chrono::minutes;

class TrafficTest : public SiteTest {
protected:
    static MinuteTime at(const char* text) { return std::chrono::floor<minutes>(*parse_time(text)); }
    static Prefix net(const char* text) { return Prefix::parse(text).value(); }
    static std::string only_message(const httplib::Result& answer) {
        const auto all = messages(answer);
        return all.size() == 1 ? all[0] : fmt::format("{} messages", all.size());
    }
};

TEST_F(TrafficTest, AMinuteThatWasNotCollectedIsNullAndAveragesAreOfThoseThatWere) {
    TrafficPoint known{.start = at("2026-01-20T08:00:00Z"), .collected = 2};
    known.sum[0] = {.bytes = 15'000, .packets = 240, .flows = 12};
    known.sum[static_cast<std::size_t>(TrafficClass::kUdp)] = {.bytes = 15'000, .packets = 240, .flows = 12};
    known.peak = {.bytes = 15'000, .packets = 240, .flows = 12};
    points_ = {known, {.start = at("2026-01-20T08:05:00Z")}};
    const json told =
        opened(client_->Get("/traffic?prefix=10.0.0.0/8&since=2026-01-20T08:00:00Z&step=5"))["result"];
    EXPECT_EQ(told["step_minutes"], 5);
    EXPECT_EQ(told["start"], "2026-01-20T08:00:00Z");
    EXPECT_EQ(told["points"][0],
              json({{"start", "2026-01-20T08:00:00Z"},
                    {"collected", 2},
                    {"bits_per_second", 1000.0},
                    {"packets_per_second", 2.0},
                    {"flows_per_second", 0.1},
                    {"peak_bits_per_second", 2000.0},
                    {"peak_packets_per_second", 4.0},
                    {"classes", {{"udp", {{"bits_per_second", 1000.0}, {"packets_per_second", 2.0}}}}}}));
    for (const char* field : {"bits_per_second", "packets_per_second", "flows_per_second",
                              "peak_bits_per_second", "peak_packets_per_second", "classes"}) {
        EXPECT_TRUE(told["points"][1][field].is_null()) << field;
    }
    asked_traffic_.with([](const auto& asked) {
        EXPECT_EQ(asked.first, std::vector{net("10.0.0.0/8")});
        EXPECT_EQ(asked.second.from, at("2026-01-20T08:00:00Z"));
        EXPECT_EQ(asked.second.to, at("2026-01-20T09:00:00Z"));
        EXPECT_EQ(asked.second.step, minutes{5});
    });
}

TEST_F(TrafficTest, ARangeIsTheLastDayAndItsStepTheLeastThatIsPossible) {
    opened(client_->Get("/traffic?prefix=10.0.0.0/8"));
    asked_traffic_.with([](const auto& asked) {
        EXPECT_EQ(asked.second.to - asked.second.from, minutes{1440});
        EXPECT_EQ(asked.second.step, minutes{1});
    });
    opened(client_->Get("/traffic?prefix=10.0.0.0/8&since=2025-12-21T09:00:00Z"));
    asked_traffic_.with([](const auto& asked) { EXPECT_EQ(asked.second.step, minutes{5}); });
}

TEST_F(TrafficTest, RefusalsNameTheParameterAndTheRemedy) {
    const auto get = [&](const std::string& query) { return only_message(client_->Get("/traffic" + query)); };
    EXPECT_EQ(get(""), "prefix: it or rule_id is expected, not both");
    EXPECT_EQ(get("?prefix=10.0.0.0/8&rule_id=x"), "prefix: it or rule_id is expected, not both");
    EXPECT_EQ(get("?prefix=10.0.0.1/8"), "prefix: a prefix such as 192.0.2.0/24 is expected");
    EXPECT_EQ(get("?rule_id=none"), "rule_id: no rule has this id");
    EXPECT_EQ(get("?prefix=10.0.0.0/8&since=2026-01-20T09:00:00Z"),
              "since: a time at least a minute before until is expected");
    EXPECT_EQ(get("?prefix=10.0.0.0/8&since=2025-01-20T09:00:00Z"),
              "since: at most 31 days before until are expected");
    EXPECT_EQ(get("?prefix=10.0.0.0/8&since=2025-12-21T09:00:00Z&step=1"),
              "step: 5 minutes or more are expected; an answer has at most 10000 points");
    EXPECT_EQ(get("?prefix=10.0.0.0/8&step=0"), "step: a number from 1 to 1440 is expected");
    EXPECT_EQ(client_->Get("/traffic/contributors")->status, 422);
}

TEST_F(TrafficTest, ThresholdsAndAlertsOfTheRangeAreDrawnIn) {
    const json rule = {
        {"name", "web"}, {"prefixes", {"10.0.0.0/8"}}, {"type", "threshold"}, {"packet_threshold", 5}};
    const std::string id = opened(client_->Post("/rules", rule.dump(), "application/json"))["result"]["id"];
    alerts_ = {active_alert(), ended_alert()};
    const json told = opened(client_->Get("/traffic?prefix=10.0.0.0/8&since=2026-01-19T22:55:00Z"))["result"];
    EXPECT_EQ(told["thresholds"], json::array({{{"rule_id", id},
                                                {"rule_name", "web"},
                                                {"bits_per_second", nullptr},
                                                {"packets_per_second", 5}}}));
    ASSERT_EQ(told["alerts"].size(), 1U) << "the one that ended lies before the range";
    EXPECT_EQ(told["alerts"][0]["id"], "alert-2");
    const json other = opened(client_->Get("/traffic?prefix=192.0.2.0/24"))["result"];
    EXPECT_TRUE(other["thresholds"].empty());
    EXPECT_TRUE(other["alerts"].empty());
}

TEST_F(TrafficTest, PrefixesComeByTrafficAndThoseWithoutItToo) {
    const json rule = {{"name", "web"},
                       {"prefixes", {"10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24"}},
                       {"type", "threshold"},
                       {"packet_threshold", 5}};
    opened(client_->Post("/rules", rule.dump(), "application/json"));
    json told = opened(client_->Get("/traffic/prefixes"))["result"];
    EXPECT_TRUE(told["minute"].is_null());
    EXPECT_TRUE(told["prefixes"][0]["bits_per_second"].is_null()) << "unknown is not zero";
    PrefixMinute busy{.prefix = net("192.0.2.0/24"), .minute = at("2026-01-20T08:59:00Z")};
    busy.classes[0] = {.bytes = 7'500, .packets = 60, .flows = 1};
    traffic_minute_ = TrafficMinute{.minute = busy.minute, .prefixes = {busy}};
    alerts_ = {active_alert()};
    told = opened(client_->Get("/traffic/prefixes?limit=2"))["result"];
    EXPECT_EQ(told["minute"], "2026-01-20T08:59:00Z");
    EXPECT_EQ(told["prefix_count"], 3);
    ASSERT_EQ(told["prefixes"].size(), 2U);
    EXPECT_EQ(told["prefixes"][0]["prefix"], "192.0.2.0/24");
    EXPECT_EQ(told["prefixes"][0]["bits_per_second"], 1000.0);
    EXPECT_EQ(told["prefixes"][0]["alert"], false);
    EXPECT_EQ(told["prefixes"][1]["prefix"], "10.0.0.0/8");
    EXPECT_EQ(told["prefixes"][1]["bits_per_second"], 0.0);
    EXPECT_EQ(told["prefixes"][1]["alert"], true);
    EXPECT_EQ(told["prefixes"][1]["rules"][0]["name"], "web");
}

TEST_F(TrafficTest, PartsHaveTheirShareAndTheNameOfAnAs) {
    parts_.all = {.bytes = 1'000, .packets = 10, .flows = 1};
    parts_.largest = {{net("10.0.0.0/8"), {}, TrafficFacet::kSourceAs, "13335", {250, 2, 1}},
                      {net("10.0.0.0/8"), {}, TrafficFacet::kSourceAs, "64500", {2'000, 2, 1}}};
    parts_.as_names = {{"13335", "CLOUDFLARENET"}};
    const json told = opened(client_->Get("/traffic/contributors?prefix=10.0.0.0/8"))["result"];
    EXPECT_EQ(told.size(), 8U);
    EXPECT_EQ(told["source_as"][0], json({{"key", "13335"},
                                          {"bytes", 250},
                                          {"packets", 2},
                                          {"flows", 1},
                                          {"share", 0.25},
                                          {"name", "CLOUDFLARENET"}}));
    EXPECT_TRUE(told["source_as"][1]["name"].is_null());
    EXPECT_EQ(told["source_as"][1]["share"], 1.0) << "estimates may exceed the whole; a share may not";
    EXPECT_TRUE(told["exporter"].empty());
}

TEST_F(TrafficTest, APreviewChecksTheRuleAndComesOneAtATime) {
    const json rule = {
        {"name", "r"}, {"prefixes", {"10.0.0.0/8"}}, {"type", "threshold"}, {"packet_threshold", 5}};
    const auto post = [&](const std::string& query, const json& body) {
        return client_->Post("/rules/preview" + query, body.dump(), "application/json");
    };
    preview_.alerts = {active_alert()};
    preview_.suggestion = {.bits_per_second = {}, .packets_per_second = 7, .reasoning = "so"};
    const json told = opened(post("", rule))["result"];
    EXPECT_FALSE(told["alerts"][0].contains("id"));
    EXPECT_EQ(told["suggestion"],
              json({{"bandwidth_threshold", nullptr}, {"packet_threshold", 7}, {"reasoning", "so"}}));
    EXPECT_TRUE(rules_.all().empty()) << "nothing is stored";
    EXPECT_EQ(post("?days=31", rule)->status, 422);
    EXPECT_EQ(post("", {{"name", "r"}})->status, 422);
    fault_ = Error{ErrorCode::kBusy, "busy"};
    const auto later = post("", rule);
    EXPECT_EQ(later->status, 429);
    EXPECT_EQ(later->get_header_value("Retry-After"), "2");
    fault_ = Error{ErrorCode::kInvalid, "days: fewer"};
    EXPECT_EQ(only_message(post("", rule)), "days: fewer");
}

}  // namespace
}  // namespace cam::api
