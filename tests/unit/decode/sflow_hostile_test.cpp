// Datagrams that lie about their lengths and numbers. The names of published bugs stand beside their tests.

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "unit/decode/sflow_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

TEST_F(SflowTest, AnAgentOfUnknownAddressTypeEndsTheDatagram) {  // Wireshark CVE-2012-6054
    for (const std::uint32_t type : {3U, 0xffffffffU}) {
        const DecodeReport report =
            decode(sflow_datagram({.address_type = type}, {flow_sample({}, {tcp_header()})}));
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
        EXPECT_EQ(report.flow_records, 0U);
    }
}

TEST_F(SflowTest, ANextHopOfUnknownAddressTypeLeavesTheRecordOut) {  // Wireshark CVE-2012-6054
    const DecodeReport report =
        decode_samples({flow_sample({}, {tcp_header(), structure(1002, WireBytes{}.u32(77).fill(24)),
                                         structure(1003, WireBytes{}.u32(77).fill(24))})});
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 2U);
    EXPECT_FALSE(sink_.kept.front().has(FlowField::kNextHop));
    EXPECT_FALSE(sink_.kept.front().has(FlowField::kSourceAs));
}

TEST_F(SflowTest, AHugeNumberOfSamplesEndsWithTheDatagram) {  // FastNetMon CVE-2024-56072
    const DecodeReport report =
        decode(sflow_datagram({.samples = 0xfffffffe}, {flow_sample({}, {tcp_header()})}));
    EXPECT_EQ(report.flow_records, 1U) << "what is there counts";
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
}

TEST_F(SflowTest, AHugeNumberOfRecordsEndsWithTheSample) {  // goflow CVE-2022-2529
    const DecodeReport report = decode_samples(
        {flow_sample({.records = 0xfffffffe}, {tcp_header()}), flow_sample({.rate = 5}, {tcp_header()})});
    EXPECT_EQ(report.flow_records, 1U) << "only the neighbour";
    EXPECT_EQ(sink_.kept.front().sampling.n(), 5U);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
}

TEST_F(SflowTest, AHugeAsPathCostsNothing) {  // gopacket GHSA-g6v3-7xmc-w563, nfdump 1.7.9: gateway overflow
    const auto gateway = [](std::uint32_t segments, std::uint32_t ases) {
        return structure(1003, WireBytes{}
                                   .u32(1)
                                   .add({203, 0, 113, 1})
                                   .u32(1)
                                   .u32(2)
                                   .u32(3)
                                   .u32(segments)
                                   .u32(2)
                                   .u32(ases)
                                   .u32(64510)
                                   .u32(64511));
    };
    const auto as_path = {std::pair{0xffffffffU, 2U}, std::pair{1U, 0xffffffffU},
                          std::pair{1U, 0x40000001U}, std::pair{0xffffffffU, 0x3fffffffU},
                          std::pair{2U, 2U},          std::pair{1U, 3U}};
    for (const auto& [segments, ases] : as_path) {
        const DecodeReport report =
            decode_samples({flow_sample({}, {tcp_header(), gateway(segments, ases)})});
        EXPECT_EQ(report.flow_records, 1U) << "the packet itself is sound";
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U) << segments << " " << ases;
        EXPECT_FALSE(sink_.kept.front().has(FlowField::kDestinationAs));
    }
    EXPECT_EQ(only({tcp_header(), gateway(1, 2)}).destination_as, 64511U);
}

TEST_F(SflowTest, EmptyAsSegmentsWithoutEndEnd) {  // telegraf, netflow_parser #56: zero-size elements
    WireBytes body = WireBytes{}.u32(0).u32(1).u32(2).u32(3).u32(0xffffffff);
    for (int i = 0; i < 2000; ++i) body.u32(2).u32(0);
    const DecodeReport report = decode_samples({flow_sample({}, {tcp_header(), structure(1003, body)})});
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
}

TEST_F(SflowTest, AHugeNumberOfCommunitiesIsNotLookedAt) {  // gopacket GHSA-g6v3-7xmc-w563
    const FlowRecord record = only(
        {tcp_header(),
         structure(1003,
                   WireBytes{}.u32(0).u32(1).u32(2).u32(3).u32(1).u32(2).u32(1).u32(64510).u32(0xffffffff))});
    EXPECT_EQ(record.destination_as, 64510U);
}

TEST_F(SflowTest, AHeaderLongerThanItsRecordIsMalformed) {  // FastNetMon GHSA-852r-3wcv-pjx2
    for (const std::uint32_t claimed : {200U, 0x7fffffffU, 0xfffffffeU}) {
        const DecodeReport report = decode_samples(
            {flow_sample({},
                         {raw_header({.header_bytes = claimed}, ethernet(0x0800, ipv4({}, udp_datagram())))}),
             flow_sample({}, {tcp_header()})});
        EXPECT_EQ(report.flow_records, 1U);
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
    }
}

