#include "cam/aggregate/sampled_flows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "fakes/model/flow_records.h"

namespace cam::aggregate {
namespace {

using namespace test;

FlowRecord from(std::string_view source, FlowOptions options = {}) {
    options.source = source;
    return flow(address("10.0.0.1"), options);
}

PrefixMinute total(const std::vector<SampledFlow>& flows, std::string_view of) {
    PrefixMinute minute{.prefix = prefix(of), .minute = kMinute};
    for (const SampledFlow& each : flows) {
        if (minute.prefix.contains(each.destination)) minute.classes[0] += each.volume;
    }
    return minute;
}

SampledFlow sampled(const FlowRecord& record, std::string_view sender = "192.0.2.1") {
    return {exporter(sender), record, {.bytes = record.bytes, .packets = record.packets, .flows = 1}};
}

/// `key bytes` of each.
std::vector<std::string> texts(const std::vector<Contributor>& contributors) {
    std::vector<std::string> out;
    for (const Contributor& each : contributors) {
        out.push_back(each.key + " " + std::to_string(each.volume.bytes));
    }
    return out;
}

using Texts = std::vector<std::string>;

TEST(SampledFlowsTest, SumsTheSourcesOfANetwork) {
    const std::vector<SampledFlow> flows{sampled(from("198.51.100.1", {.bytes = 10})),
                                         sampled(from("203.0.113.9", {.bytes = 2, .packets = 1})),
                                         sampled(from("198.51.100.200", {.bytes = 20})),
                                         sampled(from("2001:db8:1:2:3::4", {.bytes = 7})),
                                         sampled(from("2001:db8:1:2::9", {.bytes = 1}))};
    const PrefixMinute minute = total(flows, "10.0.0.0/24");
    EXPECT_EQ(texts(SampledFlows{flows}.contributors(minute, TrafficFacet::kSource, 10)),
              (Texts{"198.51.100.0/24 30", "2001:db8:1:2::/64 8", "203.0.113.0/24 2"}));
    EXPECT_EQ(texts(SampledFlows{flows}.contributors(minute, TrafficFacet::kSource, 1)),
              (Texts{"198.51.100.0/24 30"}));
    EXPECT_TRUE(SampledFlows{flows}.contributors(minute, TrafficFacet::kSource, 0).empty());
}

TEST(SampledFlowsTest, NamesEachFacetAsItsKeyIsWritten) {
    FlowRecord record = from("198.51.100.1", {.bytes = 10});
    record.fields = {FlowField::kSource,   FlowField::kDestination,    FlowField::kSourcePort,
                     FlowField::kProtocol, FlowField::kInputInterface, FlowField::kDestinationPort,
                     FlowField::kSourceAs};
    record.source_port = 53;
    record.destination_port = 65535;
    record.source_as = 4'200'000'000;
    record.input_interface = 4'000'000'001;
    const std::vector<SampledFlow> flows{sampled(record, "2001:db8::5")};
    const PrefixMinute minute = total(flows, "10.0.0.0/8");
    const auto key = [&](TrafficFacet facet) {
        const auto found = SampledFlows{flows}.contributors(minute, facet, 10);
        if (found.size() != 1) return std::string("(not one)");
        EXPECT_EQ(found[0].facet, facet);
        EXPECT_EQ(found[0].prefix, minute.prefix);
        EXPECT_EQ(found[0].minute, kMinute);
        return found[0].key;
    };
    EXPECT_EQ(key(TrafficFacet::kSource), "198.51.100.0/24");
    EXPECT_EQ(key(TrafficFacet::kSourceAs), "4200000000");
    EXPECT_EQ(key(TrafficFacet::kSourcePort), "17/53");
    EXPECT_EQ(key(TrafficFacet::kDestinationPort), "17/65535");
    EXPECT_EQ(key(TrafficFacet::kDestination), "10.0.0.1");
    EXPECT_EQ(key(TrafficFacet::kInterface), "2001:db8::5#4000000001");
    EXPECT_EQ(key(TrafficFacet::kExporter), "2001:db8::5");
    EXPECT_EQ(key(TrafficFacet::kSourceCountry), "(not one)");
}

TEST(SampledFlowsTest, LeavesOutWhatARecordDoesNotTell) {
    FlowRecord bare = flow(address("10.0.0.1"));
    bare.source_port = bare.destination_port = 9;
    bare.source_as = 9;
    FlowRecord no_as = bare;
    no_as.fields.add(FlowField::kSourceAs);
    no_as.source_as = 0;
    FlowRecord icmp = flow(address("10.0.0.1"), {.protocol = 1});
    icmp.fields.add(FlowField::kDestinationPort);
    icmp.destination_port = 0x0800;
    const std::vector<SampledFlow> flows{sampled(bare), sampled(no_as), sampled(icmp)};
    const PrefixMinute minute = total(flows, "10.0.0.0/8");
    for (const auto facet : {TrafficFacet::kSource, TrafficFacet::kSourceAs, TrafficFacet::kSourcePort,
                             TrafficFacet::kDestinationPort, TrafficFacet::kInterface}) {
        EXPECT_TRUE(SampledFlows{flows}.contributors(minute, facet, 10).empty()) << name(facet);
    }
    EXPECT_EQ(texts(SampledFlows{flows}.contributors(minute, TrafficFacet::kExporter, 10)),
              (Texts{"192.0.2.1 3000"}));
}

TEST(SampledFlowsTest, LooksOnlyAtTheFlowsToThePrefix) {
    FlowRecord first = from("198.51.100.1", {.bytes = 1});
    FlowRecord other = from("198.51.101.1", {.bytes = 2});
    FlowRecord v6 = from("198.51.102.1", {.bytes = 4});
    first.destination = address("10.0.255.255");
    other.destination = address("10.1.0.0");
    v6.destination = address("a00::");
    const std::vector<SampledFlow> flows{sampled(other), sampled(v6), sampled(first)};
    const auto sources = [&](std::string_view of) {
        return texts(SampledFlows{flows}.contributors(total(flows, of), TrafficFacet::kSource, 10));
    };
    EXPECT_EQ(sources("10.0.0.0/16"), (Texts{"198.51.100.0/24 1"}));
    EXPECT_EQ(sources("10.1.0.0/16"), (Texts{"198.51.101.0/24 2"}));
    EXPECT_EQ(sources("10.0.0.0/15").size(), 2U);
    EXPECT_EQ(sources("0.0.0.0/0").size(), 2U);
    EXPECT_EQ(sources("::/0"), (Texts{"198.51.102.0/24 4"}));
    EXPECT_EQ(sources("10.2.0.0/16").size(), 0U);
    EXPECT_EQ(SampledFlows{flows}.count(prefix("10.0.0.0/15")), 2U);
}

TEST(SampledFlowsTest, ShowsTheLargestByBytesAndByPacketsAndByFlows) {
    std::vector<SampledFlow> flows{sampled(from("1.1.1.1", {.bytes = 900'000, .packets = 600})),
                                   sampled(from("2.2.2.2", {.bytes = 64'000, .packets = 1'000}))};
    for (int i = 0; i < 50; ++i) flows.push_back(sampled(from("3.3.3.3", {.bytes = 64, .packets = 1})));
    for (int i = 0; i < 20; ++i) {
        flows.push_back(sampled(from("4.4." + std::to_string(i) + ".4", {.bytes = 4'000, .packets = 20})));
    }
    const auto found = SampledFlows{flows}.contributors(total(flows, "10.0.0.0/8"), TrafficFacet::kSource, 3);
    Texts keys;
    for (const Contributor& each : found) keys.push_back(each.key);
    std::sort(keys.begin(), keys.end());
    EXPECT_EQ(keys, (Texts{"1.1.1.0/24", "2.2.2.0/24", "3.3.3.0/24"}));
}

TEST(SampledFlowsTest, ScalesToTheExactTotal) {
    const std::vector<SampledFlow> flows{sampled(from("1.1.1.1", {.bytes = 300, .packets = 30})),
                                         sampled(from("2.2.2.2", {.bytes = 100, .packets = 10}))};
    PrefixMinute minute = total(flows, "10.0.0.0/8");
    minute.classes[0] = {.bytes = 1000, .packets = 20, .flows = 2};
    const auto found = SampledFlows{flows}.contributors(minute, TrafficFacet::kSource, 2);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].volume, (Volume{.bytes = 750, .packets = 15, .flows = 1}));
    EXPECT_EQ(found[1].volume, (Volume{.bytes = 250, .packets = 5, .flows = 1}));
}

TEST(SampledFlowsTest, MergesTheSamplesOfWorkers) {
    const std::vector<SampledFlow> one{sampled(from("1.1.1.1", {.bytes = 10})),
                                       sampled(from("2.2.2.2", {.bytes = 9}))};
    const std::vector<SampledFlow> two{sampled(from("1.1.1.2", {.bytes = 5})),
                                       sampled(from("3.3.3.3", {.bytes = 12}))};
    std::vector<SampledFlow> all = one;
    all.insert(all.end(), two.begin(), two.end());
    SampledFlows sum{one};
    sum.add(SampledFlows{two});
    EXPECT_EQ(sum.size(), 4U);
    EXPECT_EQ(texts(sum.contributors(total(all, "10.0.0.0/8"), TrafficFacet::kSource, 10)),
              (Texts{"1.1.1.0/24 15", "3.3.3.0/24 12", "2.2.2.0/24 9"}));
}

TEST(SampledFlowsTest, FindsThePrefixesInMergedSamples) {
    // Destinations that alternate between the two workers.
    std::vector<SampledFlow> one;
    std::vector<SampledFlow> two;
    for (std::uint32_t i = 0; i < 64; ++i) {
        FlowRecord record = flow(v4_address(0x0a00'0000U + (i << 8U)));
        (i % 2 == 0 ? one : two).push_back(sampled(record));
    }
    SampledFlows sum{two};
    sum.add(SampledFlows{one});
    for (std::uint32_t i = 0; i < 64; ++i) {
        EXPECT_EQ(sum.count(Prefix::covering(v4_address(0x0a00'0000U + (i << 8U)), 24)), 1U) << i;
    }
    EXPECT_EQ(sum.count(prefix("10.0.16.0/20")), 16U);
}

/// Contributors found in what a MinuteCounter counted, against the truth.
class ContributorsTest : public testing::Test {
protected:
    static std::shared_ptr<const CountingPlan> plan_of(std::vector<Prefix> prefixes) {
        return CountingPlan::compile({.prefixes = std::move(prefixes), .default_sampling = {}});
    }
    void send(MinuteCounter& counter, const IpAddress& source, const IpAddress& destination,
              std::uint64_t packets) {
        FlowRecord record = flow(destination, {.bytes = packets * 100, .packets = packets});
        record.fields.add(FlowField::kSource);
        record.source = source;
        counter.count(exporter("192.0.2.1"), std::span(&record, 1));
    }
    IpAddress spoofed() { return v4_address(static_cast<std::uint32_t>(random_())); }
    static const PrefixMinute& at(const CountedMinute& minute, const Prefix& prefix) {
        return *std::find_if(minute.prefixes.begin(), minute.prefixes.end(),
                             [&](const PrefixMinute& each) { return each.prefix == prefix; });
    }
    /// The share of the bytes that the sample gives the source's network.
    static double share(const CountedMinute& minute, const Prefix& prefix, std::string_view key) {
        const PrefixMinute& of = at(minute, prefix);
        for (const Contributor& each : minute.sampled.contributors(of, TrafficFacet::kSource, 10)) {
            if (each.key == key) {
                return static_cast<double>(each.volume.bytes) / static_cast<double>(of.all().bytes);
            }
        }
        return 0;
    }
    /// Four standard errors, by the formula in sampled_flows.h.
    static double bound(double share, std::size_t sampled) {
        return 4 * std::sqrt(1.34 * share * (1 - share) / static_cast<double>(sampled));
    }
    std::mt19937_64 random_{7};
    const Prefix target_ = prefix("10.0.0.0/24");
    const IpAddress victim_ = address("10.0.0.1");
    const std::shared_ptr<const CountingPlan> plan_ = plan_of({target_});
};

TEST_F(ContributorsTest, AreExactWhileTheSampleHasRoom) {
    MinuteCounter counter({.seed = 1}, plan_);
    for (int i = 0; i < 10'000; ++i) send(counter, spoofed(), victim_, 3);
    for (int i = 0; i < 500; ++i) send(counter, address("198.51.100.7"), victim_, 5);
    const CountedMinute minute = counter.close(kMinute, plan_);
    EXPECT_EQ(minute.sampled.size(), 10'500U);
    const auto top = minute.sampled.contributors(minute.prefixes[0], TrafficFacet::kSource, 10);
    ASSERT_EQ(top.size(), 10U);
    EXPECT_EQ(top[0].key, "198.51.100.0/24");
    EXPECT_EQ(top[0].volume, (Volume{.bytes = 250'000, .packets = 2'500, .flows = 500}));
}

TEST_F(ContributorsTest, FindsRealSourcesAmongAMillionSpoofedOnes) {
    MinuteCounter counter({.seed = 2}, plan_);
    constexpr int kRecords = 1'000'000;
    for (int i = 0; i < kRecords; ++i) {
        const auto lot = random_() % 100;
        if (lot < 5) {
            send(counter, address("198.51.100.7"), victim_, 1);
        } else if (lot < 6) {
            send(counter, address("203.0.113.7"), victim_, 1);
        } else {
            send(counter, spoofed(), victim_, 1);
        }
    }
    const CountedMinute minute = counter.close(kMinute, plan_);
    const std::size_t sampled = minute.sampled.size();
    EXPECT_GT(sampled, 10'000U);
    EXPECT_LE(sampled * sizeof(SampledFlow), std::size_t{2} * 1024 * 1024);
    EXPECT_EQ(minute.prefixes[0].all().flows, static_cast<std::uint64_t>(kRecords)) << "volumes stay exact";
    EXPECT_NEAR(share(minute, target_, "198.51.100.0/24"), 0.05, bound(0.05, sampled));
    EXPECT_NEAR(share(minute, target_, "203.0.113.0/24"), 0.01, bound(0.01, sampled));
    const auto top = minute.sampled.contributors(minute.prefixes[0], TrafficFacet::kSource, 10);
    EXPECT_EQ(top[0].key, "198.51.100.0/24");
    EXPECT_EQ(top[1].key, "203.0.113.0/24");
    EXPECT_LT(top[2].volume.bytes, top[1].volume.bytes / 5)
        << "a spoofed source is not taken for a large one";
}

TEST_F(ContributorsTest, DoesNotMindInWhichOrderTheTrafficCame) {
    // The real source comes before, after, or in the middle of the flood.
    for (const int place : {0, 1, 2}) {
        MinuteCounter counter({.seed = 3}, plan_);
        for (int third = 0; third < 3; ++third) {
            if (third == place) {
                for (int i = 0; i < 30'000; ++i) send(counter, address("198.51.100.7"), victim_, 1);
            }
            for (int i = 0; i < 90'000; ++i) send(counter, spoofed(), victim_, 1);
        }
        const CountedMinute minute = counter.close(kMinute, plan_);
        // The root's weights make early traffic more probable, so the end of the minute is sampled less.
        EXPECT_NEAR(share(minute, target_, "198.51.100.0/24"), 0.1, bound(0.1, minute.sampled.size()))
            << place;
    }
}

TEST_F(ContributorsTest, KeepsAFewHugeFlowsWithCertainty) {
    MinuteCounter counter({.seed = 4}, plan_);
    for (int i = 0; i < 200'000; ++i) send(counter, spoofed(), victim_, 1);
    send(counter, address("198.51.100.7"), victim_, 100'000);
    for (int i = 0; i < 200'000; ++i) send(counter, spoofed(), victim_, 1);
    const CountedMinute minute = counter.close(kMinute, plan_);
    EXPECT_NEAR(share(minute, target_, "198.51.100.0/24"), 0.2, 0.01);
}

TEST_F(ContributorsTest, ExplainsTheAttackedPrefixAmongTenThousandQuietOnes) {
    std::vector<Prefix> prefixes;
    for (std::uint32_t i = 0; i < 10'000; ++i)
        prefixes.push_back(Prefix::covering(v4_address(0x0a00'0000 + (i << 8U)), 24));
    const auto plan = plan_of(prefixes);
    MinuteCounter counter({.seed = 5}, plan);
    for (int i = 0; i < 1'000'000; ++i) {
        const auto lot = random_() % 20;
        const IpAddress quiet =
            v4_address(0x0a00'0000 + static_cast<std::uint32_t>(random_() % (10'000 * 256)));
        if (lot < 8) {
            send(counter, spoofed(), quiet, 1);
        } else {
            send(counter, lot < 10 ? address("198.51.100.7") : spoofed(), victim_, 1);
        }
    }
    const CountedMinute minute = counter.close(kMinute, plan);
    EXPECT_EQ(minute.prefixes.size(), 10'000U);
    const std::size_t sampled = minute.sampled.count(target_);
    EXPECT_GT(sampled, 150U);
    EXPECT_NEAR(share(minute, target_, "198.51.100.0/24"), 1.0 / 6, bound(1.0 / 6, sampled));
    const auto top = minute.sampled.contributors(at(minute, target_), TrafficFacet::kSource, 10);
    EXPECT_EQ(top[0].key, "198.51.100.0/24");
    EXPECT_LT(top[1].volume.bytes, top[0].volume.bytes / 4);
}

TEST_F(ContributorsTest, ExplainsASmallPrefixBesideALargeAttack) {
    const Prefix small = prefix("10.0.1.0/24");
    const auto plan = plan_of({target_, small});
    MinuteCounter counter({.seed = 6}, plan);
    for (int i = 0; i < 1'000'000; ++i) {
        send(counter, spoofed(), victim_, 1);
        if (i % 1'000 == 0)
            send(counter, i % 3'000 == 0 ? address("198.51.100.7") : spoofed(), address("10.0.1.1"), 1);
    }
    const CountedMinute minute = counter.close(kMinute, plan);
    // In proportion to its traffic it would have 15 records.
    const std::size_t sampled = minute.sampled.count(small);
    EXPECT_GT(sampled, 250U);
    EXPECT_NEAR(share(minute, small, "198.51.100.0/24"), 1.0 / 3, bound(1.0 / 3, sampled));
}

TEST_F(ContributorsTest, AreRightOnTheAverageOfManyMinutes) {
    // Small samples, so that the error of one minute is large and a bias would show in the mean.
    double sum = 0;
    constexpr int kMinutes = 400;
    for (int i = 0; i < kMinutes; ++i) {
        MinuteCounter counter({.sample_bytes = 20'000, .seed = static_cast<std::uint64_t>(i)}, plan_);
        for (int k = 0; k < 3'000; ++k) {
            const bool real = k % 10 == 0;
            send(counter, real ? address("198.51.100.7") : spoofed(), victim_, real ? 3 : 1 + random_() % 5);
        }
        sum += share(counter.close(kMinute, plan_), target_, "198.51.100.0/24");
    }
    EXPECT_NEAR(sum / kMinutes, 0.1, 0.004);
}

TEST_F(ContributorsTest, StayRightWhenTheTrafficIsSpreadOverWorkers) {
    std::vector<MinuteCounter> workers;
    for (std::uint64_t i = 0; i < 4; ++i) workers.emplace_back(MinuteCounter::Options{.seed = i}, plan_);
    for (int i = 0; i < 400'000; ++i) {
        // Worker 0 sees none of the real source, worker 3 most of it.
        const auto worker = static_cast<std::size_t>(i % 4);
        const bool real = random_() % 20 < worker;
        send(workers[worker], real ? address("198.51.100.7") : spoofed(), victim_, 1);
    }
    CountedMinute minute = workers[0].close(kMinute, plan_);
    for (std::size_t i = 1; i < 4; ++i) minute.add(workers[i].close(kMinute, plan_));
    EXPECT_EQ(minute.prefixes[0].all().flows, 400'000U);
    EXPECT_NEAR(share(minute, target_, "198.51.100.0/24"), 6.0 / 80, bound(6.0 / 80, minute.sampled.size()));
}

TEST_F(ContributorsTest, GivesNoContributorMoreThanThePrefixHas) {
    MinuteCounter counter({.sample_bytes = 4'000, .seed = 8}, plan_);
    for (int i = 0; i < 50'000; ++i) send(counter, address("198.51.100.7"), victim_, 1 + random_() % 1000);
    const CountedMinute minute = counter.close(kMinute, plan_);
    ASSERT_LT(minute.sampled.size(), 50U);
    const auto top = minute.sampled.contributors(minute.prefixes[0], TrafficFacet::kSource, 10);
    ASSERT_EQ(top.size(), 1U);
    EXPECT_EQ(top[0].volume, minute.prefixes[0].all()) << "the only source is all of it, exactly";
}

}  // namespace
}  // namespace cam::aggregate
