// What clients read of mitigation: /events with its pages and tables, /attacks, /deliveries, /status.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/api/samples.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;

class MitigationTest : public SiteTest {
protected:
    void SetUp() override {
        SiteTest::SetUp();
        attack_ = attack_detail("k9z3t-a");
        attacks_ = AttackPage{.attacks = {attack_.attack},
                              .next_cursor = 12,
                              .total = 40,
                              .complete_since = *parse_time("2026-01-18T00:00:00Z")};
    }
    /// 422 with one message, which begins with the parameter's name.
    void expect_refused(const std::string& path, const std::string& query) {
        const auto answer = client_->Get(path + "?" + query);
        ASSERT_EQ(answer->status, 422) << query;
        const std::string name = query.substr(0, query.find('='));
        ASSERT_EQ(messages(answer).size(), 1U) << query;
        EXPECT_EQ(messages(answer)[0].rfind(name, 0), 0U) << messages(answer)[0];
    }
};

TEST_F(MitigationTest, EventsAreFilteredAndPagedAsTheQuerySays) {
    events_ = {stored_event(9), stored_event(8)};
    next_cursor_ = 8;
    const auto answer = client_->Get(
        "/events?since=2026-01-19T22:00:00Z&until=2026-01-19T23:00:00Z&vector=SYN%20Flood&prefix=185.54.80.0/"
        "22&source=192.0.2.1&attack_id=a&cursor=77&limit=2");
    ASSERT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(opened(answer)["result"].size(), 2U);
    EXPECT_EQ(opened(answer)["result_info"], json({{"next_cursor", "8"}}));
    asked_events_.with([](const EventQuery& asked) {
        EXPECT_EQ(asked.until, parse_time("2026-01-19T23:00:00Z"));
        EXPECT_EQ(asked.vector, "SYN Flood");
        EXPECT_EQ(asked.prefix, Prefix::parse("185.54.80.0/22"));
        EXPECT_EQ(asked.source, "192.0.2.1");
        EXPECT_EQ(asked.cursor, 77);
        EXPECT_EQ(asked.limit, 2U);
    });
    next_cursor_.reset();
    EXPECT_EQ(opened(client_->Get("/events?prefix=2001:db8::1"))["result_info"],
              json({{"next_cursor", nullptr}}));
    asked_events_.with([](const EventQuery& asked) {
        EXPECT_EQ(asked.prefix, Prefix::parse("2001:db8::1/128")) << "an address is a prefix of itself";
    });
}

TEST_F(MitigationTest, EventsRefuseWhatIsNoFilter) {
    for (const char* query :
         {"until=now", "vector=", "prefix=185.54.80.1/22", "prefix=all", "source=", "cursor=x", "cursor=0",
          "cursor=9223372036854775808", "format=xml", "limit=1001"}) {
        expect_refused("/events", query);
    }
    EXPECT_EQ(client_->Get("/events?format=csv&limit=10001")->status, 422);
    EXPECT_EQ(client_->Get("/events?format=csv&limit=10000")->status, 200);
}

TEST_F(MitigationTest, EventsAsATableNeitherBreakNorRunInASpreadsheet) {
    StoredEvent event = stored_event(9);
    event.attack_vector = "=cmd|' /C calc'!A0";
    event.rule_name = "a \"quoted\", name";
    event.tcp_flags = "";
    events_ = {event};
    next_cursor_ = 9;
    const auto answer = client_->Get("/events/?format=csv&vector=SYN%20Flood%26x&cursor=50");
    ASSERT_EQ(answer->status, 200);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "text/csv; charset=utf-8; header=present");
    EXPECT_EQ(answer->get_header_value("Content-Disposition"), "attachment; filename=\"events.csv\"");
    EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(answer->get_header_value("Link"),
              "</events/?format=csv&vector=SYN Flood&x&cursor=9>; rel=\"next\"")
        << "as this client shows it: it decodes headers; paging_test.cpp has it as it is sent";
    EXPECT_EQ(
        answer->body,
        "id,event_hash,attack_id,event_datetime,attack_vector,rule_name,rule_id,source_ip,source_port,"
        "destination_ip,destination_port,protocol,tcp_flags,colo_code,colo_country,packets,bits,outcome,"
        "mitigation_reason,notified_at,source_asn,source_asn_name,source_country\r\n"
        "9,0a,a,2026-01-19T22:51:50Z,\"'=cmd|' /C calc'!A0\",\"a \"\"quoted\"\", name\",,,53,,,,,,,,,,,,,,"
        "\r\n");
    next_cursor_.reset();
    EXPECT_FALSE(client_->Get("/events?format=csv")->has_header("Link"));
}

