#include <limits>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "cam/notify/render.h"
#include "unit/notify/samples.h"

namespace cam::notify {
namespace {

using test::golden;
using test::has_line;
using test::mentions;
using test::SampleAttack;

std::string render(const std::vector<MitigationEvent>& events) {
    std::vector<EventNotice> notices;
    for (const MitigationEvent& event : events) notices.push_back(EventNotice{&event, {}});
    return render_attack(notices, RenderOptions{}).text;
}

/// `count` copies of the sample event, each from an address of its own.
std::vector<MitigationEvent> sources(std::size_t count) {
    std::vector<MitigationEvent> events(count, test::sample_event());
    for (std::size_t i = 0; i < count; ++i) test::set_source(events[i], "198.41.0." + std::to_string(i));
    return events;
}

TEST(RenderAttackTest, IsTheGoldenTextByteForByte) {
    const SampleAttack attack;
    ASSERT_FALSE(golden("aggregated").empty());
    const Message message = render_attack(attack.notices, test::sample_options());
    EXPECT_EQ(message.text, golden("aggregated"));
    EXPECT_EQ(message.kind, MessageKind::kAttack);
}

TEST(RenderAttackTest, DoesNotDependOnTheOrderOfTheEvents) {
    SampleAttack attack;
    const std::vector<EventNotice> backwards(attack.notices.rbegin(), attack.notices.rend());
    EXPECT_EQ(render_attack(backwards, test::sample_options()).text, golden("aggregated"));
}

TEST(RenderAttackTest, NamesTheGeoipEditionInTheFooterWhileADatabaseIsLoaded) {
    const SampleAttack attack;
    RenderOptions options = test::sample_options();
    options.geoip = GeoEdition::Type::kFree;
    EXPECT_EQ(render_attack(attack.notices, options).text, golden("aggregated") + " | _GeoIP: Free_");
}

// B14: the "top" sources were the first ones by their text.
TEST(RenderAttackTest, ListsTheThreeLargestSourcesByPacketsAndTiesByAddress) {
    std::vector<MitigationEvent> events = sources(5);
    for (std::size_t i = 0; i < events.size(); ++i) events[i].packets = 100;
    events[4].packets = 5000;
    events[2].packets = 200;
    EXPECT_TRUE(
        has_line(render(events),
                 "📤 *TOP SOURCE IPs*\n• `198.41.0.4`\n• `198.41.0.2`\n• `198.41.0.0`\n\n🌍 *EDGE LOCATIONS*"));
}

TEST(RenderAttackTest, ShowsOfASourceWhatIsKnown) {
    std::vector<MitigationEvent> events = sources(3);
    events[0].source_country = "BR";
    events[1].source_asn = 270523;
    events[2].source_country = "BG";
    events[2].source_asn = 1;
    const std::string text = render(events);
    EXPECT_TRUE(has_line(text, "• `198.41.0.0` 🌍 BR"));
    EXPECT_TRUE(has_line(text, "• `198.41.0.1` (AS270523)"));
    EXPECT_TRUE(has_line(text, "• `198.41.0.2` 🌍 BG (AS1)"));
}

TEST(RenderAttackTest, AsksForThePlacesOfTheSourcesItShowsOnly) {
    std::vector<MitigationEvent> events = sources(50);
    for (std::size_t i = 0; i < events.size(); ++i) events[i].packets = i;
    std::set<std::string> asked;
    RenderOptions options;
    options.place_of = [&](const IpAddress& address) {
        asked.insert(address.text());
        return Place{.city = {}, .country = {}, .country_code = "BG", .asn = 1, .organization = {}};
    };
    std::vector<EventNotice> notices;
    for (const MitigationEvent& event : events) notices.push_back({&event, {}});
    notices[49].spoofed = "private range";  // its place would be somebody else's
    const std::string text = render_attack(notices, options).text;
    EXPECT_TRUE(has_line(text, "• `198.41.0.48` 🌍 BG (AS1)\n• `198.41.0.47` 🌍 BG (AS1)"));
    EXPECT_EQ(asked, (std::set<std::string>{"198.41.0.47", "198.41.0.48"}));
}

TEST(RenderAttackTest, TakesFromEachEventOfASourceWhatTheOthersLeaveOut) {
    std::vector<MitigationEvent> events(3, test::sample_event());
    events[1].source_asn = 270523;
    events[2].source_country = "BR";
    EXPECT_TRUE(has_line(render(events), "• `103.118.76.198` 🌍 BR (AS270523)"));
}

TEST(RenderAttackTest, ShowsOnceWhatLooksTheSame) {
    std::vector<MitigationEvent> events = sources(2);
    events[1].attack_id = " k9z3t-xx1g6wwhgqngq523mp0nr";
    events[1].attack_vector = "ICMP Flood ";
    events[1].colo_code = " SOF";
    const std::string text = render(events);
    EXPECT_TRUE(has_line(text, "🆔 *Attack IDs:* 1"));
    EXPECT_TRUE(has_line(text, "⚔️ *ATTACK VECTORS*\n• ICMP Flood\n"));
    EXPECT_TRUE(has_line(text, "🌍 *EDGE LOCATIONS*\nSOF (BG)"));
}

TEST(RenderAttackTest, HidesWhatNoEventTells) {
    const std::vector<MitigationEvent> events(4);
    EXPECT_EQ(render(events),
              "🛡️ *CLOUDFLARE DDoS PROTECTION*\n\n🚨 *BULK MITIGATION EVENTS*\n\n📊 *SUMMARY*\n📦 "
              "*Events:* 4\n\n"
              "⚔️ *ATTACK VECTORS*\n• Generic DDoS\n\n🏢 *GOLINE SOC* | _Network Analytics Monitor_");
}

TEST(RenderAttackTest, SaysHowManySourcesAreSpoofedOnlyIfSomeAre) {
    const std::vector<MitigationEvent> events = sources(4);
    EXPECT_FALSE(mentions(render(events), "Spoofed"));
}

TEST(RenderAttackTest, CountsSourcesNotEvents) {
    std::vector<MitigationEvent> events = sources(2);
    events.push_back(events[0]);
    test::set_source(events[2], "::ffff:198.41.0.0");  // the same host in other words
    const std::string text = render(events);
    EXPECT_TRUE(has_line(text, "📦 *Events:* 3"));
    EXPECT_TRUE(has_line(text, "📍 *Unique Sources:* 2"));
}

TEST(RenderAttackTest, OrdersVectorsByPacketsAndLeavesOutOnlyWhatItCounts) {
    std::vector<MitigationEvent> events = sources(13);
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].attack_vector = lasting("Flood_" + std::to_string(i));
        events[i].packets = i;
    }
    const std::string text = render(events);
    EXPECT_TRUE(has_line(text, "⚔️ *ATTACK VECTORS*\n• Flood\\_12\n• Flood\\_11"));
    EXPECT_TRUE(has_line(text, "• Flood\\_3\n• +3 more\n"));
}

