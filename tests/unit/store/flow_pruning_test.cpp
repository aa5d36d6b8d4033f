#include "flow_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

/// Prunes to the end; the sum of all steps.
PruneReport prune_all(FlowStore& store, const Retention& retention, WallTime now) {
    PruneReport sum;
    for (int calls = 0; calls < 1'000; ++calls) {
        const auto step = store.prune(retention, now);
        EXPECT_TRUE(step) << (step ? "" : step.error().detail);
        if (!step) return sum;
        sum.minutes += step->minutes;
        sum.contributors += step->contributors;
        sum.alerts += step->alerts;
        sum.decoder_states += step->decoder_states;
        if (!step->more) return sum;
    }
    ADD_FAILURE() << "pruning does not end";
    return sum;
}

TEST_F(FlowStoreTest, MinutesStayAMonthAndExplanationsAWeek) {
    const auto store = must_open_flow();
    for (const int day : {0, 1, 22, 23, 29, 30}) {
        const MinuteTime minute = minute_at(day * 24 * 60);
        ASSERT_TRUE(
            write(*store, minute, {make_traffic("10.0.0.0/8", minute, 10)},
                  {make_contributor("10.0.0.0/8", minute, TrafficFacet::kSource, "192.0.2.0/24", 5)}));
    }
    // The minute of exactly 30 days ago stays, the one a minute older goes.
    const PruneReport first = prune_all(*store, {}, kNow + 30 * 24h);
    EXPECT_EQ(first.minutes, 0U);
    EXPECT_EQ(first.contributors, 3U);
    const PruneReport second = prune_all(*store, {}, kNow + 30 * 24h + 1min);
    EXPECT_EQ(second.minutes, 1U);
    EXPECT_EQ(second.contributors, 1U);
    EXPECT_EQ(ask("SELECT count(*) FROM flow_collected_minutes"), "5");
    EXPECT_EQ(ask("SELECT count(*) FROM flow_contributors"), "2");
    EXPECT_FALSE(store->minute(minute_at(0), MinuteDetail::kTotals)->has_value());
    EXPECT_EQ(ask("SELECT count(*) FROM flow_prefixes"), "1");
}

