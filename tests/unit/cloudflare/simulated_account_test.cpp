#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/cloudflare/analytics_client.h"
#include "cam/cloudflare/window_plan.h"
#include "cam/net/http_client.h"
#include "simulator/world.h"

namespace cam::cloudflare {
namespace {

using namespace std::chrono_literals;
using simulator::Fault;
using simulator::Target;

/// libcurl against a server that poses as Cloudflare.
class SimulatedAccountTest : public testing::Test {
protected:
    void SetUp() override {
        world.start();
        auto created = net::CurlHttpClient::create("cam-test/1.0");
        ASSERT_TRUE(created);
        http = std::move(created).value();
        client = std::make_unique<AnalyticsClient>(
            *http, clock,
            AnalyticsClient::Options{world.cloudflare_url(), world.account_id(), Secret{world.api_token()}});
        const WallTime now = std::chrono::floor<std::chrono::seconds>(clock.wall());
        window = {now - 15min, now};
    }
    void TearDown() override {
        http.reset();
        world.stop();
    }
    void add_event(WallTime at, int number, const char* direction = "ingress") {
        world.add_event({{"datetime", rfc3339(at)},
                         {"attackId", fmt::format("a-{}", number)},
                         {"ipSourceAddress", "192.0.2.7"},
                         {"ipDestinationAddress", "185.54.80.1"},
                         {"destinationPort", number},
                         {"outcome", "drop"},
                         {"direction", direction},
                         {"packets", 1'500},
                         {"bits", 9'000'000}});
    }
    FailureKind failure_with(const Fault& fault) {
        world.set_faults({fault});
        const auto page = client->events(window, {.total = 2s});
        EXPECT_FALSE(page) << fault.name() << " passed for a page";
        return page ? FailureKind::kCancelled : page.error().kind;
    }

    simulator::World world;
    SystemClock clock;
    std::unique_ptr<net::CurlHttpClient> http;
    std::unique_ptr<AnalyticsClient> client;
    TimeWindow window{};
};

TEST_F(SimulatedAccountTest, GivesTheEventsOfAWindowOldestFirst) {
    add_event(window.from + 2min, 2);
    add_event(window.from, 1);
    add_event(window.to, 3);
    add_event(window.from + 3min, 4, "egress");
    const auto page = client->events(window, {});
    ASSERT_TRUE(page) << page.error().detail;
    ASSERT_EQ(page->events.size(), 2U) << "the window is half open, and what we send is no attack";
    EXPECT_EQ(page->events[0].attack_id, "a-1");
    EXPECT_EQ(page->events[1].attack_id, "a-2");
    EXPECT_EQ(page->events[1].packets, 1'500U);
    EXPECT_EQ(page->not_ingress, 1U);
    EXPECT_EQ(page->unreadable, 0U);
}

// B2: an attack of more rows than a page was cut to the newest ones, silently.
TEST_F(SimulatedAccountTest, SeesEveryRowOfAnAttackThatOverflowsThePage) {
    constexpr int kRows = 500;
    for (int i = 0; i < kRows; ++i) add_event(window.from + 7min + std::chrono::seconds{i / 10}, i);
    constexpr std::uint32_t kPage = 50;
    std::set<std::string> seen;
    WindowPlan plan{window, 24h};
    while (const auto part = plan.next()) {
        const auto page = client->events(*part, {.limit = kPage});
        ASSERT_TRUE(page) << page.error().detail;
        if (page->rows >= kPage && plan.halve()) continue;
        for (const MitigationEvent& event : page->events) seen.emplace(event.attack_id.value_or("?"));
        plan.complete();
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(kRows));
    EXPECT_EQ(plan.answered_to(), window.to);
    EXPECT_EQ(world.connections(Target::kGraphql), 1U) << "B32: connections are kept";
}

// B6
TEST_F(SimulatedAccountTest, TellsEveryFaultFromAnEmptyList) {
    add_event(window.from, 1);
    EXPECT_EQ(failure_with(Fault::data_null()), FailureKind::kNoData);
    EXPECT_EQ(failure_with(Fault::node_null()), FailureKind::kNoData);
    EXPECT_EQ(failure_with(Fault::node_missing()), FailureKind::kNoData);
    EXPECT_EQ(failure_with(Fault::accounts_empty()), FailureKind::kUnknownAccount);
    EXPECT_EQ(failure_with(Fault::cut_json()), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::cut_connection()), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::reset()), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::gzip_garbage()), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::status(502, simulator::BodyKind::kHtml)), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::status(503, simulator::BodyKind::kEmpty)), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::status(401)), FailureKind::kUnauthorized);
    EXPECT_EQ(failure_with(Fault::status(403)), FailureKind::kForbidden);
    EXPECT_EQ(failure_with(Fault::rate_limited(7s)), FailureKind::kRateLimited);
    EXPECT_EQ(failure_with(Fault::graphql_errors("x", "budget")), FailureKind::kRateLimited);
    EXPECT_EQ(failure_with(Fault::body("")), FailureKind::kTransient);
    EXPECT_EQ(failure_with(Fault::stall()), FailureKind::kTimeout);
    world.clear_faults();
    EXPECT_EQ(client->events(window, {})->events.size(), 1U) << "and all is well again";
}

