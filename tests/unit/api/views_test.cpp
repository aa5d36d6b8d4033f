// What clients only read of the flow monitor: /alerts and /exporters.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "unit/api/samples.h"
#include "unit/api/site.h"

namespace cam::api {
namespace {

using nlohmann::json;

class ViewsTest : public SiteTest {};

TEST_F(ViewsTest, AnAlertTellsRulePrefixTimesRatesAndWhatWasCrossed) {
    alerts_ = {active_alert(), ended_alert()};
    const json list = opened(client_->Get("/alerts"))["result"];
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0], json({{"id", "alert-2"},
                             {"active", true},
                             {"rule_id", "rule-1"},
                             {"rule_name", "web"},
                             {"type", "threshold"},
                             {"scope", "per_prefix"},
                             {"prefix", "10.0.0.0/8"},
                             {"prefixes", {"10.0.0.0/8"}},
                             {"started_at", "2026-01-19T22:51:00Z"},
                             {"raised_at", "2026-01-19T22:52:03Z"},
                             {"ended_at", nullptr},
                             {"end_reason", nullptr},
                             {"crossing",
                              {{"metric", "bits_per_second"},
                               {"value", 2e9},
                               {"threshold", 1e9},
                               {"traffic_class", "all"},
                               {"baseline", nullptr},
                               {"spread", nullptr},
                               {"zscore_target", nullptr}}},
                             {"peak", {{"bits_per_second", 3e9}, {"packets_per_second", 500.5}}},
                             {"current", {{"bits_per_second", 2e9}, {"packets_per_second", 400.0}}}}));
    EXPECT_EQ(list[1]["active"], false);
    EXPECT_EQ(list[1]["ended_at"], "2026-01-19T22:55:00Z");
    EXPECT_EQ(list[1]["end_reason"], "below");
    EXPECT_TRUE(list[1]["prefix"].is_null()) << "it was the sum of two";
    EXPECT_EQ(list[1]["prefixes"], json::array({"10.0.0.0/8", "2001:db8::/32"}));
    EXPECT_EQ(list[1]["crossing"]["traffic_class"], "tcp_syn");
    EXPECT_EQ(list[1]["crossing"]["baseline"], 12.5);

    alerts_ = {zscore_alert()};
    const json unusual = opened(client_->Get("/alerts"))["result"][0]["crossing"];
    EXPECT_EQ(unusual["metric"], "zscore");
    EXPECT_EQ(unusual["spread"], 2.5);
    EXPECT_EQ(unusual["zscore_target"], "packets");
}

TEST_F(ViewsTest, AlertsAreAskedForAsTheQuerySays) {
    opened(client_->Get("/alerts"));
    asked_alerts_.with([](const AlertQuery& asked) {
        EXPECT_FALSE(asked.active);
        EXPECT_FALSE(asked.rule_id);
        EXPECT_FALSE(asked.since);
        EXPECT_EQ(asked.limit, 100U);
    });
    EXPECT_EQ(
        client_->Get("/alerts/?active=true&rule_id=r%201&since=2026-01-19T22:51:50Z&limit=10000")->status,
        200);
    asked_alerts_.with([](const AlertQuery& asked) {
        EXPECT_EQ(asked.active, true);
        EXPECT_EQ(asked.rule_id, "r 1");
        EXPECT_EQ(asked.since, parse_time("2026-01-19T22:51:50Z"));
        EXPECT_EQ(asked.limit, 10'000U);
    });
    opened(client_->Get("/alerts?active=false"));
    asked_alerts_.with([](const AlertQuery& asked) { EXPECT_EQ(asked.active, false); });
}

TEST_F(ViewsTest, AlertsRefuseBadParametersByNameAllAtOnce) {
    for (const char* query : {"active=yes", "active=", "rule_id=", "since=today", "limit=0", "limit=10001",
                              "status=open", "active=true&active=false"}) {
        const auto answer = client_->Get(std::string{"/alerts?"} + query);
        ASSERT_EQ(answer->status, 422) << query;
        const std::string name = std::string{query}.substr(0, std::string{query}.find('='));
        EXPECT_NE(messages(answer)[0].find(name), std::string::npos) << query;
    }
    EXPECT_EQ(messages(client_->Get("/alerts?active=x&limit=y&since=z&rule_id=&more=1")).size(), 5U);
    std::string many = "/alerts?a=1";
    for (int i = 0; i < 500; ++i) many += "&p" + std::to_string(i) + "=1";
    EXPECT_EQ(messages(client_->Get(many)).size(), 1U);
}

TEST_F(ViewsTest, AlertsThatCannotBeReadAre500) {
    fault_ = Error{ErrorCode::kBusy, "magic_transit.db: locked"};
    const auto answer = client_->Get("/alerts");
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ(messages(answer)[0], "magic_transit.db: locked");
}

TEST_F(ViewsTest, ExportersShowTheRateInUseAndWhereItCameFrom) {
    exporters_ = {exporter("192.0.2.1"), exporter("192.0.2.9")};
    const json router = router_named("edge", "192.0.2.1", *client_);
    const json list = opened(client_->Get("/exporters"))["result"];
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0], json({{"address", "192.0.2.1"},
                             {"router_id", router["id"]},
                             {"router_name", "edge"},
                             {"protocols", {"v9", "sflow5"}},
                             {"last_seen", "2026-01-19T22:51:50Z"},
                             {"templates", 3},
                             {"datagrams", 10},
                             {"flow_records", 200},
                             {"lost_datagrams", 1},
                             {"lost_records", 2},
                             {"dropped", {{"no_template", 4}}},
                             {"sampling",
                              {{{"protocol", "v9"},
                                {"domain", 7},
                                {"sampler", 1},
                                {"rate", 1000},
                                {"source", "options"}}}}}));
    EXPECT_TRUE(list[1]["router_id"].is_null()) << "nobody named it";
}

TEST_F(ViewsTest, RoutersThatWereNeverHeardAreThereToo) {
    exporters_ = {exporter("192.0.2.1")};
    router_named("edge", "192.0.2.1", *client_);
    router_named("silent", "2001:db8::1", *client_);
    const json list = opened(client_->Get("/exporters/"))["result"];
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[1]["address"], "2001:db8::1");
    EXPECT_EQ(list[1]["router_name"], "silent");
    EXPECT_TRUE(list[1]["last_seen"].is_null());
    EXPECT_EQ(list[1]["sampling"], json::array());
    EXPECT_EQ(client_->Get("/exporters?limit=1")->status, 422) << "it has no parameters";
}

TEST_F(ViewsTest, WithoutAFlowMonitorEveryRouterIsSilent) {
    Backend quiet = backend();
    quiet.exporters = nullptr;
    auto server = Server::start({.host = "127.0.0.1", .port = 0, .token = {}}, quiet, null_logger());
    ASSERT_TRUE(server);
    httplib::Client client("127.0.0.1", (*server)->port());
    router_named("edge", "192.0.2.1", client);
    const json list = opened(client.Get("/exporters"))["result"];
    ASSERT_EQ(list.size(), 1U);
    EXPECT_TRUE(list[0]["last_seen"].is_null());
}

}  // namespace
}  // namespace cam::api
