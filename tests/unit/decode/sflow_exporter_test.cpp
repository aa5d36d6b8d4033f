#include "decode/sflow_exporter.h"

#include <gtest/gtest.h>

namespace cam::decode {
namespace {

const IpAddress kAgent = IpAddress::v4({192, 0, 2, 254});

class SflowExporterTest : public testing::Test {
protected:
    /// What this datagram says was lost.
    std::uint64_t lost(std::uint32_t sequence, std::uint32_t uptime_ms) {
        DecodeReport report;
        exporter_.saw({.agent = kAgent, .sub_agent = 0, .sequence = sequence, .uptime_ms = uptime_ms}, room_,
                      report);
        return report.lost_datagrams;
    }
    std::uint64_t dropped_by_agent(std::uint64_t source, std::uint32_t rate, std::uint32_t drops) {
        DecodeReport report;
        const SflowExporter::Agent agent =
            exporter_.saw({.agent = kAgent, .sub_agent = 3, .sequence = ++sequence_, .uptime_ms = sequence_},
                          room_, report);
        exporter_.saw_sample(agent, source, rate, drops, room_, report);
        return report.lost_records;
    }
    [[nodiscard]] std::vector<ExporterReport::Sampling> sampling() const {
        std::vector<ExporterReport::Sampling> rows;
        exporter_.append_sampling(rows);
        return rows;
    }