TEST_F(MitigationTest, AnEventShowsWhatCloudflareSentAsJsonOrAsTheTextItIs) {
    events_ = {stored_event(9)};
    raw_data_ = R"({"dimensions":{"b":1,"a":"<script>"}})";
    const json event = opened(client_->Get("/events/9"))["result"];
    EXPECT_EQ(event["id"], 9);
    EXPECT_EQ(event["raw_data"], json::parse(*raw_data_));
    raw_data_ = "{broken";
    EXPECT_EQ(opened(client_->Get("/events/9/"))["result"]["raw_data"], "{broken");
    raw_data_ = std::string(100, '[') + std::string(100, ']');
    EXPECT_TRUE(opened(client_->Get("/events/9"))["result"]["raw_data"].is_string()) << "too deep to parse";
    raw_data_.reset();
    EXPECT_TRUE(opened(client_->Get("/events/9"))["result"]["raw_data"].is_null());
}

TEST_F(MitigationTest, WhatDoesNotExistIs404AndNamed) {
    events_ = {stored_event(9)};
    for (const char* path :
         {"/events/10", "/events/x", "/events/9x", "/events/-1", "/events/99999999999999999999",
          "/attacks/nothing", "/attacks/nothing/both-sides"}) {
        const auto answer = client_->Get(path);
        ASSERT_EQ(answer->status, 404) << path;
        EXPECT_FALSE(messages(answer)[0].empty());
    }
    EXPECT_EQ(client_->Get("/attacks//both-sides")->status, 404);
    EXPECT_EQ(client_->Get("/attacks/a/b/both-sides")->status, 404);
    EXPECT_EQ(client_->Get("/attacks/k9z3t-a/other-sides")->status, 404);
    EXPECT_EQ(client_->Get("/events/9?x=1")->status, 422);
    EXPECT_EQ(client_->Get("/attacks/k9z3t-a?x=1")->status, 422);
}

TEST_F(MitigationTest, OnlyGetIsServedAndAllowNamesItOnce) {
    for (const char* path : {"/attacks", "/attacks/timeline", "/attacks/k9z3t-a",
                             "/attacks/k9z3t-a/both-sides", "/events/9", "/deliveries", "/status"}) {
        const auto answer = client_->Post(path, "{}", "application/json");
        EXPECT_EQ(answer->status, 405) << path;
        EXPECT_EQ(answer->get_header_value("Allow"), "GET, HEAD") << path;
        EXPECT_EQ(client_->Head(path)->status, path == std::string{"/events/9"} ? 404 : 200) << path;
    }
}