TEST_F(FlowStoreTest, PruningGoesInBoundedStepsFromTheOldestOn) {
    const auto store = must_open_flow();
    for (int i = 0; i < 3; ++i) {
        std::vector<PrefixMinute> traffic;
        std::vector<Contributor> contributors;
        for (int j = 0; j < 3'000; ++j) {
            const std::string target = fmt::format("10.{}.{}.0/24", j / 256, j % 256);
            traffic.push_back(make_traffic(target, minute_at(i), 10));
            contributors.push_back(
                make_contributor(target, minute_at(i), TrafficFacet::kSource, "192.0.2.0/24", 1));
        }
        ASSERT_TRUE(write(*store, minute_at(i), traffic, contributors));
    }
    const auto step = store->prune({}, kNow + 31 * 24h);
    ASSERT_TRUE(step) << step.error().detail;
    EXPECT_EQ(step->minutes, 4'000U);
    EXPECT_EQ(step->contributors, 4'000U);
    EXPECT_TRUE(step->more);
    EXPECT_EQ(ask("SELECT min(minute) - (SELECT min(minute) FROM flow_collected_minutes), count(*) FROM "
                  "flow_minutes"),
              "1|5000");
    EXPECT_EQ(ask("SELECT count(*) FROM flow_collected_minutes"), "3");  // their traffic is not all gone
    const PruneReport rest = prune_all(*store, {}, kNow + 31 * 24h);
    EXPECT_EQ(rest.minutes, 5'000U);
    EXPECT_EQ(rest.contributors, 5'000U);
    EXPECT_EQ(ask("SELECT count(*) FROM flow_collected_minutes"), "0");
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
}

TEST_F(FlowStoreTest, ActiveAlertsAreNeverPrunedAndEndedOnesAfterTheirTime) {
    const auto store = must_open_flow();
    auto started = store->record(starting(minute_at(0), {make_alert("10.0.0.0/8"), make_alert("10.1.0.0/16"),
                                                         make_alert("10.2.0.0/16")}),
                                 kNow, tell);
    ASSERT_TRUE(started);
    started->started[0].ended_at = kNow + 10min;
    started->started[1].ended_at = kNow + 48h;
    ASSERT_TRUE(
        store->record({std::nullopt, {started->started[0], started->started[1]}, {}, {}}, kNow, tell));
    const PruneReport report = prune_all(*store, {.ended_alerts = 24h}, kNow + 49h);
    EXPECT_EQ(report.alerts, 1U);
    EXPECT_EQ(ask("SELECT group_concat(target) FROM flow_alerts"), "10.1.0.0/16,10.2.0.0/16");
    EXPECT_EQ(prune_all(*store, {}, kNow + 20'000h).alerts, 1U);
    EXPECT_EQ(ask("SELECT target FROM flow_alerts"), "10.2.0.0/16");
}

// --- decoder state ---

std::vector<DecoderState> states(unsigned first, unsigned count, const std::string& bytes) {
    std::vector<DecoderState> made;
    for (unsigned i = first; i < first + count; ++i) {
        made.push_back({ExporterKey{address(fmt::format("10.0.{}.{}", i / 256, i % 256))}, bytes});
    }
    return made;
}

TEST_F(FlowStoreTest, DecoderStateIsReadAsItWasSavedTheLatestFirst) {
    const auto store = must_open_flow();
    const std::string bytes("\0\xff\xfe binary \0", 13);
    ASSERT_TRUE(store->save_decoder_state(states(0, 3, bytes), kNow));
    ASSERT_TRUE(store->save_decoder_state(states(1, 1, "newer"), kNow + 1h));
    ASSERT_TRUE(store->save_decoder_state({}, kNow));
    const auto loaded = must_open_flow()->decoder_state();
    ASSERT_TRUE(loaded) << loaded.error().detail;
    ASSERT_EQ(loaded->size(), 3U);
    EXPECT_EQ(loaded->front().exporter.text(), "10.0.0.1");
    EXPECT_EQ(loaded->front().bytes, "newer");
    EXPECT_EQ(loaded->back().bytes, bytes);
}

TEST_F(FlowStoreTest, DecoderStateGoesWhenItsExporterWasSilentForLongAndBeyondItsNumber) {
    const auto store = must_open_flow();
    ASSERT_TRUE(store->save_decoder_state(states(0, 500, "x"), kNow));
    ASSERT_TRUE(store->save_decoder_state(states(500, 10, "x"), kNow + 1h));
    const std::vector<ExporterKey> seen{ExporterKey{address("10.0.0.7")}, ExporterKey{address("10.9.9.9")}};
    ASSERT_TRUE(store->keep_decoder_state(seen, kNow + 2h));
    ASSERT_TRUE(store->keep_decoder_state(seen, kNow));  // never back
    const auto step = store->prune({.decoder_state = 24h}, kNow + 24h);
    ASSERT_TRUE(step) << step.error().detail;
    EXPECT_EQ(step->decoder_states, 0U);  // exactly a day is not older than a day
    EXPECT_EQ(store->prune({.decoder_state = 23h}, kNow + 23h + 30min)->decoder_states, 200U);
    EXPECT_EQ(prune_all(*store, {.decoder_state = 23h}, kNow + 23h + 30min).decoder_states, 299U);
    EXPECT_EQ(store->decoder_state()->size(), 11U);
    EXPECT_EQ(store->decoder_state()->front().exporter.text(), "10.0.0.7");
    EXPECT_EQ(prune_all(*store, {.decoder_states = 4}, kNow + 2h).decoder_states, 7U);
    EXPECT_EQ(store->decoder_state()->size(), 4U);
    EXPECT_EQ(store->decoder_state()->front().exporter.text(), "10.0.0.7");
}

TEST_F(FlowStoreTest, ARowOfDecoderStateThatIsNoExporterIsPassedOver) {
    const auto store = must_open_flow();
    ASSERT_TRUE(store->save_decoder_state(states(0, 1, "x"), kNow));
    ask("INSERT INTO flow_decoder_state VALUES ('somebody', '2026-01-20', '2026-01-20', x'00')");
    EXPECT_EQ(store->decoder_state()->size(), 1U);
}

}  // namespace
}  // namespace cam::store
