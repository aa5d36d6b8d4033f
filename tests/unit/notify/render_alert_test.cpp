#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "cam/notify/render.h"
#include "unit/notify/alert_samples.h"

namespace cam::notify {
namespace {

using test::contributor;
using test::golden;
using test::has_line;
using test::mentions;

std::string started(const Alert& alert, const AlertExplanation& explanation = test::sample_explanation()) {
    return render_alert_started(alert, explanation, RenderOptions{}).text;
}

std::string ended(const Alert& alert) {
    return render_alert_ended(alert, RenderOptions{}).text;
}

TEST(RenderAlertTest, IsTheGoldenTextForEachTypeOfRule) {
    ASSERT_FALSE(golden("alert_started").empty());
    EXPECT_EQ(started(test::sample_alert()), golden("alert_started"));
    EXPECT_EQ(started(test::sample_zscore_alert()), golden("alert_started_zscore"));
    EXPECT_EQ(started(test::sample_advanced_alert()), golden("alert_started_advanced_ddos"));
    EXPECT_EQ(ended(test::sample_ended_alert()), golden("alert_ended"));
    EXPECT_EQ(render_alert_started(test::sample_alert(), {}, {}).kind, MessageKind::kAlert);
    EXPECT_EQ(render_alert_ended(test::sample_ended_alert(), {}).kind, MessageKind::kAlert);
}

TEST(RenderAlertTest, LeavesOutWhatIsNotKnown) {
    const std::string text = started(test::sample_alert(), {});
    EXPECT_TRUE(has_line(text, "📈 *Traffic:* 3.42 Gbps"));
    for (const char* part :
         {"PROTOCOLS", "SOURCES", "NETWORKS", "Countries", "port", "Targets", "Seen by", "%"})
        EXPECT_FALSE(mentions(text, part)) << part;
}

TEST(RenderAlertTest, SharesAreOfWhatWasCrossed) {
    AlertExplanation explanation;
    explanation.classes[0] = {1000, 100, 10};
    AlertContributor source = contributor(TrafficFacet::kSource, "192.0.2.0/24", 0);
    source.volume = {500, 10, 1};
    AlertContributor other = contributor(TrafficFacet::kSource, "198.51.100.0/24", 0);
    other.volume = {100, 90, 2};
    explanation.contributors = {source, other};
    Alert alert = test::sample_alert();
    EXPECT_TRUE(has_line(started(alert, explanation),
                         "📤 *TOP SOURCES* (share of bits)\n• `192.0.2.0/24` 50%\n• `198.51.100.0/24` 10%"));
    alert.crossing.metric = AlertMetric::kPacketsPerSecond;
    EXPECT_TRUE(
        has_line(started(alert, explanation),
                 "📤 *TOP SOURCES* (share of packets)\n• `198.51.100.0/24` 90%\n• `192.0.2.0/24` 10%"));
    alert.crossing.metric = AlertMetric::kFlowsPerSecond;
    EXPECT_TRUE(has_line(started(alert, explanation),
                         "📤 *TOP SOURCES* (share of flows)\n• `198.51.100.0/24` 20%\n• `192.0.2.0/24` 10%"));
}

TEST(RenderAlertTest, SaysTheUnitOfEachMetric) {
    Alert alert = test::sample_advanced_alert();
    EXPECT_TRUE(has_line(started(alert), "📈 *Traffic:* 640.00 Kpps"));
    alert.crossing.metric = AlertMetric::kFlowsPerSecond;
    EXPECT_TRUE(has_line(started(alert), "📈 *Traffic:* 640.00 Kflows/s"));
    alert.crossing.metric = AlertMetric::kBitsPerSecond;
    EXPECT_TRUE(has_line(started(alert), "📊 *Normal:* 120 bps"));
    alert = test::sample_zscore_alert();
    alert.crossing.zscore_target = ZscoreTarget::kPackets;
    EXPECT_TRUE(has_line(started(alert), "📊 *Normal:* 400.00 Mpps ± 80.00 Mpps (4 h before)"));
}

TEST(RenderAlertTest, AFlatBaselineIsWorkedOutWithOnePercent) {
    Alert alert = test::sample_zscore_alert();
    alert.crossing.spread = 0;
    const std::string text = started(alert);
    EXPECT_TRUE(has_line(text, "📈 *Traffic:* 429.00 Mbps (mean of 5 min)"));
    EXPECT_TRUE(has_line(text, "📊 *Normal:* 400.00 Mbps ± 0 bps (4 h before)"));
    alert.crossing.spread.reset();  // stored by nobody
    EXPECT_TRUE(has_line(started(alert), "📊 *Normal:* 400.00 Mbps (4 h before)"));
}

TEST(RenderAlertTest, SaysForHowManyMinutesAThresholdWasReached) {
    Alert alert = test::sample_alert();
    EXPECT_TRUE(has_line(started(alert), "🚧 *Threshold:* 1.00 Gbps, reached for 5 min"));
    alert.raised_at = alert.started_at;
    EXPECT_TRUE(has_line(started(alert), "🚧 *Threshold:* 1.00 Gbps"));
}

TEST(RenderAlertTest, NamesTheExportersWhereNoInterfaceIsKnown) {
    AlertExplanation explanation = test::sample_explanation();
    std::erase_if(explanation.contributors,
                  [](const AlertContributor& each) { return each.facet == TrafficFacet::kInterface; });
    EXPECT_TRUE(has_line(started(test::sample_alert(), explanation),
                         "📡 *Seen by:* `192.0.2.1` 70%, `192.0.2.2` 30%"));
}

TEST(RenderAlertTest, ListsFiveOfEachAndFiveOfThePrefixes) {
    Alert alert = test::sample_alert();
    alert.scope = RuleScope::kAggregate;
    alert.prefixes.clear();
    AlertExplanation explanation;
    explanation.classes[0] = {1000, 1000, 1000};
    for (int i = 0; i < 9; ++i) {
        alert.prefixes.push_back(*Prefix::parse("10.0." + std::to_string(i) + ".0/24"));
        explanation.contributors.push_back(contributor(TrafficFacet::kSource, "s" + std::to_string(i), 1));
    }
    const std::string text = started(alert, explanation);
    EXPECT_TRUE(mentions(text,
                         "*Prefixes, summed:* `10.0.0.0/24`, `10.0.1.0/24`, `10.0.2.0/24`, "
                         "`10.0.3.0/24`, `10.0.4.0/24`, +4 more\n"));
    EXPECT_TRUE(mentions(text, "• `s4` 100%\n"));
    EXPECT_FALSE(mentions(text, "`s5`"));
}

TEST(RenderAlertTest, AWholeRuleOfOnePrefixIsAPrefix) {
    Alert alert = test::sample_alert();
    alert.scope = RuleScope::kAggregate;
    EXPECT_TRUE(has_line(started(alert), "📥 *Prefix:* `185.54.80.0/22`"));
}

TEST(RenderAlertTest, TellsWhyAnAlertEnded) {
    Alert alert = test::sample_ended_alert();
    alert.end_reason = "rule_deleted";
    EXPECT_TRUE(has_line(ended(alert), "🏁 *Reason:* the rule was deleted"));
    alert.end_reason = "rule_changed";
    EXPECT_TRUE(has_line(ended(alert), "🏁 *Reason:* the rule was changed"));
    alert.end_reason = "";
    EXPECT_FALSE(mentions(ended(alert), "Reason"));
}

TEST(RenderAlertTest, NamesTheGeoipEditionWhereItsAnswersStand) {
    RenderOptions options;
    options.geoip = GeoEdition::Type::kFree;
    EXPECT_TRUE(render_alert_started(test::sample_alert(), {}, options).text.ends_with(" | _GeoIP: Free_"));
    EXPECT_FALSE(mentions(render_alert_ended(test::sample_ended_alert(), options).text, "GeoIP"));
}

TEST(RenderAlertTest, NumbersThatAreNoneBreakNothing) {
    Alert alert = test::sample_zscore_alert();
    alert.crossing.value = std::numeric_limits<double>::infinity();
    alert.peak.bits_per_second = std::numeric_limits<double>::quiet_NaN();
    alert.current.packets_per_second = 1e300;
    EXPECT_TRUE(mentions(started(alert), "alert from 4"));
    alert.crossing.metric = AlertMetric::kBitsPerSecond;
    alert.crossing.threshold = 0;
    EXPECT_FALSE(mentions(started(alert), "Factor"));
    alert.ended_at = alert.started_at - std::chrono::hours{1};
    EXPECT_TRUE(has_line(ended(alert), "📈 *Bandwidth:* 0 bps"));
}

}  // namespace
}  // namespace cam::notify
