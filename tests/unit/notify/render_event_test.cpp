#include <string>

#include <gtest/gtest.h>

#include "cam/notify/render.h"
#include "unit/notify/samples.h"

namespace cam::notify {
namespace {

using test::golden;
using test::has_line;
using test::mentions;

/// The sample event; each test changes what it is about.
class RenderEventTest : public testing::Test {
protected:
    std::string render() {
        options_.place_of = [this](const IpAddress&) { return place_; };
        return render_event(EventNotice{&event_, spoofed_}, options_).text;
    }

    MitigationEvent event_ = test::sample_event();
    Place place_ = test::sample_place();
    std::optional<std::string_view> spoofed_;
    RenderOptions options_;
};

TEST_F(RenderEventTest, IsTheGoldenTextByteForByte) {
    ASSERT_FALSE(golden("single").empty());
    EXPECT_EQ(render(), golden("single"));
    EXPECT_EQ(render_event(EventNotice{&event_, {}}, options_).kind, MessageKind::kEvent);
}

TEST_F(RenderEventTest, NamesTheGeoipEditionInTheFooterWhileADatabaseIsLoaded) {
    options_.geoip = GeoEdition::Type::kCommercial;
    EXPECT_EQ(render(), golden("single") + " | _GeoIP: Commercial_");
    options_.geoip = GeoEdition::Type::kFree;
    EXPECT_EQ(render(), golden("single") + " | _GeoIP: Free_");
}

TEST_F(RenderEventTest, NamesTheOrganizationOfTheSettings) {
    options_.organization = "ACME *SOC*";
    EXPECT_TRUE(has_line(render(), "🏢 *ACME ∗SOC∗* | _Network Analytics Monitor_"));
    options_.organization = "";
    EXPECT_TRUE(has_line(render(), "_Network Analytics Monitor_"));
}

TEST_F(RenderEventTest, HidesEveryFieldThatCloudflareLeavesEmptyOrUnknown) {
    for (const MaybeText nothing : {MaybeText{}, MaybeText{""}, MaybeText{"Unknown"}}) {
        MitigationEvent& event = event_ = MitigationEvent{};
        event.datetime = event.attack_id = event.attack_vector = event.rule_name = event.rule_id = nothing;
        event.source_ip = event.destination_ip = event.protocol = event.tcp_flags = nothing;
        event.colo_code = event.colo_country = event.colo_city = event.mitigation_reason = nothing;
        event.source_asn_name = event.source_country = nothing;
        place_ = Place{};
        EXPECT_EQ(render(),
                  "🛡️ *CLOUDFLARE DDoS PROTECTION*\n\n🚨 *MITIGATION EVENT*\n\n⚔️ *ATTACK INFO*\n"
                  "💥 *Vector:* Generic DDoS\n\n🌐 *NETWORK*\n🏷️ *TCP Flags:* N/A\n\n"
                  "🏢 *GOLINE SOC* | _Network Analytics Monitor_");
    }
}

TEST_F(RenderEventTest, ShowsATimeItCannotReadAsItCame) {
    event_.time.reset();
    event_.datetime = "yesterday`ish";
    EXPECT_TRUE(has_line(render(), "⏱️ *Time:* `yesterday'ish`"));
}

TEST_F(RenderEventTest, ShowsTheStartOfTheRuleIdWhenTheRuleHasNoName) {
    event_.rule_name = "Unknown";
    EXPECT_TRUE(has_line(render(), "📋 *Rule ID:* `0123456789ab...`"));
    event_.rule_id = "0123456789ab";
    EXPECT_TRUE(has_line(render(), "📋 *Rule ID:* `0123456789ab`"));
}

TEST_F(RenderEventTest, ShowsTcpFlags) {
    event_.tcp_flags = "PSH,ACK";
    EXPECT_TRUE(has_line(render(), "🏷️ *TCP Flags:* PSH,ACK"));
    event_.tcp_flags.reset();
    EXPECT_TRUE(has_line(render(), "🏷️ *TCP Flags:* N/A"));
}

TEST_F(RenderEventTest, ShowsAnAddressWithoutAPortAlone) {
    event_.source_port.reset();
    event_.destination_port.reset();
    EXPECT_TRUE(has_line(render(), "📤 *Source:* `103.118.76.198`"));
    EXPECT_TRUE(has_line(render(), "📥 *Target:* `185.54.82.4`"));
}

// B17: an IPv6 address and its port ran into one another.
TEST_F(RenderEventTest, PutsAnIpv6AddressWithAPortIntoBrackets) {
    test::set_source(event_, "2001:0DB8::0001");
    event_.destination_ip = "2a02:4460:1::53";
    event_.destination = IpAddress::parse(*event_.destination_ip);
    event_.destination_port.reset();
    EXPECT_TRUE(has_line(render(), "📤 *Source:* `[2001:db8::1]:46181`"));
    EXPECT_TRUE(has_line(render(), "📥 *Target:* `2a02:4460:1::53`"));
}

TEST_F(RenderEventTest, ShowsAnAddressItCannotReadAsItCame) {
    test::set_source(event_, "10.0.0.300");
    ASSERT_FALSE(event_.source);
    EXPECT_TRUE(has_line(render(), "📤 *Source:* `10.0.0.300:46181`"));
}

TEST_F(RenderEventTest, ShowsOfTheOriginWhatIsKnown) {
    place_.city.reset();
    EXPECT_TRUE(has_line(render(), "🌍 *Origin:* Bangladesh (BD)"));
    place_.country_code.reset();
    EXPECT_TRUE(has_line(render(), "🌍 *Origin:* Bangladesh"));
    place_ = Place{};
    place_.city = "Pābna";
    EXPECT_TRUE(has_line(render(), "🌍 *Origin:* Pābna"));
    place_ = Place{};
    place_.country_code = "BD";
    EXPECT_TRUE(has_line(render(), "🌍 *Origin:* Bangladesh (BD)"));
    place_ = Place{};
    place_.country_code = "ZZ";
    EXPECT_TRUE(has_line(render(), "🌍 *Origin:* ZZ"));
    place_ = Place{};
    EXPECT_FALSE(mentions(render(), "Origin"));
    EXPECT_FALSE(mentions(render(), "ASN"));
}

TEST_F(RenderEventTest, TakesCloudflaresWordForTheOriginWhereGeoipIsSilent) {
    place_ = Place{};
    event_.source_country = "BR";
    event_.source_asn = 270523;
    event_.source_asn_name = "NET_BR";
    EXPECT_TRUE(has_line(render(), "🌍 *Origin:* Brazil (BR)"));
    EXPECT_TRUE(has_line(render(), "🏢 *ASN:* AS270523 - NET\\_BR"));
    event_.source_country = "XX";  // Cloudflare's word for unknown
    event_.source_asn = 0;
    event_.source_asn_name = "";
    EXPECT_FALSE(mentions(render(), "Origin"));
    EXPECT_FALSE(mentions(render(), "ASN"));
}

TEST_F(RenderEventTest, PrefersGeoipToCloudflareAndDoesNotMixTheirNames) {
    event_.source_country = "BR";
    event_.source_asn = 270523;
    event_.source_asn_name = "Other Network";
    EXPECT_EQ(render(), golden("single"));
    place_.organization.reset();
    EXPECT_TRUE(has_line(render(), "🏢 *ASN:* AS137959"));
    event_.source_asn = 137959;  // the same network: its name may be used
    EXPECT_TRUE(has_line(render(), "🏢 *ASN:* AS137959 - Other Network"));
}

TEST_F(RenderEventTest, MarksASpoofedSourceAndSaysWhichRangeItIsIn) {
    test::set_source(event_, "10.0.0.1");
    spoofed_ = "private range";
    const std::string text = render();
    EXPECT_TRUE(
        has_line(text,
                 "📤 *Source:* `10.0.0.1:46181` ⚠️ SPOOFED\n⚠️ *Spoofed IP* (private range)\n"
                 "📥 *Target:* `185.54.82.4:0`"));
    EXPECT_FALSE(mentions(text, "Origin"));
    EXPECT_FALSE(mentions(text, "ASN"));
    spoofed_ = "multicast";
    EXPECT_TRUE(has_line(render(), "⚠️ *Spoofed IP* (multicast)"));
}

TEST_F(RenderEventTest, HidesTheMetricsThatAreMissing) {
    event_.packets.reset();
    EXPECT_FALSE(mentions(render(), "Packets"));
    EXPECT_TRUE(has_line(render(), "📈 *Data:* 9.00 Mbps"));
    event_.bits.reset();
    EXPECT_FALSE(mentions(render(), "METRICS"));
    event_.packets = 1'234'567;
    EXPECT_TRUE(has_line(render(), "📦 *Packets:* 1,234,567"));
}

TEST_F(RenderEventTest, ShowsOfTheEdgeWhatIsKnown) {
    event_.colo_city.reset();
    EXPECT_TRUE(has_line(render(), "🌍 *Scrubbed at:* Bulgaria (SOF)"));
    event_.colo_country.reset();
    EXPECT_TRUE(has_line(render(), "🌍 *Scrubbed at:* SOF"));
    event_.colo_code = "";
    EXPECT_FALSE(mentions(render(), "EDGE"));
    event_.colo_country = "Republic of Somewhere";
    EXPECT_TRUE(has_line(render(), "🌍 *Scrubbed at:* Republic of Somewhere"));
    event_.colo_city = "Sofia";
    EXPECT_TRUE(has_line(render(), "🌍 *Scrubbed at:* Sofia, Republic of Somewhere"));
}

}  // namespace
}  // namespace cam::notify
