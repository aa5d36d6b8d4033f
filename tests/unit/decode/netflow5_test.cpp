#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

class Netflow5Test : public DecoderTest {};

TEST_F(Netflow5Test, EveryFieldOfARecordIsRead) {
    const DecodeReport report = decode(netflow5({.sequence = 1, .engine = 0x0102}, {Netflow5Record{}}));
    EXPECT_EQ(report.protocol, ExportProtocol::kNetflow5);
    EXPECT_EQ(report.bytes, 1000U);
    EXPECT_EQ(report.packets, 10U);
    EXPECT_EQ(dropped(report), 0U);
    const FlowRecord record = only();
    EXPECT_EQ(record.fields,
              (FlowFields{FlowField::kSource, FlowField::kDestination, FlowField::kNextHop,
                          FlowField::kInputInterface, FlowField::kOutputInterface, FlowField::kPackets,
                          FlowField::kBytes, FlowField::kStart, FlowField::kEnd, FlowField::kSourcePort,
                          FlowField::kDestinationPort, FlowField::kTcpFlags, FlowField::kProtocol,
                          FlowField::kTos, FlowField::kSourceAs, FlowField::kDestinationAs,
                          FlowField::kSourceMask, FlowField::kDestinationMask}));
    EXPECT_EQ(record.source, address("192.0.2.1"));
    EXPECT_EQ(record.destination, address("198.51.100.7"));
    EXPECT_EQ(record.next_hop, address("192.0.2.99"));
    EXPECT_EQ(record.input_interface, 7U);
    EXPECT_EQ(record.output_interface, 8U);
    EXPECT_EQ(record.source_port, 40000);
    EXPECT_EQ(record.destination_port, 443);
    EXPECT_EQ(record.tcp_flags, tcp::kSyn | tcp::kAck);
    EXPECT_EQ(record.protocol, 6);
    EXPECT_EQ(record.tos, 0xb8);
    EXPECT_EQ(record.source_as, 64500U);
    EXPECT_EQ(record.destination_as, 64501U);
    EXPECT_EQ(record.source_mask, 24);
    EXPECT_EQ(record.destination_mask, 22);
    EXPECT_EQ(record.domain, 0x0102U);
    EXPECT_EQ(record.export_protocol, ExportProtocol::kNetflow5);
    EXPECT_EQ(record.sampling_source, SamplingSource::kNone);
}

