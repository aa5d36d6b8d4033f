#include "cam/rules/event_filter.h"
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "fakes/model/lasting_text.h"

namespace cam::rules {
namespace {

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

MitigationEvent event_to(std::string_view destination) {
    MitigationEvent event;
    event.destination_ip = destination;
    event.destination = IpAddress::parse(destination);
    event.packets = 1;
    return event;
}

/// A row whose identity is `identity`. Every row has JSON of its own unless the test says otherwise.
MitigationEvent row(std::string_view identity, std::optional<std::uint64_t> packets, std::string_view raw) {
    MitigationEvent event;
    event.hash = event_hash(identity, "", "", "", "");
    event.datetime = identity;
    event.packets = packets;
    event.bits = packets;
    event.raw = raw;
    return event;
}

std::vector<std::size_t> all_of(const std::vector<MitigationEvent>& events) {
    std::vector<std::size_t> positions(events.size());
    std::iota(positions.begin(), positions.end(), std::size_t{0});
    return positions;
}

using Groups = std::vector<std::vector<std::size_t>>;

EventFilter filter(std::uint64_t min_packets = 1) {
    return EventFilter({.mine = {*Prefix::parse("185.54.80.0/22"), *Prefix::parse("2a02:4460::/32")},
                        .cloudflare_anycast = {*Prefix::parse("162.159.0.0/16")},
                        .min_packets = min_packets});
}

TEST(EventFilterTest, NotifiesOfTheOperatorsPrefixesInBothScopes) {
    for (const char* text : {"185.54.82.4", "2a02:4460:1::1"}) {
        EXPECT_EQ(filter().judge(event_to(text), Scope::kMine), Verdict::kNotify) << text;
        EXPECT_EQ(filter().judge(event_to(text), Scope::kMineAndCloudflare), Verdict::kNotify) << text;
    }
}

TEST(EventFilterTest, NotifiesOfCloudflaresPrefixesOnlyWhenAsked) {
    EXPECT_EQ(filter().judge(event_to("162.159.1.1"), Scope::kMine), Verdict::kForeign);
    EXPECT_EQ(filter().judge(event_to("162.159.1.1"), Scope::kMineAndCloudflare), Verdict::kNotify);
}

TEST(EventFilterTest, CallsForeignWhatLiesElsewhereOrIsNoAddress) {
    for (const char* text : {"185.54.84.0", "2a02:4461::1", "", "None", "185.54.82.4:80"}) {
        EXPECT_EQ(filter().judge(event_to(text), Scope::kMineAndCloudflare), Verdict::kForeign) << text;
    }
    EXPECT_EQ(filter().judge(MitigationEvent{}, Scope::kMine), Verdict::kForeign);
}

TEST(EventFilterTest, ReadsAMappedTargetAsTheIpv4Host) {
    EXPECT_EQ(filter().judge(event_to("::ffff:185.54.82.4"), Scope::kMine), Verdict::kNotify);
}

TEST(EventFilterTest, WithoutPrefixesEverythingIsForeign) {
    EXPECT_EQ(EventFilter({}).judge(event_to("185.54.82.4"), Scope::kMineAndCloudflare), Verdict::kForeign);
}

TEST(EventFilterTest, NotifiesFromTheThresholdOn) {
    MitigationEvent event = event_to("185.54.82.4");
    event.packets = 999;
    EXPECT_EQ(filter(1000).judge(event, Scope::kMine), Verdict::kBelowThreshold);
    event.packets = 1000;
    EXPECT_EQ(filter(1000).judge(event, Scope::kMine), Verdict::kNotify);
    event.packets = 0;
    EXPECT_EQ(filter(1).judge(event, Scope::kMine), Verdict::kBelowThreshold);
    EXPECT_EQ(filter(0).judge(event, Scope::kMine), Verdict::kNotify);
}

// B8: a null packet count aborted the Python monitor's whole batch.
TEST(EventFilterTest, LetsAnUnknownPacketCountPass) {
    MitigationEvent event = event_to("185.54.82.4");
    event.packets.reset();
    EXPECT_EQ(filter(kMost).judge(event, Scope::kMine), Verdict::kNotify);
}

TEST(EventFilterTest, CallsAForeignEventForeignHoweverSmallItIs) {
    MitigationEvent event = event_to("9.9.9.9");
    event.packets = 0;
    EXPECT_EQ(filter(10).judge(event, Scope::kMine), Verdict::kForeign);
}

// B7: rows that differ in what the identity does not hold (source port, protocol, rule) were dropped but for
// the first.
TEST(MergeSameIdentityTest, AddsUpRowsThatShareAnIdentityAndKeepsTheFirst) {
    std::vector<MitigationEvent> events{row("a", 100, R"({"sourcePort":1})"), row("b", 7, "{}"),
                                        row("a", 20, R"({"sourcePort":2})"),
                                        row("a", 3, R"({"sourcePort":3})")};
    events[0].source_port = 1;
    events[2].source_port = 2;
    EXPECT_EQ(merge_same_identity(events), 2U);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].datetime, "a");
    EXPECT_EQ(events[0].packets, 123U);
    EXPECT_EQ(events[0].bits, 123U);
    EXPECT_EQ(events[0].source_port, 1U);
    EXPECT_EQ(events[0].raw, R"({"sourcePort":1})");
    EXPECT_EQ(events[1].datetime, "b");
    EXPECT_EQ(events[1].packets, 7U);
}

