#include <limits>
#include <map>

#include "flow_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMostStored = std::numeric_limits<std::int64_t>::max();

/// What read_minutes handed over, minute by minute.
struct SeenMinute {
    CollectedMinute collected;
    std::vector<PrefixMinute> traffic;
};
std::vector<SeenMinute> read_all(FlowStore& store, MinuteTime from, MinuteTime to,
                                 MinuteDetail detail = MinuteDetail::kClasses) {
    std::vector<SeenMinute> minutes;
    const Status read =
        store.read_minutes(from, to, detail, [&](const CollectedMinute& collected, auto traffic) {
            minutes.push_back({collected, {traffic.begin(), traffic.end()}});
        });
    EXPECT_TRUE(read) << (read ? "" : read.error().detail);
    return minutes;
}

TEST_F(FlowStoreTest, AMinuteIsReadAsItWasWritten) {
    const auto store = must_open_flow();
    const std::vector traffic{make_traffic("185.54.80.0/22", minute_at(0), 8'000),
                              make_traffic("2a02:4460::/32", minute_at(0), 4'000)};
    const auto report = write(*store, minute_at(0), traffic);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->prefixes, 2U);
    const auto read = must_open_flow()->minute(minute_at(0), MinuteDetail::kClasses);
    ASSERT_TRUE(read) << read.error().detail;
    ASSERT_TRUE(read->has_value());
    ASSERT_EQ((*read)->size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ((**read)[i].prefix, traffic[i].prefix);
        EXPECT_EQ((**read)[i].minute, minute_at(0));
        EXPECT_EQ((**read)[i].classes, traffic[i].classes);
    }
    const auto totals = store->minute(minute_at(0), MinuteDetail::kTotals);
    EXPECT_EQ((**totals)[0].all(), traffic[0].all());
    for (std::size_t i = 1; i < kTrafficClassCount; ++i) EXPECT_TRUE((**totals)[0].classes[i].empty());
}

TEST_F(FlowStoreTest, ACollectedMinuteWithoutTrafficIsSilentAndOneThatWasNotCollectedIsUnknown) {
    const auto store = must_open_flow();
    ASSERT_TRUE(write(*store, minute_at(0), {make_traffic("10.0.0.0/8", minute_at(0), 100)}));
    ASSERT_TRUE(write(*store, minute_at(1), {}));
    ASSERT_TRUE(write(*store, minute_at(3), {make_traffic("10.0.0.0/8", minute_at(3), 300)}));
    const auto minutes = read_all(*store, minute_at(0), minute_at(4));
    ASSERT_EQ(minutes.size(), 3U);
    EXPECT_EQ(minutes[0].traffic.size(), 1U);
    EXPECT_EQ(minutes[1].collected.minute, minute_at(1));
    EXPECT_TRUE(minutes[1].traffic.empty());
    EXPECT_EQ(minutes[2].collected.minute, minute_at(3));
    EXPECT_TRUE(store->minute(minute_at(1), MinuteDetail::kTotals)->has_value());
    EXPECT_FALSE(store->minute(minute_at(2), MinuteDetail::kTotals)->has_value());
}

TEST_F(FlowStoreTest, ARangeHoldsItsFirstMinuteAndNotItsLast) {
    const auto store = must_open_flow();
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(write(*store, minute_at(i), {make_traffic("10.0.0.0/8", minute_at(i), 1'000)}));
    }
    const auto minutes = read_all(*store, minute_at(1), minute_at(3));
    ASSERT_EQ(minutes.size(), 2U);
    EXPECT_EQ(minutes.front().collected.minute, minute_at(1));
    EXPECT_TRUE(read_all(*store, minute_at(3), minute_at(3)).empty());
    EXPECT_TRUE(read_all(*store, minute_at(3), minute_at(1)).empty());
    EXPECT_EQ(store->collected_minutes(minute_at(1), minute_at(3))->size(), 2U);
}

TEST_F(FlowStoreTest, TheStoreMayBeUsedWhileMinutesAreHandedOver) {
    const auto store = must_open_flow();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(write(*store, minute_at(i), {make_traffic("10.0.0.0/8", minute_at(i), 1'000)}));
    }
    int minutes = 0;
    ASSERT_TRUE(store->read_minutes(
        minute_at(0), minute_at(3), MinuteDetail::kTotals, [&](const CollectedMinute& one, auto traffic) {
            ++minutes;
            EXPECT_EQ(traffic.size(), 1U);
            EXPECT_TRUE(store->minute(one.minute, MinuteDetail::kTotals)->has_value());
            EXPECT_TRUE(write(*store, one.minute + 60min, {}));
            EXPECT_EQ(traffic.size(), 1U);
        }));
    EXPECT_EQ(minutes, 3);
}

TEST_F(FlowStoreTest, APartOfAMinuteBeforeARestartAndThePartAfterItAddUp) {
    const WallTime start{minute_at(0)};
    const std::vector first{make_traffic("10.0.0.0/8", minute_at(0), 8'000)};
    const std::vector second{make_traffic("10.0.0.0/8", minute_at(0), 800),
                             make_traffic("10.1.0.0/16", minute_at(0), 400)};
    const std::vector sources{
        make_contributor("10.0.0.0/8", minute_at(0), TrafficFacet::kSource, "192.0.2.0/24", 70)};
    ASSERT_TRUE(must_open_flow()->write_minute({minute_at(0), start, start + 20s, first, sources}));
    const auto store = must_open_flow();
    ASSERT_TRUE(store->write_minute({minute_at(0), start + 25s, start + 60s, second, sources}));
    const auto traffic = store->minute(minute_at(0), MinuteDetail::kClasses);
    ASSERT_EQ((*traffic)->size(), 2U);
    EXPECT_EQ((**traffic)[0].classes, make_traffic("10.0.0.0/8", minute_at(0), 8'800).classes);
    EXPECT_EQ((**traffic)[1].classes, second[1].classes);
    EXPECT_EQ(store->contributors(prefix("10.0.0.0/8"), minute_at(0), minute_at(1), 10)->front().volume.bytes,
              140U);
    const auto collected = store->collected_minutes(minute_at(0), minute_at(1));
    ASSERT_EQ(collected->size(), 1U);
    EXPECT_EQ(collected->front(), (CollectedMinute{minute_at(0), start, start + 60s, 55s}));
    EXPECT_FALSE(collected->front().whole());
}

TEST_F(FlowStoreTest, AMinuteThatWasCollectedFromEndToEndIsWhole) {
    const auto store = must_open_flow();
    const WallTime start{minute_at(0)};
    ASSERT_TRUE(store->write_minute({minute_at(0), start - 5s, start + 61s, {}, {}}));
    ASSERT_TRUE(store->write_minute({minute_at(1), start + 70s, start + 65s, {}, {}}));
    const auto collected = store->collected_minutes(minute_at(0), minute_at(2));
    EXPECT_EQ(collected->front(), (CollectedMinute{minute_at(0), start, start + 60s, 60s}));
    EXPECT_TRUE(collected->front().whole());
    EXPECT_EQ(collected->back().covered, 0s);
}

TEST_F(FlowStoreTest, CountsBeyondSqlitesIntegersStayAtTheLargest) {
    const auto store = must_open_flow();
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    PrefixMinute huge{.prefix = prefix("10.0.0.0/8"), .minute = minute_at(0)};
    huge.classes.fill({.bytes = kMost, .packets = kMostStored, .flows = kMostStored - 1});
    Contributor source =
        make_contributor("10.0.0.0/8", minute_at(0), TrafficFacet::kSource, "192.0.2.0/24", kMost);
    for (int times = 0; times < 2; ++times) {
        ASSERT_TRUE(write(*store, minute_at(0), {huge}, {source}));
        const auto read = store->minute(minute_at(0), MinuteDetail::kClasses);
        for (const Volume& volume : (**read)[0].classes) {
            EXPECT_EQ(volume.bytes, kMostStored);
            EXPECT_EQ(volume.packets, kMostStored);
            EXPECT_EQ(volume.flows, times == 0 ? kMostStored - 1 : kMostStored);
        }
    }
    EXPECT_EQ(ask("SELECT typeof(bytes), bytes FROM flow_minutes"), "integer|9223372036854775807");
    EXPECT_EQ(store->contributors(huge.prefix, minute_at(0), minute_at(1), 1)->front().volume.bytes,
              kMostStored);
    const auto points = store->series(huge.prefix, minute_at(0), minute_at(1), 1min);
    EXPECT_EQ(points->front().sum[0].bytes, kMostStored);
    // The view's rates are real numbers on the way.
    EXPECT_EQ(ask("SELECT bits_per_second FROM flow_traffic"), "1229782938247303424");
}

TEST_F(FlowStoreTest, APrefixHasOneNumberForEveryConnection) {
    const auto one = must_open_flow();
    const auto other = must_open_flow();
    for (int i = 0; i < 4; ++i) {
        FlowStore& store = i % 2 == 0 ? *one : *other;
        ASSERT_TRUE(
            write(store, minute_at(i),
                  {make_traffic("10.0.0.0/8", minute_at(i), 10), make_traffic("::/0", minute_at(i), 10),
                   make_traffic(fmt::format("10.{}.0.0/16", i), minute_at(i), 5)}));
    }
    EXPECT_EQ(ask("SELECT count(*) FROM flow_prefixes"), "6");
    EXPECT_EQ(read_all(*one, minute_at(0), minute_at(9)).back().traffic.back().prefix, prefix("10.3.0.0/16"));
}

TEST_F(FlowStoreTest, ATrafficRowWithoutItsPrefixIsCorrupt) {
    const auto store = must_open_flow();
    ASSERT_TRUE(write(*store, minute_at(0), {make_traffic("10.0.0.0/8", minute_at(0), 10)}));
    ask("DELETE FROM flow_prefixes");
    EXPECT_TRUE(store->minute(minute_at(0), MinuteDetail::kTotals));  // remembered
    EXPECT_EQ(must_open_flow()->minute(minute_at(0), MinuteDetail::kTotals).error().code,
              ErrorCode::kCorrupt);
}

// --- charts ---

TEST_F(FlowStoreTest, ASeriesSumsItsStepsAndShowsTheirPeaks) {
    const auto store = must_open_flow();
    for (int i = 0; i < 10; ++i) {
        if (i == 4 || i == 5) continue;  // the collector was down
        std::vector<PrefixMinute> traffic{make_traffic("10.1.0.0/16", minute_at(i), 77)};
        if (i != 1)
            traffic.push_back(make_traffic("10.0.0.0/8", minute_at(i), 4'000U + 4'000U * unsigned(i)));
        ASSERT_TRUE(write(*store, minute_at(i), traffic));
    }
    const auto points = store->series(prefix("10.0.0.0/8"), minute_at(0), minute_at(11), 3min);
    ASSERT_TRUE(points) << points.error().detail;
    ASSERT_EQ(points->size(), 4U);
    EXPECT_EQ((*points)[0].start, minute_at(0));
    EXPECT_EQ((*points)[0].collected, 3U);
    EXPECT_EQ((*points)[0].sum[0].bytes, 4'000U + 12'000U);
    EXPECT_EQ((*points)[0].sum[static_cast<std::size_t>(TrafficClass::kTcpSyn)].bytes, 8'000U);
    EXPECT_EQ((*points)[0].peak, (Volume{12'000, 120, 12}));
    EXPECT_EQ((*points)[1].start, minute_at(3));
    EXPECT_EQ((*points)[1].collected, 1U);
    EXPECT_EQ((*points)[2].collected, 3U);
    EXPECT_EQ((*points)[3].collected, 1U);
    EXPECT_EQ((*points)[3].sum[0].bytes, 40'000U);
    const auto unknown = store->series(prefix("192.0.2.0/24"), minute_at(0), minute_at(10), 10min);
    ASSERT_EQ(unknown->size(), 1U);
    EXPECT_EQ(unknown->front().collected, 8U);
    EXPECT_TRUE(unknown->front().sum[0].empty());
}

TEST_F(FlowStoreTest, ASeriesWithoutAStepOrWithTooManyPointsIsInvalid) {
    const auto store = must_open_flow();
    const Prefix any = prefix("10.0.0.0/8");
    EXPECT_EQ(store->series(any, minute_at(0), minute_at(5), 0min).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(store->series(any, minute_at(0), minute_at(5), -1min).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(store->series(any, minute_at(0), minute_at(10'001), 1min).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(store->series(any, minute_at(0), minute_at(10'000), 1min)->size(), 10'000U);
    EXPECT_TRUE(store->series(any, minute_at(5), minute_at(0), 1min)->empty());
}

// --- contributors ---

TEST_F(FlowStoreTest, ContributorsOfARangeAreSummedAndTheLargestComeFirst) {
    const auto store = must_open_flow();
    for (int i = 0; i < 3; ++i) {
        const MinuteTime minute = minute_at(i);
        ASSERT_TRUE(
            write(*store, minute, {},
                  {make_contributor("10.0.0.0/8", minute, TrafficFacet::kSourceAs, "64512", 100),
                   make_contributor("10.0.0.0/8", minute, TrafficFacet::kSource, "192.0.2.0/24", 500),
                   make_contributor("10.0.0.0/8", minute, TrafficFacet::kSource, "198.51.100.0/24",
                                    i == 1 ? 9'000 : 1),
                   make_contributor("10.0.0.0/8", minute, TrafficFacet::kSource, "2001:db8::/64", 7),
                   make_contributor("10.1.0.0/16", minute, TrafficFacet::kSource, "203.0.113.0/24", 1)}));
    }
    const auto top = store->contributors(prefix("10.0.0.0/8"), minute_at(0), minute_at(3), 2);
    ASSERT_TRUE(top) << top.error().detail;
    ASSERT_EQ(top->size(), 3U);
    EXPECT_EQ((*top)[0].key, "198.51.100.0/24");
    EXPECT_EQ((*top)[0].volume, (Volume{9'002, 90, 3}));
    EXPECT_EQ((*top)[0].minute, minute_at(0));
    EXPECT_EQ((*top)[1].key, "192.0.2.0/24");
    EXPECT_EQ((*top)[2].facet, TrafficFacet::kSourceAs);
    EXPECT_EQ((*top)[2].volume.bytes, 300U);
    const auto one = store->contributors(prefix("10.0.0.0/8"), minute_at(2), minute_at(3), 1);
    ASSERT_EQ(one->size(), 2U);
    EXPECT_EQ(one->front().key, "192.0.2.0/24");
    EXPECT_TRUE(store->contributors(prefix("10.2.0.0/16"), minute_at(0), minute_at(3), 5)->empty());
}

TEST_F(FlowStoreTest, TooManyContributorsLeaveOutTheSmallest) {
    const auto store = must_open_flow();
    std::vector<Contributor> many;
    constexpr std::size_t kTooMany = FlowStore::kContributorsPerMinute + 500;
    for (std::size_t i = 0; i < kTooMany; ++i) {
        many.push_back(make_contributor("10.0.0.0/8", minute_at(0), TrafficFacet::kDestination,
                                        fmt::format("10.0.{}.{}", i / 256, i % 256), 1'000 + i));
    }
    // Few bytes, but a flood of packets: that is what has to be explained.
    many.push_back(make_contributor("10.0.0.0/8", minute_at(0), TrafficFacet::kSource, "192.0.2.0/24", 1));
    many.back().volume.packets = 1'000'000;
    const auto report = write(*store, minute_at(0), {}, many);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->contributors, FlowStore::kContributorsPerMinute);
    EXPECT_EQ(report->contributors_left_out, 501U);
    EXPECT_EQ(ask("SELECT count(*), min(bytes) FROM flow_contributors"), "10000|1");
    EXPECT_EQ(ask("SELECT min(bytes) FROM flow_contributors WHERE facet = 5"), "1501");
}

// --- reading with sqlite3 ---

TEST_F(FlowStoreTest, TheViewsAnswerInNamesTimesAndRates) {
    const auto store = must_open_flow();
    const MinuteTime minute = minute_at(0);
    ASSERT_TRUE(write(*store, minute, {make_traffic("10.0.0.0/8", minute, 6'000'000)},
                      {make_contributor("10.0.0.0/8", minute, TrafficFacet::kSourceCountry, "DE", 600),
                       make_contributor("10.0.0.0/8", minute, TrafficFacet::kExporter, "192.0.2.1", 60)}));
    EXPECT_EQ(ask("SELECT time, prefix, bits_per_second, packets_per_second, tcp_syn_bits_per_second, "
                  "other_packets_per_second, udp_packets_per_second FROM flow_traffic"),
              "2026-01-20 09:00:00|10.0.0.0/8|800000|1000|400000|250|0");
    EXPECT_EQ(ask("SELECT time, prefix, facet, key, bits_per_second, bytes FROM flow_top ORDER BY bytes"),
              "2026-01-20 09:00:00|10.0.0.0/8|exporter|192.0.2.1|8|60\n2026-01-20 "
              "09:00:00|10.0.0.0/8|source_country|DE|80|600");
    EXPECT_EQ(
        ask("SELECT count(*) FROM flow_traffic WHERE minute >= strftime('%s', '2026-01-20 09:00') / 60"),
        "1");
}

}  // namespace
}  // namespace cam::store