TEST_F(Netflow5Test, TimesAreByTheUptimeOfTheExporter) {
    decode(netflow5({}, {Netflow5Record{}}));
    const std::int64_t sent = std::int64_t{kExportSeconds} * 1000 + 250;
    EXPECT_EQ(ms(only().start), sent - 10'000);
    EXPECT_EQ(ms(only().end), sent - 1'000);
}

TEST_F(Netflow5Test, AnUptimeThatWrappedInBetweenMakesNoDifference) {
    decode(netflow5({.uptime_ms = 5'000},
                    {Netflow5Record{.first_ms = 0xffff'ffffU - 4'999, .last_ms = 0xffff'ffffU}}));
    const std::int64_t sent = std::int64_t{kExportSeconds} * 1000 + 250;
    EXPECT_EQ(ms(only().start), sent - 10'000);
    EXPECT_EQ(ms(only().end), sent - 5'001);
}

TEST_F(Netflow5Test, AFlowThatEndsAfterItsHeaderWasWrittenLiesInTheFuture) {
    decode(netflow5({}, {Netflow5Record{.last_ms = 3'600'100}}));
    EXPECT_EQ(ms(only().end), std::int64_t{kExportSeconds} * 1000 + 350);
}

TEST_F(Netflow5Test, NanosecondsOfMoreThanASecondAreNotBelieved) {
    decode(netflow5({.nanoseconds = 4'000'000'000}, {Netflow5Record{}}));
    EXPECT_EQ(ms(only().end), std::int64_t{kExportSeconds} * 1000 - 1'000);
}

TEST_F(Netflow5Test, TheHeaderTellsTheRateInItsLowFourteenBits) {
    decode(netflow5({.sampling = 0x4064}, {Netflow5Record{}}));
    EXPECT_EQ(only().sampling.n(), 100U);
    EXPECT_EQ(only().sampling_source, SamplingSource::kHeader);
    EXPECT_EQ(report_of().sampling.at(0).rate.n(), 100U);
    EXPECT_EQ(report_of().sampling.at(0).source, SamplingSource::kHeader);
    decode(netflow5({.sampling = 1000}, {Netflow5Record{}}));  // a mode of 0
    EXPECT_EQ(only().sampling.n(), 1000U);
}

TEST_F(Netflow5Test, ARateOfZeroIsNotTold) {
    decode(netflow5({.sampling = 0x4000}, {Netflow5Record{}}));
    EXPECT_EQ(only().sampling.n(), 1U);
    EXPECT_EQ(only().sampling_source, SamplingSource::kNone);
}

TEST_F(Netflow5Test, OfACutDatagramTheWholeRecordsCount) {
    const WireBytes whole = netflow5({}, std::vector<Netflow5Record>(3));
    const DecodeReport report = decode(whole.cut(whole.size() - 1));
    EXPECT_EQ(report.flow_records, 2U);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
}

TEST_F(Netflow5Test, WhatLiesBehindTheCountedRecordsIsNoRecord) {
    EXPECT_EQ(decode(netflow5({.more = -1}, std::vector<Netflow5Record>(3))).flow_records, 2U);
}

TEST_F(Netflow5Test, ACutHeaderIsMalformed) {
    for (std::size_t size = 2; size < 24; ++size) {
        const DecodeReport report = decode(netflow5({}, {Netflow5Record{}}).cut(size));
        EXPECT_EQ(report.flow_records, 0U);
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U) << size;
    }
}

TEST_F(Netflow5Test, TheSequenceCountsRecords) {
    EXPECT_EQ(decode(netflow5({.sequence = 100}, std::vector<Netflow5Record>(30))).lost_records, 0U);
    EXPECT_EQ(decode(netflow5({.sequence = 130}, std::vector<Netflow5Record>(30))).lost_records, 0U);
    EXPECT_EQ(decode(netflow5({.sequence = 220}, std::vector<Netflow5Record>(30))).lost_records, 60U);
    EXPECT_EQ(report_of().lost_records, 60U);
    EXPECT_EQ(report_of().lost_datagrams, 0U);
}

TEST_F(Netflow5Test, EnginesCountOnTheirOwn) {
    decode(netflow5({.sequence = 100, .engine = 1}, {Netflow5Record{}}));
    decode(netflow5({.sequence = 5000, .engine = 2}, {Netflow5Record{}}));
    EXPECT_EQ(decode(netflow5({.sequence = 101, .engine = 1}, {Netflow5Record{}})).lost_records, 0U);
    EXPECT_EQ(decode(netflow5({.sequence = 5001, .engine = 2}, {Netflow5Record{}})).lost_records, 0U);
}

TEST_F(Netflow5Test, OlderVersionsAreUnsupportedAndOthersUnknown) {
    for (const std::uint16_t version : std::initializer_list<std::uint16_t>{1, 7, 8}) {
        const DecodeReport report = decode(WireBytes{}.u16(version).fill(40));
        EXPECT_EQ(dropped(report, DropReason::kUnsupported), 1U) << version;
        EXPECT_FALSE(report.protocol);
    }
    for (const std::uint16_t version : std::initializer_list<std::uint16_t>{0, 2, 3, 4, 6, 11, 65535}) {
        EXPECT_EQ(dropped(decode(WireBytes{}.u16(version).fill(40)), DropReason::kUnknownVersion), 1U)
            << version;
    }
    EXPECT_EQ(dropped(decode(WireBytes{}), DropReason::kUnknownVersion), 1U);
    EXPECT_TRUE(decoder_.exporters().empty()) << "whoever sends nothing we know takes no room";
}

TEST_F(Netflow5Test, AFiveInThirtyTwoBitsIsSflow) {
    EXPECT_EQ(decode(WireBytes{}.u32(5).fill(40)).protocol, ExportProtocol::kSflow5);
    EXPECT_EQ(decode(netflow5({}, {Netflow5Record{}})).protocol, ExportProtocol::kNetflow5);
}

}  // namespace
}  // namespace cam::decode