TEST(MergeSameIdentityTest, CountsRowsThatAreEqualByteForByteOnce) {
    std::vector<MitigationEvent> events{row("a", 100, "one"), row("a", 20, "two"), row("a", 100, "one"),
                                        row("a", 20, "two")};
    EXPECT_EQ(merge_same_identity(events), 1U);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].packets, 120U);
}

TEST(MergeSameIdentityTest, DoesNotTakeEqualJsonOfTwoIdentitiesForOneRow) {
    std::vector<MitigationEvent> events{row("a", 1, "same"), row("b", 2, "same"), row("b", 4, "other")};
    EXPECT_EQ(merge_same_identity(events), 1U);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].packets, 1U);
    EXPECT_EQ(events[1].packets, 6U);
}

TEST(MergeSameIdentityTest, SumsWhatIsKnown) {
    std::vector<MitigationEvent> events{row("a", std::nullopt, "1"), row("a", 5, "2"),
                                        row("a", std::nullopt, "3"), row("b", std::nullopt, "4"),
                                        row("b", std::nullopt, "5")};
    EXPECT_EQ(merge_same_identity(events), 3U);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].packets, 5U);
    EXPECT_FALSE(events[1].packets);
}

TEST(MergeSameIdentityTest, SaturatesInsteadOfWrapping) {
    std::vector<MitigationEvent> events{row("a", kMost - 1, "1"), row("a", 5, "2"), row("a", 1, "3")};
    EXPECT_EQ(merge_same_identity(events), 2U);
    EXPECT_EQ(events[0].packets, kMost);
}

TEST(MergeSameIdentityTest, KeepsTheOrderAndLeavesSingleRowsAlone) {
    std::vector<MitigationEvent> none;
    EXPECT_EQ(merge_same_identity(none), 0U);
    std::vector<MitigationEvent> events;
    for (const char* name : {"c", "a", "c", "b", "a", "d"})
        events.push_back(row(name, 1, lasting(std::to_string(events.size()))));
    EXPECT_EQ(merge_same_identity(events), 2U);
    std::string order;
    for (const MitigationEvent& event : events) order += *event.datetime;
    EXPECT_EQ(order, "cabd");
}

