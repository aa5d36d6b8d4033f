#include "cam/aggregate/minute_counter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>

#include "cam/model/traffic_class.h"
#include "fakes/model/flow_records.h"

namespace cam::aggregate {
namespace {

using namespace test;

constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();

class MinuteCounterTest : public testing::Test {
protected:
    static std::shared_ptr<const CountingPlan> plan(const std::vector<std::string_view>& texts) {
        CountingPlan::Options options;
        for (const std::string_view text : texts) options.prefixes.push_back(prefix(text));
        return CountingPlan::compile(options);
    }
    static const PrefixMinute& at(const CountedMinute& minute, std::string_view text) {
        const auto found =
            std::find_if(minute.prefixes.begin(), minute.prefixes.end(),
                         [&](const PrefixMinute& each) { return each.prefix == prefix(text); });
        if (found == minute.prefixes.end()) throw std::runtime_error("no traffic to that prefix");
        return *found;
    }
    static CountedMinute count_once(const std::shared_ptr<const CountingPlan>& plan,
                                    const std::vector<FlowRecord>& records) {
        MinuteCounter counter({.seed = 1}, plan);
        counter.count(exporter("192.0.2.1"), records);
        return counter.close(kMinute, plan);
    }
};

TEST_F(MinuteCounterTest, CountsEachRecordInEveryPrefixThatCoversIt) {
    const CountedMinute minute =
        count_once(plan({"10.0.0.0/8", "10.20.0.0/16", "10.20.30.0/24", "2001:db8::/32", "192.0.2.0/24"}),
                   {flow(address("10.20.30.1")), flow(address("10.20.0.1")), flow(address("2001:db8::1"))});
    ASSERT_EQ(minute.prefixes.size(), 4U);
    EXPECT_EQ(minute.minute, kMinute);
    EXPECT_EQ(at(minute, "10.0.0.0/8").all(), (Volume{.bytes = 2000, .packets = 20, .flows = 2}));
    EXPECT_EQ(at(minute, "10.20.0.0/16").all(), (Volume{.bytes = 2000, .packets = 20, .flows = 2}));
    EXPECT_EQ(at(minute, "10.20.30.0/24").all(), (Volume{.bytes = 1000, .packets = 10, .flows = 1}));
    EXPECT_EQ(at(minute, "2001:db8::/32").all(), (Volume{.bytes = 1000, .packets = 10, .flows = 1}));
    EXPECT_EQ(at(minute, "2001:db8::/32").minute, kMinute);
    EXPECT_EQ(minute.records_without_prefix, 0U);
}

TEST_F(MinuteCounterTest, HandsOverPrefixesWithTrafficInThePlansOrder) {
    const auto watched = plan({"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"});
    const CountedMinute minute = count_once(
        watched, {flow(address("fd00::1")), flow(address("192.168.1.1")), flow(address("10.1.1.1"))});
    ASSERT_EQ(minute.prefixes.size(), 3U);
    EXPECT_EQ(minute.prefixes[0].prefix, prefix("10.0.0.0/8"));
    EXPECT_EQ(minute.prefixes[1].prefix, prefix("192.168.0.0/16"));
    EXPECT_EQ(minute.prefixes[2].prefix, prefix("fd00::/8"));
}

TEST_F(MinuteCounterTest, CountsRecordsThatGoToNoPrefix) {
    FlowRecord nowhere = flow(address("10.0.0.1"));
    nowhere.fields.remove(FlowField::kDestination);
    const CountedMinute minute =
        count_once(plan({"10.0.0.0/8"}), {flow(address("11.0.0.1")), nowhere, flow(address("2001:db8::1"))});
    EXPECT_TRUE(minute.prefixes.empty());
    EXPECT_EQ(minute.records_without_prefix, 3U);
    EXPECT_EQ(minute.sampled.size(), 0U);
}

TEST_F(MinuteCounterTest, MultipliesByTheRecordsSamplingRate) {
    const CountedMinute minute = count_once(
        plan({"10.0.0.0/8"}), {flow(address("10.0.0.1"), {.bytes = 1500, .packets = 3, .one_in = 1000}),
                               flow(address("10.0.0.2"), {.bytes = 40, .packets = 1, .one_in = 2048})});
    EXPECT_EQ(at(minute, "10.0.0.0/8").all(),
              (Volume{.bytes = 1'500'000 + 81'920, .packets = 3000 + 2048, .flows = 1000 + 2048}));
}

TEST_F(MinuteCounterTest, UsesTheRoutersDefaultOnlyForRecordsThatTellNoRate) {
    const auto watched = CountingPlan::compile({.prefixes = {prefix("10.0.0.0/8")},
                                                .default_sampling = {{exporter("192.0.2.1"), one_in(7)},
                                                                     {exporter("192.0.2.1"), one_in(100)},
                                                                     {exporter("2001:db8::9"), one_in(50)}}});
    const auto bytes_of = [&](std::string_view sender, std::optional<std::uint32_t> told) {
        MinuteCounter counter({.seed = 1}, watched);
        counter.count(exporter(sender), std::vector{flow(address("10.0.0.1"), {.bytes = 1, .one_in = told})});
        return at(counter.close(kMinute, watched), "10.0.0.0/8").all().bytes;
    };
    EXPECT_EQ(bytes_of("192.0.2.1", std::nullopt), 100U) << "the last setting of the router";
    EXPECT_EQ(bytes_of("192.0.2.1", 10), 10U);
    EXPECT_EQ(bytes_of("192.0.2.1", 1), 1U) << "the exporter says that it does not sample";
    EXPECT_EQ(bytes_of("2001:db8::9", std::nullopt), 50U);
    EXPECT_EQ(bytes_of("192.0.2.2", std::nullopt), 1U) << "another router";
}

TEST_F(MinuteCounterTest, TakesARateFromAnySourceBeforeTheDefault) {
    const auto watched = CountingPlan::compile(
        {.prefixes = {prefix("10.0.0.0/8")}, .default_sampling = {{exporter("192.0.2.1"), one_in(100)}}});
    for (const auto source : {SamplingSource::kRecord, SamplingSource::kOptions, SamplingSource::kSflowSample,
                              SamplingSource::kHeader}) {
        FlowRecord record = flow(address("10.0.0.1"), {.bytes = 1, .one_in = 10});
        record.sampling_source = source;
        EXPECT_EQ(at(count_once(watched, {record}), "10.0.0.0/8").all().bytes, 10U) << name(source);
    }
}

TEST_F(MinuteCounterTest, AddsNothingForCountsThatARecordDoesNotTell) {
    FlowRecord event = flow(address("10.0.0.1"), {.bytes = 77, .packets = 0, .one_in = 10});
    event.fields.remove(FlowField::kPackets);
    FlowRecord nothing = event;
    nothing.bytes = 0;
    nothing.fields.remove(FlowField::kBytes);
    const CountedMinute minute = count_once(plan({"10.0.0.0/8"}), {event, nothing});
    EXPECT_EQ(at(minute, "10.0.0.0/8").all(), (Volume{.bytes = 770, .packets = 0, .flows = 20}));
}

// Cisco ASA (NSEL) tells the initiator's octets, PSAMP a frame: traffic that rules must see.
TEST_F(MinuteCounterTest, CountsWhatStandsInForTheDeltaCounters) {
    FlowRecord event = flow(address("10.0.0.1"), {.bytes = 77, .packets = 5, .one_in = 10});
    event.fields.remove(FlowField::kBytes);
    event.fields.remove(FlowField::kPackets);
    event.fields.add(FlowField::kOtherBytes);
    event.fields.add(FlowField::kOtherPackets);
    const CountedMinute minute = count_once(plan({"10.0.0.0/8"}), {event});
    EXPECT_EQ(at(minute, "10.0.0.0/8").all(), (Volume{.bytes = 770, .packets = 50, .flows = 10}));
}

TEST_F(MinuteCounterTest, PutsARecordIntoItsClassesAndTheirWholes) {
    FlowRecord syn = flow(address("10.0.0.1"), {.bytes = 60, .packets = 1, .protocol = 6});
    syn.fields.add(FlowField::kTcpFlags);
    syn.tcp_flags = tcp::kSyn;
    const CountedMinute minute = count_once(plan({"10.0.0.0/8", "10.0.0.0/24"}),
                                            {syn, flow(address("10.0.0.1"), {.bytes = 5, .protocol = 47})});
    for (const char* each : {"10.0.0.0/8", "10.0.0.0/24"}) {
        const PrefixMinute& counted = at(minute, each);
        EXPECT_EQ(of(counted, TrafficClass::kTcpSyn).bytes, 60U);
        EXPECT_EQ(of(counted, TrafficClass::kTcp).bytes, 60U);
        EXPECT_EQ(of(counted, TrafficClass::kGre).bytes, 5U);
        EXPECT_EQ(of(counted, TrafficClass::kAll).bytes, 65U);
        for (const auto none : {TrafficClass::kTcpAck, TrafficClass::kTcpRst, TrafficClass::kUdp,
                                TrafficClass::kIcmp, TrafficClass::kEsp, TrafficClass::kOther}) {
            EXPECT_TRUE(of(counted, none).empty()) << name(none);
        }
    }
}

TEST_F(MinuteCounterTest, SaturatesInsteadOfWrapping) {
    const FlowRecord huge =
        flow(address("10.0.0.1"), {.bytes = kMost / 2, .packets = kMost, .one_in = 4'000'000'000});
    const CountedMinute minute =
        count_once(plan({"10.0.0.0/8", "10.0.0.0/24"}), {huge, flow(address("10.0.1.1")), huge});
    EXPECT_EQ(at(minute, "10.0.0.0/24").all(),
              (Volume{.bytes = kMost, .packets = kMost, .flows = 8'000'000'000}));
    EXPECT_EQ(at(minute, "10.0.0.0/8").all(),
              (Volume{.bytes = kMost, .packets = kMost, .flows = 8'000'000'001}));
    const auto top = minute.sampled.contributors(at(minute, "10.0.0.0/8"), TrafficFacet::kDestination, 1);
    ASSERT_EQ(top.size(), 1U);
    EXPECT_EQ(top[0].key, "10.0.0.1");
    EXPECT_EQ(top[0].volume.bytes, kMost);
}

TEST_F(MinuteCounterTest, BeginsEachMinuteAtZero) {
    const auto watched = plan({"10.0.0.0/8", "11.0.0.0/8"});
    MinuteCounter counter({.seed = 1}, watched);
    counter.count(exporter("192.0.2.1"), std::vector{flow(address("10.0.0.1")), flow(address("12.0.0.1"))});
    EXPECT_EQ(counter.close(kMinute, watched).prefixes.size(), 1U);
    const CountedMinute quiet = counter.close(kMinute + std::chrono::minutes{1}, watched);
    EXPECT_TRUE(quiet.prefixes.empty());
    EXPECT_EQ(quiet.records_without_prefix, 0U);
    EXPECT_EQ(quiet.sampled.size(), 0U);
    counter.count(exporter("192.0.2.1"), std::vector{flow(address("11.0.0.1")), flow(address("10.0.0.1"))});
    const CountedMinute third = counter.close(kMinute + std::chrono::minutes{2}, watched);
    ASSERT_EQ(third.prefixes.size(), 2U);
    EXPECT_EQ(third.prefixes[0].all().flows, 1U);
    EXPECT_EQ(third.prefixes[1].all().flows, 1U);
    EXPECT_EQ(third.minute, kMinute + std::chrono::minutes{2});
}

TEST_F(MinuteCounterTest, ChangesItsPlanBetweenMinutesWithoutLosingOrMovingCounts) {
    const auto before = plan({"10.0.0.0/8", "11.0.0.0/8"});
    const auto after = plan({"9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/16", "2001:db8::/32"});
    MinuteCounter counter({.seed = 1}, before);
    counter.count(exporter("192.0.2.1"), std::vector{flow(address("10.0.0.1")), flow(address("11.0.0.1"))});
    const CountedMinute first = counter.close(kMinute, after);
    counter.count(exporter("192.0.2.1"), std::vector{flow(address("10.0.0.1")), flow(address("11.0.0.1")),
                                                     flow(address("2001:db8::1"))});
    const CountedMinute second = counter.close(kMinute + std::chrono::minutes{1}, before);
    counter.count(exporter("192.0.2.1"), std::vector{flow(address("11.0.0.1"))});
    const CountedMinute third = counter.close(kMinute + std::chrono::minutes{2}, before);

    ASSERT_EQ(first.prefixes.size(), 2U);
    EXPECT_EQ(at(first, "10.0.0.0/8").all().flows, 1U);
    EXPECT_EQ(at(first, "11.0.0.0/8").all().flows, 1U);
    ASSERT_EQ(second.prefixes.size(), 3U);
    EXPECT_EQ(at(second, "10.0.0.0/8").all().flows, 1U);
    EXPECT_EQ(at(second, "10.0.0.0/16").all().flows, 1U);
    EXPECT_EQ(at(second, "2001:db8::/32").all().flows, 1U);
    EXPECT_EQ(second.records_without_prefix, 1U);
    ASSERT_EQ(third.prefixes.size(), 1U);
    EXPECT_EQ(at(third, "11.0.0.0/8").all().flows, 1U);
}

/// Random records to overlapping prefixes, counted by several workers and by asking every prefix.
class MinuteCounterWorkersTest : public testing::TestWithParam<std::size_t> {};

TEST_P(MinuteCounterWorkersTest, CountsExactlyWhatWasSentWhateverTheNumberOfWorkers) {
    std::mt19937_64 random{GetParam()};
    CountingPlan::Options options;
    for (unsigned i = 0; i < 200; ++i) {
        const auto base = static_cast<std::uint32_t>(0x0a00'0000 | (random() & 0x3ffff));
        options.prefixes.push_back(
            Prefix::covering(v4_address(base), 12 + static_cast<unsigned>(random() % 21)));
    }
    const auto watched = CountingPlan::compile(options);
    std::vector<MinuteCounter> workers;
    for (std::size_t i = 0; i < GetParam(); ++i)
        workers.emplace_back(MinuteCounter::Options{.seed = i}, watched);

    std::map<Prefix, ClassVolumes> expected;
    std::uint64_t nowhere = 0;
    constexpr std::array<std::uint8_t, 7> kProtocols{6, 17, 1, 58, 47, 50, 132};
    for (int datagram = 0; datagram < 400; ++datagram) {
        std::vector<FlowRecord> records;
        for (std::size_t size = random() % 70; size > 0; --size) {
            const auto host = static_cast<std::uint32_t>(0x0a00'0000 | (random() & 0x1fffff));
            FlowRecord& record = records.emplace_back(
                flow(v4_address(host), {.bytes = random() % 100'000,
                                        .packets = random() % 100,
                                        .protocol = kProtocols[random() % kProtocols.size()],
                                        .one_in = static_cast<std::uint32_t>(1 + random() % 5000)}));
            record.fields.add(FlowField::kTcpFlags);
            record.tcp_flags = static_cast<std::uint16_t>(random() % 64);
            bool somewhere = false;
            for (const Prefix& each : watched->prefixes()) {
                if (!each.contains(record.destination)) continue;
                somewhere = true;
                ClassVolumes one{};
                one[static_cast<std::size_t>(narrowest_class(record))] = {
                    .bytes = record.bytes * record.sampling.n(),
                    .packets = record.packets * record.sampling.n(),
                    .flows = record.sampling.n()};
                add_up(one);
                for (std::size_t i = 0; i < one.size(); ++i) expected[each][i] += one[i];
            }
            nowhere += somewhere ? 0 : 1;
        }
        workers[random() % workers.size()].count(exporter("192.0.2.1"), records);
    }

    CountedMinute sum = workers[0].close(kMinute, watched);
    for (std::size_t i = 1; i < workers.size(); ++i) sum.add(workers[i].close(kMinute, watched));
    EXPECT_GT(nowhere, 0U);
    EXPECT_EQ(sum.records_without_prefix, nowhere);
    ASSERT_EQ(sum.prefixes.size(), expected.size());
    auto next = expected.begin();
    for (const PrefixMinute& counted : sum.prefixes) {
        EXPECT_EQ(counted.prefix, next->first);
        EXPECT_EQ(counted.classes, next->second) << counted.prefix.text();
        ++next;
    }
}

INSTANTIATE_TEST_SUITE_P(Workers, MinuteCounterWorkersTest, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace cam::aggregate