    SflowExporter exporter_;
    SflowExporter::Room room_ = [] { return true; };
    std::uint32_t sequence_ = 0;
};

TEST_F(SflowExporterTest, CountsWhatIsMissing) {
    EXPECT_EQ(lost(5, 1000), 0U) << "the first says nothing of those before it";
    EXPECT_EQ(lost(6, 2000), 0U);
    EXPECT_EQ(lost(10, 3000), 3U);
}

TEST_F(SflowExporterTest, SequenceAndUptimeMayWrap) {
    EXPECT_EQ(lost(0xffffffff, 0xfffffff0), 0U);
    EXPECT_EQ(lost(0, 10), 0U);
    EXPECT_EQ(lost(2, 20), 1U);
}

TEST_F(SflowExporterTest, ALateOrRepeatedDatagramIsNoLoss) {
    EXPECT_EQ(lost(10, 10'000), 0U);
    EXPECT_EQ(lost(12, 12'000), 1U);
    EXPECT_EQ(lost(11, 11'000), 0U);
    EXPECT_EQ(lost(12, 12'000), 0U);
    EXPECT_EQ(lost(13, 13'000), 0U) << "the late one has not moved the sequence back";
}

TEST_F(SflowExporterTest, WhatWasMissingAndComesLateIsToldAndOnlyThat) {
    const auto late = [this](std::uint32_t sequence, std::uint32_t uptime_ms) {
        DecodeReport report;
        exporter_.saw({.agent = kAgent, .sub_agent = 0, .sequence = sequence, .uptime_ms = uptime_ms}, room_,
                      report);
        return report.late_datagrams;
    };
    EXPECT_EQ(late(10, 10'000), 0U);
    EXPECT_EQ(lost(13, 13'000), 2U);
    EXPECT_EQ(late(11, 11'000), 1U);
    EXPECT_EQ(late(13, 13'000), 0U) << "sent twice";
    EXPECT_EQ(late(12, 12'000), 1U);
    EXPECT_EQ(late(12, 12'000), 0U) << "no more than was missing";
    EXPECT_EQ(lost(16, 90'000), 2U);
    EXPECT_EQ(lost(3, 1'000), 0U) << "a restart";
    EXPECT_EQ(late(2, 900), 0U) << "nothing is waited for";
}

TEST_F(SflowExporterTest, WhatWasNotMissingAndComesAgainIsNotLate) {
    const auto late = [this](std::uint32_t sequence, std::uint32_t uptime_ms) {
        DecodeReport report;
        exporter_.saw({.agent = kAgent, .sub_agent = 0, .sequence = sequence, .uptime_ms = uptime_ms}, room_,
                      report);
        EXPECT_EQ(report.lost_datagrams, 0U) << sequence;
        return report.late_datagrams;
    };
    EXPECT_EQ(late(0xfffffff0, 10'000), 0U);
    EXPECT_EQ(lost(1, 13'000), 16U);
    EXPECT_EQ(late(0xfffffff0, 10'000), 0U) << "before the gap";
    EXPECT_EQ(late(2, 14'000), 0U);
    EXPECT_EQ(late(3, 15'000), 0U);
    EXPECT_EQ(late(1, 13'000), 0U) << "behind the gap";
    EXPECT_EQ(late(2, 14'000), 0U);
    EXPECT_EQ(late(0xfffffff1, 11'000), 1U);
    EXPECT_EQ(late(0, 12'000), 1U);
    EXPECT_EQ(lost(5, 16'000), 1U);
    EXPECT_EQ(late(0xfffffff2, 11'000), 0U) << "only the newest gap is waited for";
    EXPECT_EQ(late(4, 15'500), 1U);
}

TEST_F(SflowExporterTest, ARestartIsNoLoss) {
    EXPECT_EQ(lost(70'000, 90'000'000), 0U);
    EXPECT_EQ(lost(1, 3'000), 0U);
    EXPECT_EQ(lost(3, 4'000), 1U) << "and counting goes on from there";
    EXPECT_EQ(lost(500'000, 1'000), 0U) << "the uptime has gone back, whatever the sequence does";
    EXPECT_EQ(lost(0x80000000, 2'000), 0U) << "no datagrams by the thousand million";
}

TEST_F(SflowExporterTest, ASequenceThatNeverMovesIsNoLoss) {
    for (std::uint32_t i = 0; i < 10; ++i) EXPECT_EQ(lost(0, i * 100'000), 0U);
}

TEST_F(SflowExporterTest, CountsTheSamplesThatTheAgentDropped) {
    EXPECT_EQ(dropped_by_agent(3, 1000, 50), 0U) << "before our time";
    EXPECT_EQ(dropped_by_agent(3, 1000, 52), 2U);
    EXPECT_EQ(dropped_by_agent(4, 1000, 9), 0U) << "each data source counts for itself";
    EXPECT_EQ(dropped_by_agent(3, 1000, 52), 0U);
    EXPECT_EQ(dropped_by_agent(3, 1000, 0), 0U) << "a restart";
    EXPECT_EQ(dropped_by_agent(3, 1000, 1), 1U);
}

TEST_F(SflowExporterTest, TellsTheLastRateOfEachDataSource) {
    dropped_by_agent(3, 1000, 0);
    dropped_by_agent(3, 2000, 0);
    dropped_by_agent(std::uint64_t{2} << 32U | 3U, 512, 0);
    dropped_by_agent(5, 0, 0);
    auto rows = sampling();
    ASSERT_EQ(rows.size(), 3U);
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.sampler < b.sampler; });
    EXPECT_EQ(rows[0].sampler, 3U);
    EXPECT_EQ(rows[0].rate.n(), 2000U);
    EXPECT_EQ(rows[0].domain, 3U);
    EXPECT_EQ(rows[0].protocol, ExportProtocol::kSflow5);
    EXPECT_EQ(rows[0].source, SamplingSource::kSflowSample);
    EXPECT_EQ(rows[1].sampler, 5U);
    EXPECT_EQ(rows[1].rate.n(), 1U);
    EXPECT_EQ(rows[1].source, SamplingSource::kNone) << "a rate of 0 is none";
    EXPECT_EQ(rows[2].rate.n(), 512U);
}

TEST_F(SflowExporterTest, HoldsTheSourcesOfALargeChassisAndNoMore) {
    for (std::uint32_t i = 1; i <= 300; ++i) dropped_by_agent(i, 1000 + i, 0);
    EXPECT_EQ(sampling().size(), 300U);
    for (std::uint32_t i = 1; i <= 100'000; ++i) dropped_by_agent(std::uint64_t{i} << 20U, 7, 0);
    EXPECT_LE(sampling().size(), SflowExporter::kMostSources);
    EXPECT_GE(sampling().size(), 300U) << "nobody was driven out";
    EXPECT_EQ(dropped_by_agent(300, 1300, 4), 4U) << "the first ones are still watched";
}

TEST_F(SflowExporterTest, HoldsABoundedNumberOfAgents) {
    DecodeReport report;
    SflowExporter::Agent last;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        last = exporter_.saw({.agent = kAgent, .sub_agent = i, .sequence = 1, .uptime_ms = 1}, room_, report);
        EXPECT_EQ(last.has_value(), i < SflowExporter::kMostAgents);
    }
    exporter_.saw_sample(last, 3, 1000, 0, room_, report);
    EXPECT_TRUE(sampling().empty()) << "of an agent that is not watched";
}

TEST_F(SflowExporterTest, WithoutRoomWatchesOneAgentWithAFewSourcesAndGoesOnWatchingThem) {
    room_ = [] { return false; };
    for (std::uint32_t i = 1; i <= 100; ++i) dropped_by_agent(i, 1000 + i, 0);
    const std::size_t few = sampling().size();
    EXPECT_GE(few, 4U);
    EXPECT_LE(few, 8U);
    EXPECT_EQ(dropped_by_agent(1, 1001, 4), 4U);
    DecodeReport report;
    EXPECT_FALSE(
        exporter_.saw({.agent = kAgent, .sub_agent = 4, .sequence = 1, .uptime_ms = 1}, room_, report));
    const std::size_t before = exporter_.memory_bytes();
    room_ = [] { return true; };
    for (std::uint32_t i = 1; i <= 100; ++i) dropped_by_agent(i, 1000 + i, 0);
    EXPECT_EQ(sampling().size(), 100U);
    EXPECT_GE(exporter_.memory_bytes(), before + (100 - few) * sizeof(ExporterReport::Sampling));
}

}  // namespace
}  // namespace cam::decode