TEST_F(SflowTest, AHeaderWithoutPaddingIsAccepted) {
    const WireBytes frame = ethernet(0x0800, ipv4({}, udp_datagram(3)));
    const WireBytes body = WireBytes{}.u32(1).u32(64).u32(4).u32(frame.size()).add(frame);
    ASSERT_NE(body.size() % 4, 0U);
    EXPECT_EQ(only({structure(1, body)}).destination_port, 443);
}

TEST_F(SflowTest, ARecordLongerThanItsSampleDoesNotReachTheNextOne) {  // FastNetMon GHSA-852r-3wcv-pjx2
    WireBytes bad = flow_sample({.rate = 1}, {tcp_header()});
    bad.vector()[8 + 32 + 4 + 3] = 0xf0;  // the record's length
    const DecodeReport report = decode_samples(
        {flow_sample({.rate = 2}, {tcp_header()}), bad, flow_sample({.rate = 3}, {tcp_header()})});
    EXPECT_EQ(report.flow_records, 2U);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
    EXPECT_EQ(sink_.kept[0].sampling.n(), 2U);
    EXPECT_EQ(sink_.kept[1].sampling.n(), 3U);
}

TEST_F(SflowTest, ASampleLongerThanItsDatagramEndsIt) {
    for (const std::uint32_t length : {0x0000ffffU, 0x7fffffffU, 0xffffffffU}) {
        WireBytes bad = WireBytes{}.u32(1).u32(length).fill(40);
        const DecodeReport report = decode_samples({flow_sample({}, {tcp_header()}), bad});
        EXPECT_EQ(report.flow_records, 1U);
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
    }
}

TEST_F(SflowTest, SamplesOfNoLengthMakeProgress) {  // the zero-progress loops of Wireshark and vflow
    std::vector<WireBytes> samples(500, structure(1, {}));
    samples.push_back(flow_sample({}, {tcp_header()}));
    const DecodeReport report = decode_samples(samples);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 500U);
    EXPECT_EQ(report.flow_records, 1U);
}

TEST_F(SflowTest, PaddingBehindTheSamplesIsNoFault) {
    const DecodeReport report = decode(sflow_datagram({}, {flow_sample({}, {tcp_header()})}).fill(7));
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(dropped(report), 0U);
}

TEST_F(SflowTest, TheBudgetOfADatagramHoldsAndWhatIsBeyondIsCounted) {
    const std::vector<WireBytes> samples(120, flow_sample({}, {tcp_header()}));
    const DecodeReport report = decode(sflow_datagram({}, samples), 100);
    EXPECT_EQ(report.flow_records, 100U);
    EXPECT_EQ(dropped(report, DropReason::kBudget), 20U);
}

TEST_F(SflowTest, GapsOfTheSequenceAreLostDatagrams) {
    EXPECT_EQ(decode(sflow_datagram({.sequence = 10}, {})).lost_datagrams, 0U);
    EXPECT_EQ(decode(sflow_datagram({.sequence = 14}, {})).lost_datagrams, 3U);
    EXPECT_EQ(decode(sflow_datagram({.sub_agent = 8, .sequence = 90}, {})).lost_datagrams, 0U)
        << "each sub-agent counts for itself";
    EXPECT_EQ(decode(sflow_datagram({.sequence = 15}, {})).lost_datagrams, 0U);
}

TEST_F(SflowTest, EveryCutOfADatagramIsCountedAndHarmsNothingBeforeIt) {
    const WireBytes whole = sflow_datagram(
        {}, {flow_sample({}, {tcp_header()}), counter_sample(), expanded_flow_sample({}, {tcp_header()})});
    const std::size_t first_ends = 28 + flow_sample({}, {tcp_header()}).size();
    for (std::size_t size = 4; size < whole.size(); ++size) {
        const DecodeReport report = decode(whole.cut(size));
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U) << size;
        EXPECT_EQ(report.flow_records, size >= first_ends ? 1U : 0U) << size;
    }
    EXPECT_EQ(decode(whole).flow_records, 2U);
}

TEST_F(SflowTest, ASampleMangledWithinItsLengthNeverHarmsItsNeighbours) {
    std::mt19937 random{11};  // NOLINT: the same noise each time
    const WireBytes good = flow_sample({.rate = 77}, {tcp_header()});
    for (int round = 0; round < 5000; ++round) {
        WireBytes bad = expanded_flow_sample(
            {}, {tcp_header(),
                 structure(1003, WireBytes{}.u32(0).u32(1).u32(2).u32(3).u32(1).u32(2).u32(1).u32(9))});
        for (int i = 0; i < 6; ++i) {
            bad.vector()[8 + random() % (bad.size() - 8)] = static_cast<std::uint8_t>(random());
        }
        const DecodeReport report = decode_samples({good, bad, good});
        ASSERT_GE(report.flow_records, 2U);
        ASSERT_LE(report.flow_records, 3U);
        ASSERT_TRUE(report.flow_records == 3U || dropped(report, DropReason::kMalformed) == 1U);
        ASSERT_EQ(sink_.kept.front().sampling.n(), 77U);
        ASSERT_EQ(sink_.kept.back().sampling.n(), 77U);
        ASSERT_EQ(report.packets, report.flow_records);
    }
}

}  // namespace
}  // namespace cam::decode