TEST(MergeSameIdentityTest, StandsAWholeAnswerOfOneSecond) {
    std::vector<MitigationEvent> events;
    for (int i = 0; i < 25'000; ++i) events.push_back(row("same", 2, lasting(std::to_string(i))));
    EXPECT_EQ(merge_same_identity(events), 24'999U);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].packets, 50'000U);
}

TEST(GroupByAttackTest, GroupsByAttackIdInTheOrderOfTheFirstEvents) {
    std::vector<MitigationEvent> events(5, event_to("185.54.82.4"));
    const std::array<const char*, 5> ids{"b", "a", "b", "c", "a"};
    for (std::size_t i = 0; i < ids.size(); ++i) events[i].attack_id = ids[i];
    EXPECT_EQ(group_by_attack(events, all_of(events)), (Groups{{0, 2}, {1, 4}, {3}}));
}

TEST(GroupByAttackTest, LooksOnlyAtTheChosenInTheirOrder) {
    std::vector<MitigationEvent> events(4, event_to("185.54.82.4"));
    for (MitigationEvent& event : events) event.attack_id = "a";
    events[3].attack_id = "b";
    EXPECT_EQ(group_by_attack(events, {3, 2, 0}), (Groups{{3}, {2, 0}}));
    EXPECT_TRUE(group_by_attack(events, {}).empty());
}

// B8: an empty attack id made one attack of events that had nothing in common.
TEST(GroupByAttackTest, TakesEventsWithoutAnIdForOneAttackOnlyIfTargetVectorAndRuleAgree) {
    MitigationEvent event = event_to("185.54.82.4");
    event.attack_vector = "SYN Flood";
    event.rule_id = "1";
    std::vector<MitigationEvent> events(7, event);
    events[0].attack_id = "";
    events[1].attack_id = "Unknown";
    events[2].attack_id.reset();
    events[3].attack_vector = "UDP Flood";
    events[4].rule_id = "2";
    events[5].destination = IpAddress::parse("185.54.82.5");
    events[6].attack_id = "a";
    EXPECT_EQ(group_by_attack(events, all_of(events)), (Groups{{0, 1, 2}, {3}, {4}, {5}, {6}}));
}

TEST(GroupByAttackTest, ComparesTargetsAsAddressesAndOtherwiseAsText) {
    std::vector<MitigationEvent> events{event_to("2a02:4460::1"), event_to("2A02:4460:0::1"),
                                        event_to("nonsense"), event_to("nonsense"),
                                        event_to("other nonsense")};
    EXPECT_EQ(group_by_attack(events, all_of(events)), (Groups{{0, 1}, {2, 3}, {4}}));
}

TEST(GroupByAttackTest, KnowsARuleByItsIdElseByItsName) {
    std::vector<MitigationEvent> events(5, event_to("185.54.82.4"));
    events[0].rule_id = "1";
    events[0].rule_name = "TCP-0001";
    events[1].rule_id = "1";
    events[2].rule_name = "UDP-0001";
    events[3].rule_id = "Unknown";
    events[3].rule_name = "UDP-0001";
    EXPECT_EQ(group_by_attack(events, all_of(events)), (Groups{{0, 1}, {2, 3}, {4}}));
}

TEST(GroupByAttackTest, DoesNotLetOneFieldRunIntoTheNext) {
    std::vector<MitigationEvent> events(2, event_to("185.54.82.4"));
    events[0].attack_vector = "ab";
    events[0].rule_id = "c";
    events[1].attack_vector = "a";
    events[1].rule_id = "bc";
    EXPECT_EQ(group_by_attack(events, all_of(events)).size(), 2U);
}

TEST(GroupByAttackTest, AnAttackIdThatLooksLikeARuleIsStillAnAttackId) {
    std::vector<MitigationEvent> events(2);
    events[0].attack_id = "x";
    events[1].rule_id = "x";
    EXPECT_EQ(group_by_attack(events, all_of(events)).size(), 2U);
}

TEST(GroupByAttackDeathTest, APositionBeyondTheEventsIsABug) {
    const std::vector<MitigationEvent> events(1);
    EXPECT_DEATH((void)group_by_attack(events, {1}), "beyond");
}

}  // namespace
}  // namespace cam::rules
