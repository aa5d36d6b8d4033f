#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cam/notify/render.h"
#include "unit/notify/legacy_markdown.h"
#include "unit/notify/samples.h"

namespace cam::notify {
namespace {

using namespace std::chrono_literals;
using test::golden;
using test::has_line;
using test::mentions;

class RenderStartupTest : public testing::Test {
protected:
    std::string render() const { return render_startup(report_, RenderOptions{}).text; }
    void set_last(LastAttack last) { report_.history->last = std::move(last); }
    void set_bgp(std::uint32_t advertised, std::uint32_t unknown, std::uint32_t total) {
        report_.bgp = BgpStatus{.advertised = advertised, .unknown = unknown, .total = total};
    }

    StartupReport report_ = test::sample_startup();
};

TEST_F(RenderStartupTest, IsTheGoldenTextByteForByte) {
    ASSERT_FALSE(golden("startup").empty());
    EXPECT_EQ(render(), golden("startup"));
    EXPECT_EQ(render_startup(report_, RenderOptions{}).kind, MessageKind::kStartup);
}

TEST_F(RenderStartupTest, SaysWhetherAndWhichGeoipIsLoaded) {
    report_.geoip->type = GeoEdition::Type::kFree;
    EXPECT_TRUE(has_line(render(), "🌍 GeoIP: Free (updated: 20/01/2026)"));
    report_.geoip.reset();
    EXPECT_TRUE(has_line(render(), "🌍 GeoIP: Not available"));
}

TEST_F(RenderStartupTest, SaysAllWithdrawnOnlyIfEveryPrefixIsKnownToBe) {
    report_.bgp.reset();
    EXPECT_TRUE(has_line(render(), "📡 Prefixes: ❓ Unknown"));
    set_bgp(0, 2, 5);
    EXPECT_TRUE(has_line(render(), "📡 Prefixes: 0/5 ❓ 2 unknown"));
    set_bgp(0, 0, 0);
    EXPECT_TRUE(has_line(render(), "📡 Prefixes: 0/0 (no BGP prefixes)"));
}

TEST_F(RenderStartupTest, WarnsOfAdvertisedPrefixes) {
    set_bgp(2, 0, 5);
    EXPECT_TRUE(has_line(render(), "📡 Prefixes: 2/5 ⚠️ ADVERTISED"));
    set_bgp(2, 1, 5);
    EXPECT_TRUE(has_line(render(), "📡 Prefixes: 2/5 ⚠️ ADVERTISED | ❓ 1 unknown"));
}

TEST_F(RenderStartupTest, SeparatesThousandsInTheHistory) {
    report_.history->attacks_total = 1'234;
    report_.history->attacks_this_month = 1'000;
    report_.history->mitigations = 1'234'567;
    EXPECT_TRUE(has_line(
        render(), "🎯 Attacks: 1,234 total (1,000 this month)\n📊 Mitigations: 1,234,567 events logged"));
}

TEST_F(RenderStartupTest, SaysSoWhenThereWasNoAttackOrNobodyKnows) {
    report_.history->last.reset();
    EXPECT_TRUE(has_line(render(), "🚨 Last: No attacks recorded\n\n⚙️ *Services*"));
    report_.history.reset();
    EXPECT_TRUE(has_line(render(), "📈 *Attack History*\n🎯 Attacks: ❓ Unknown\n\n⚙️ *Services*"));
}

TEST_F(RenderStartupTest, LeavesOutOfTheLastAttackWhatIsMissing) {
    set_last({.at = {}, .vector = "SYN Flood", .target = "185.54.82.4", .megabits_per_second = {}});
    EXPECT_TRUE(has_line(render(), "🚨 Last: ❓ Unknown\n💥 Type: SYN Flood → 185.54.82.4"));
    set_last({.at = {}, .vector = {}, .target = {}, .megabits_per_second = 800});
    EXPECT_TRUE(has_line(render(), "💥 Type: Generic DDoS, 800.0 Mbps"));
    set_last({});
    EXPECT_TRUE(has_line(render(), "💥 Type: Generic DDoS"));
    set_last({.at = {}, .vector = "SYN_Flood", .target = "2a02:4460::1", .megabits_per_second = 1500.5});
    EXPECT_TRUE(has_line(render(), "💥 Type: SYN\\_Flood, 1.5 Gbps → 2a02:4460::1"));
}

TEST_F(RenderStartupTest, ShowsEachServicesState) {
    report_.services[1].state = ServiceState::kInactive;
    report_.services[2].state = ServiceState::kUnknown;
    EXPECT_TRUE(has_line(render(), "✅ Webhook | ❌ Autowithdraw | ❓ Dashboard"));
    report_.services.clear();
    EXPECT_FALSE(mentions(render(), "Services"));
}

TEST_F(RenderStartupTest, TellsOfAGapAndOfWhatItDoesNotCover) {
    report_.gap = PollGap{
        .length = 3h + 12min, .resumed_from = *parse_time("2026-01-19T18:00:00Z"), .not_covered = 0ms};
    const std::string line = "⏳ Gap: 3 h 12 min without polling, resumed from 19/01/2026 18:00 UTC";
    EXPECT_TRUE(has_line(render(), "🌍 GeoIP: Commercial (updated: 20/01/2026)\n" + line + "\n"));
    report_.gap->not_covered = 2h + 5min;
    EXPECT_TRUE(has_line(render(), line + " | ⚠️ not covered: 2 h 5 min"));
}

TEST_F(RenderStartupTest, ListsWhatIsDegradedBeforeTheLastLine) {
    report_.problems = {"cannot open GeoLite2_ASN.mmdb", "line\nbreak"};
    EXPECT_TRUE(render().ends_with(
        "✅ Dashboard\n\n⚠️ *Degraded*\n• cannot open GeoLite2\\_ASN.mmdb\n• line break\n\n"
        "_Monitoring for DDoS mitigation events..._"));
}

TEST_F(RenderStartupTest, CountsTheProblemsThatDoNotFit) {
    for (int i = 0; i < 100; ++i) report_.problems.push_back(std::to_string(i) + std::string(5000, '_'));
    const std::string text = render();
    EXPECT_LE(utf16_units(text), kMaxMessageUnits);
    EXPECT_TRUE(test::parse_legacy_markdown(text));
    EXPECT_TRUE(mentions(text, "• 0\\_"));
    EXPECT_TRUE(mentions(text, " more\n\n_Monitoring"));
}

TEST(RenderShutdownTest, IsTheGoldenTextByteForByte) {
    ASSERT_FALSE(golden("shutdown").empty());
    const ShutdownReport report{test::sample_history(), *parse_time("2026-01-21T03:13:01Z")};
    const Message message = render_shutdown(report, RenderOptions{});
    EXPECT_EQ(message.text, golden("shutdown"));
    EXPECT_EQ(message.kind, MessageKind::kShutdown);
}

TEST(RenderShutdownTest, SaysSoWhenTheHistoryIsUnknown) {
    const ShutdownReport report{{}, *parse_time("2026-01-21T03:13:01Z")};
    EXPECT_TRUE(has_line(render_shutdown(report, RenderOptions{}).text, "📈 *Stats*\n🎯 Attacks: ❓ Unknown\n"));
}

TEST(RenderShutdownTest, NamesNoGeoipEdition) {
    RenderOptions options;
    options.geoip = GeoEdition::Type::kFree;
    const ShutdownReport report{test::sample_history(), *parse_time("2026-01-21T03:13:01Z")};
    EXPECT_EQ(render_shutdown(report, options).text, golden("shutdown"));
}

TEST(RenderStatusTest, ShowsTheHeadlineInBoldAndTheDetailsBelow) {
    const Message message = render_status(StatusTone::kTrouble, "Cloudflare API *unreachable*",
                                          {"since 10:00", "my_host [x]", ""}, RenderOptions{});
    EXPECT_EQ(message.kind, MessageKind::kStatus);
    EXPECT_EQ(message.text,
              "🛡️ *CLOUDFLARE DDoS PROTECTION*\n\n⚠️ *Cloudflare API ∗unreachable∗*\n\nsince "
              "10:00\nmy\\_host \\[x]\n\n"
              "🏢 *GOLINE SOC* | _Network Analytics Monitor_");
}

TEST(RenderStatusTest, MarksARecoveryAndNeedsNoDetails) {
    EXPECT_EQ(render_status(StatusTone::kRecovered, "Polling again", {}, RenderOptions{}).text,
              "🛡️ *CLOUDFLARE DDoS PROTECTION*\n\n✅ *Polling again*\n\n🏢 *GOLINE SOC* | _Network "
              "Analytics Monitor_");
}

TEST(RenderStatusTest, CountsTheDetailsThatDoNotFit) {
    const std::vector<std::string> details(1000, std::string(1000, '*'));
    const std::string text =
        render_status(StatusTone::kTrouble, std::string(9999, 'h'), details, RenderOptions{}).text;
    EXPECT_LE(utf16_units(text), kMaxMessageUnits);
    EXPECT_GT(utf16_units(text), kMaxMessageUnits / 2);
    EXPECT_TRUE(test::parse_legacy_markdown(text));
    EXPECT_TRUE(mentions(text, " more\n\n🏢"));
}

}  // namespace
}  // namespace cam::notify