TEST(RenderAttackTest, ShowsTheFiveLargestEdgesAndCountsTheRest) {
    std::vector<MitigationEvent> events = sources(7);
    for (std::size_t i = 0; i < events.size(); ++i) {
        events[i].colo_code = lasting("C" + std::to_string(i));
        events[i].packets = i;
    }
    EXPECT_TRUE(has_line(render(events), "C6 (BG), C5 (BG), C4 (BG), C3 (BG), C2 (BG), +2 more"));
}

TEST(RenderAttackTest, ShowsOfAnEdgeWhatIsKnown) {
    std::vector<MitigationEvent> events = sources(3);
    events[0].colo_country.reset();
    events[1].colo_code.reset();
    events[2].colo_code = events[2].colo_city = "";
    events[0].packets = 3;
    events[1].packets = 2;
    events[2].packets = 1;
    EXPECT_TRUE(has_line(render(events), "SOF, Sofia (BG), BG"));
}

TEST(RenderAttackTest, TotalsStopAtTheLargestNumber) {
    std::vector<MitigationEvent> events = sources(2);
    for (MitigationEvent& event : events)
        event.packets = event.bits = std::numeric_limits<std::uint64_t>::max();
    const std::string text = render(events);
    EXPECT_TRUE(has_line(text, "📦 *Packets Dropped:* 18,446,744,073,709,551,615"));
    EXPECT_TRUE(has_line(text, "📈 *Data Blocked:* 18446744.07 Tb"));
}

TEST(RenderAttackTest, RangesOverTheTimesThatCanBeRead) {
    std::vector<MitigationEvent> events = sources(3);
    events[0].time.reset();
    events[1].time = parse_time("2026-01-19T22:50:00Z");
    EXPECT_TRUE(
        has_line(render(events), "🕐 *From:* `19/01/2026 22:50:00 UTC`\n🕑 *To:* `19/01/2026 22:51:50 UTC`"));
}

}  // namespace
}  // namespace cam::notify
