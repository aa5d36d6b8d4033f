#include "simulator/scenario.h"

#include <gtest/gtest.h>

#include <set>

namespace cam::simulator {
namespace {

using nlohmann::json;

std::string error_of(const json& scenario) {
    try {
        static_cast<void>(parse_scenario(scenario));
    } catch (const ScenarioError& error) {
        return error.what();
    }
    return "no error";
}

TEST(ScenarioTest, NamesThePathOfWhatIsWrong) {
    EXPECT_TRUE(error_of({{"cloudfare", 1}}).starts_with("cloudfare: unknown key; known are cloudflare"));
    EXPECT_EQ(error_of({{"cloudflare", {{"gzip", 1}}}}), "cloudflare.gzip: expected true or false, found 1");
    EXPECT_EQ(error_of({{"cloudflare", {{"limits", {{"max_page_size", "x"}}}}}}),
              "cloudflare.limits.max_page_size: expected a whole number, found \"x\"");
    EXPECT_EQ(error_of({{"cloudflare", {{"prefixes", {{{"id", "x"}}}}}}}),
              "cloudflare.prefixes[0].cidr: missing");
    EXPECT_TRUE(error_of({{"events", {{{"at_seconds_ago", 1}, {"atackId", "x"}}}}})
                    .starts_with("events[0].atackId: "));
    EXPECT_TRUE(
        error_of({{"events", {{{"attackId", "x"}}}}}).starts_with("events[0].datetime: expected a time"));
    EXPECT_TRUE(error_of({{"attacks", {{{"events", 1}}}}}).starts_with("attacks[0].at: exactly one of"));
    EXPECT_TRUE(error_of({{"attacks", {{{"at_seconds_ago", 1}, {"spoofed_share", 2}}}}})
                    .starts_with("attacks[0].spoofed_share: "));
    EXPECT_TRUE(
        error_of({{"faults", {{{"kind", "reset"}, {"target", "moon"}}}}}).starts_with("faults[0].target: "));
    EXPECT_TRUE(error_of({{"telegram", {{"chats", {{{"id", 1}, {"state", "gone"}}}}}}})
                    .starts_with("telegram.chats[0].state: "));
    EXPECT_EQ(error_of({{"now", "noon"}}), "now: expected a time such as 2026-01-19T22:55:00Z");
    EXPECT_EQ(error_of(json::array()), "(top level): expected an object, found array");
}

TEST(ScenarioTest, MakesAnAttackOutOfItsOptions) {
    const AttackOptions attack{.attack_id = "a-1",
                               .events = 15,
                               .sources = 8,
                               .spoofed_share = 0.375,
                               .packets = 15001,
                               .bits = 54000000,
                               .over_seconds = 300};
    const auto events = attack_events(attack, *parse_moment("2026-01-19T22:50:00Z"));
    ASSERT_EQ(events.size(), 15U);
    std::set<std::string> sources;
    std::size_t packets = 0;
    std::size_t bits = 0;
    for (const json& event : events) {
        sources.insert(event.at("ipSourceAddress").get<std::string>());
        packets += event.at("packets").get<std::size_t>();
        bits += event.at("bits").get<std::size_t>();
    }
    EXPECT_EQ(sources.size(), 8U);
    EXPECT_EQ(
        std::count_if(sources.begin(), sources.end(), [](const auto& one) { return one.starts_with("10."); }),
        3);
    EXPECT_EQ(packets, 15001U);
    EXPECT_EQ(bits, 54000000U);
    EXPECT_EQ(events.front().at("datetime"), "2026-01-19T22:50:00Z");
    EXPECT_EQ(events.back().at("datetime"), "2026-01-19T22:55:00Z");
}

TEST(ScenarioTest, ReadsFaultsAndChatsAndRates) {
    const Scenario scenario = parse_scenario(
        {{"telegram",
          {{"chats", {{{"id", -5}, {"state", "upgraded"}, {"migrated_to", -1005}}}},
           {"rates", {{"per_message_ms", 10}, {"burst", 4}}}}},
         {"faults", {{{"kind", "rate_limited"}, {"target", "telegram"}, {"retry_after", 3}, {"times", 1}}}}});
    EXPECT_EQ(scenario.telegram.chats.front().migrated_to, -1005);
    EXPECT_TRUE(scenario.telegram.rates.enabled);
    EXPECT_EQ(scenario.telegram.rates.burst, 4);
    ASSERT_EQ(scenario.faults.size(), 1U);
    EXPECT_EQ(scenario.faults.front().kind(), Fault::Kind::kRateLimited);
    EXPECT_EQ(scenario.faults.front().retry_after(), std::chrono::seconds{3});
}

TEST(ScenarioTest, TheDemoHasOneEventAForeignOneAndAnAttackOfFifteen) {
    const Scenario demo = load_scenario(CAM_SIMULATOR_DEMO);
    EXPECT_EQ(demo.events.size(), 17U);
    std::set<std::string> sources;
    std::size_t of_attack = 0;
    for (const json& event : demo.events) {
        if (event.at("attackId") != "m2c7q-48hhx0v1d5t9ke3b6wzya") continue;
        ++of_attack;
        sources.insert(event.at("ipSourceAddress").get<std::string>());
    }
    EXPECT_EQ(of_attack, 15U);
    EXPECT_EQ(sources.size(), 8U);
    std::size_t bgp_prefixes = 0;
    for (const IpPrefix& prefix : demo.cloudflare.prefixes) bgp_prefixes += prefix.bgp_prefixes.size();
    EXPECT_EQ(bgp_prefixes, 5U);
}

TEST(ScenarioTest, SaysWhichFileCannotBeRead) {
    try {
        static_cast<void>(load_scenario("/nonexistent/scenario.json"));
        FAIL();
    } catch (const ScenarioError& error) {
        EXPECT_STREQ(error.what(), "/nonexistent/scenario.json: cannot be read");
    }
}

}  // namespace
}  // namespace cam::simulator