TEST_F(MitigationTest, AnAttackTellsItsTimesVolumesAndTargets) {
    const json body = opened(client_->Get("/attacks?since=2026-01-19T00:00:00Z&vector=x&cursor=3&limit=200"));
    EXPECT_EQ(body["result"], json::array({{{"attack_id", "k9z3t-a"},
                                            {"vectors", {"SYN Flood"}},
                                            {"rule_names", {"TCP-0001"}},
                                            {"first_seen", "2026-01-19T22:51:50Z"},
                                            {"last_seen", "2026-01-19T22:59:50Z"},
                                            {"active", true},
                                            {"events", 7},
                                            {"packets", 1'000},
                                            {"bits", 64'000},
                                            {"target_count", 1},
                                            {"source_count", 5},
                                            {"targets", {"185.54.82.4"}}}}));
    EXPECT_EQ(body["result_info"],
              json({{"next_cursor", "12"}, {"total", 40}, {"complete_since", "2026-01-18T00:00:00Z"}}));
    asked_attacks_.with([](const AttackQuery& asked) {
        EXPECT_EQ(asked.since, parse_time("2026-01-19T00:00:00Z"));
        EXPECT_FALSE(asked.until);
        EXPECT_EQ(asked.vector, "x");
        EXPECT_EQ(asked.cursor, 3);
        EXPECT_EQ(asked.limit, 200U);
    });
    for (const char* query : {"limit=201", "prefix=x", "since=x", "cursor=-1"})
        expect_refused("/attacks", query);
}

TEST_F(MitigationTest, AnAttackIsBrokenDownBySourceTargetPlaceAndPort) {
    const json attack = opened(client_->Get("/attacks/k9z3t-a"))["result"];
    EXPECT_EQ(attack["sources"]["countries"],
              json({{"largest",
                     {{{"key", "BD"}, {"name", nullptr}, {"packets", 600}, {"bits", 40'000}, {"events", 4}}}},
                    {"left_out", 0}}));
    EXPECT_EQ(attack["sources"]["asns"]["left_out"], 3);
    EXPECT_EQ(attack["sources"]["asns"]["largest"][0]["name"], "Vision");
    EXPECT_EQ(attack["ports"], json({{"largest", json::array()}, {"left_out", 0}}));
    EXPECT_EQ(attack["complete_since"], "2026-01-19T00:00:00Z");
}

TEST_F(MitigationTest, TheTimelineHasOneSeriesForEachOfTheLargestAndOneForTheRest) {
    timeline_ = attack_timeline();
    const json timeline = opened(client_->Get("/attacks/timeline?step=300&prefix=10.0.0.0/8"))["result"];
    EXPECT_EQ(timeline["start"], "2026-01-19T22:50:00Z");
    EXPECT_EQ(timeline["step_seconds"], 300);
    EXPECT_EQ(timeline["series"][0]["packets"], json::array({1, 0}));
    EXPECT_EQ(timeline["other"]["bits"], json::array({0, 9}));
    EXPECT_EQ(timeline["other_count"], 4);
    asked_timeline_.with([](const TimelineRequest& asked) {
        EXPECT_EQ(asked.step, std::chrono::seconds{300});
        EXPECT_EQ(asked.prefix, Prefix::parse("10.0.0.0/8"));
        EXPECT_FALSE(asked.since);
    });
    for (const char* query : {"step=0", "step=86401", "until=x"}) expect_refused("/attacks/timeline", query);
    timeline_ = Error{ErrorCode::kInvalid, "step: at least 7 seconds are expected"};
    EXPECT_EQ(messages(client_->Get("/attacks/timeline"))[0], "step: at least 7 seconds are expected");
    EXPECT_EQ(client_->Get("/attacks/timeline")->status, 422);
}

TEST_F(MitigationTest, WhatArrivedIsNullWhereItIsUnknown) {
    both_sides_ = both_sides();
    const json both = opened(client_->Get("/attacks/k9z3t-a/both-sides/"))["result"];
    EXPECT_EQ(both["prefix"], "185.54.80.0/22");
    EXPECT_TRUE(both["minutes"][0]["arrived_bits_per_second"].is_null());
    EXPECT_TRUE(both["minutes"][0]["arrived_packets_per_second"].is_null());
    EXPECT_EQ(both["minutes"][1]["arrived_bits_per_second"], 2.5e7);
    EXPECT_EQ(both["minutes"][1]["dropped_packets_per_second"], 1e5);
    EXPECT_EQ(both["leaked_share"], 0.0234);
    both_sides_ = BothSides{};
    const json unknown = opened(client_->Get("/attacks/k9z3t-a/both-sides"))["result"];
    EXPECT_TRUE(unknown["prefix"].is_null());
    EXPECT_TRUE(unknown["leaked_share"].is_null());
}

TEST_F(MitigationTest, DeliveriesTellWhatWaitsAndWhy) {
    deliveries_ = {.deliveries = {delivery(3, DeliveryState::kWaiting)}, .next_cursor = 3};
    const json body = opened(client_->Get("/deliveries?state=failed&limit=1&cursor=9"));
    EXPECT_EQ(body["result"][0], json({{"id", "3"},
                                       {"kind", "event"},
                                       {"state", "waiting"},
                                       {"created_at", "2026-01-19T22:51:50Z"},
                                       {"sent_at", nullptr},
                                       {"attempts", 2},
                                       {"last_attempt_at", nullptr},
                                       {"next_attempt_at", "2026-01-19T22:52:50Z"},
                                       {"last_error", "429"},
                                       {"text", "*<b>x</b>*"}}));
    EXPECT_EQ(body["result_info"]["next_cursor"], "3");
    asked_deliveries_.with([](const DeliveryQuery& asked) {
        EXPECT_EQ(asked.state, DeliveryState::kFailed);
        EXPECT_EQ(asked.limit, 1U);
        EXPECT_EQ(asked.cursor, 9);
    });
    for (const char* query : {"state=delivered", "limit=0", "cursor=a"}) expect_refused("/deliveries", query);
}

TEST_F(MitigationTest, TheStatusSaysWhatIsKnownAndNullForTheRest) {
    status_ = monitor_status();
    const json status = opened(client_->Get("/status"))["result"];
    EXPECT_EQ(status["conditions"][0], json({{"name", "telegram"},
                                             {"headline", "Telegram does not answer"},
                                             {"details", {"timeout"}},
                                             {"since", "2026-01-19T22:00:00Z"}}));
    EXPECT_EQ(status["polling"]["last_ok_at"], "2026-01-19T22:59:00Z");
    EXPECT_TRUE(status["polling"]["last_failure"].is_null());
    EXPECT_EQ(status["geoip"],
              json({{"kind", "free"}, {"city_built_at", "2026-01-13T00:00:00Z"}, {"asn_built_at", nullptr}}));
    EXPECT_EQ(status["prefixes"][0]["status"], "advertised");
    EXPECT_EQ(status["prefixes"][1]["status"], "withdrawn");
    EXPECT_EQ(status["prefixes"][2]["status"], "unknown");
    EXPECT_EQ(status["prefixes"][2]["checked_at"], "2026-01-19T22:45:00Z");
    EXPECT_EQ(status["flow"]["last_minute"], "2026-01-19T22:59:00Z");
    status_ = MonitorStatus{};
    const json blank = opened(client_->Get("/status"))["result"];
    for (const char* name : {"outbox", "alerts_active", "attacks_24h"})
        EXPECT_TRUE(blank[name].is_null()) << name;
    EXPECT_EQ(client_->Get("/status?x=1")->status, 422);
}

TEST_F(MitigationTest, HostileTextStaysTextInValidJson) {
    attack_.attack.vectors = {"</script><img src=x onerror=alert(1)>", "\xff\xfe", std::string("a\0b", 3)};
    const auto answer = client_->Get("/attacks/k9z3t-a");
    ASSERT_EQ(answer->status, 200);
    EXPECT_EQ(answer->get_header_value("Content-Type"), "application/json");
    EXPECT_EQ(opened(answer)["result"]["vectors"][0], "</script><img src=x onerror=alert(1)>");
}

TEST_F(MitigationTest, WhatCannotBeReadIs500) {
    fault_ = Error{ErrorCode::kBusy, "magic_transit.db: locked"};
    for (const char* path : {"/attacks", "/attacks/timeline", "/attacks/a", "/attacks/a/both-sides",
                             "/events", "/events/9", "/deliveries", "/status"}) {
        const auto answer = client_->Get(path);
        EXPECT_EQ(answer->status, 500) << path;
        EXPECT_EQ(messages(answer)[0], "magic_transit.db: locked") << path;
    }
}

}  // namespace
}  // namespace cam::api