TEST_F(SimulatedAccountTest, LearnsFromTheAccountWhatItMayAsk) {
    world.set_limits({.max_duration_seconds = 3'600, .max_number_of_fields = 12, .max_page_size = 40});
    const auto limits = client->limits(2s, {});
    ASSERT_TRUE(limits) << limits.error().detail;
    EXPECT_EQ(limits->max_duration, 1h);
    EXPECT_EQ(limits->max_page_size, 40U);
    EXPECT_EQ(limits->max_fields, 12U);

    EXPECT_EQ(client->events(window, {.limit = 40}).error().kind, FailureKind::kTooManyFields);
    EXPECT_EQ(client->events(window, {.limit = 41, .max_fields = 12}).error().kind,
              FailureKind::kPageTooLarge);
    const PageOptions fitting{.limit = limits->max_page_size, .max_fields = limits->max_fields};
    const auto too_wide = client->events({window.to - 2h, window.to}, fitting);
    EXPECT_EQ(too_wide.error().kind, FailureKind::kTooWide) << too_wide.error().detail;
    EXPECT_EQ(too_wide.error().limit, 3'600U);
    const auto page = client->events(window, fitting);
    EXPECT_TRUE(page) << page.error().detail;
}

TEST_F(SimulatedAccountTest, DoesWithoutTheFieldsThatAnAccountLacks) {
    add_event(window.from, 1);
    world.configure_cloudflare([](simulator::CloudflareSettings& settings) {
        settings.unavailable_fields = {"direction", "coloCity", "verdict"};
    });
    EXPECT_EQ(client->events(window, {}).error().kind, FailureKind::kQueryRefused);
    const auto limits = client->limits(2s, {});
    ASSERT_TRUE(limits) << limits.error().detail;
    const auto page = client->events(window, {.available_fields = limits->available_fields});
    ASSERT_TRUE(page) << page.error().detail;
    EXPECT_EQ(page->events.size(), 1U);
}

TEST_F(SimulatedAccountTest, CountsAdvertisedPrefixes) {
    simulator::IpPrefix first{.id = "p1", .cidr = "185.54.80.0/22", .description = ""};
    first.bgp_prefixes = {{.id = "b1", .cidr = "185.54.80.0/24", .advertised = true},
                          {.id = "b2", .cidr = "185.54.81.0/24", .advertised = false},
                          {.id = "b3", .cidr = "185.54.82.0/24", .advertised = std::nullopt}};
    world.set_prefixes(
        {first, {.id = "p2", .cidr = "2a02:4460::/32", .description = "", .bgp_prefixes = {}}});
    const auto status = client->bgp_status(5s, {});
    ASSERT_TRUE(status) << status.error().detail;
    EXPECT_EQ(status->advertised, 1U);
    EXPECT_EQ(status->unknown, 2U);
    EXPECT_EQ(status->total, 4U);
    EXPECT_EQ(status->prefixes, (std::vector<PrefixAdvertisement>{{"185.54.80.0/24", true},
                                                                  {"185.54.81.0/24", false},
                                                                  {"185.54.82.0/24", std::nullopt},
                                                                  {"2a02:4460::/32", std::nullopt}}))
        << "an IP prefix without a BGP prefix of its own stands for itself";
    world.add_fault(Fault::status(500).on(Target::kPrefixes).skipping(2));
    EXPECT_FALSE(client->bgp_status(5s, {})) << "one failure makes the whole unknown";
}

TEST_F(SimulatedAccountTest, AWrongTokenIsUnauthorizedAndStaysSecret) {
    const std::string wrong = "a-wrong-token-0123456789";
    AnalyticsClient stranger{*http, clock, {world.cloudflare_url(), world.account_id(), Secret{wrong}}};
    const auto page = stranger.events(window, {});
    ASSERT_FALSE(page);
    EXPECT_TRUE(permanent(page.error().kind)) << name(page.error().kind) << ' ' << page.error().detail;
    EXPECT_EQ(page.error().detail.find(wrong), std::string::npos);
    EXPECT_EQ(page.error().detail.find("127.0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace cam::cloudflare
