#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

class Netflow9Test : public DecoderTest {};

TEST_F(Netflow9Test, DataIsDecodedByTheTemplateThatCameBefore) {
    const DecodeReport first = decode9({netflow9_template(256, kSmall)});
    EXPECT_EQ(first.protocol, ExportProtocol::kNetflow9);
    EXPECT_EQ(first.templates, 1U);
    EXPECT_EQ(first.flow_records, 0U);
    const DecodeReport second = decode9({set(256, small(0xc6336407, 1500, 3).add(small(0xc6336408, 40, 1)))});
    EXPECT_EQ(second.flow_records, 2U);
    EXPECT_EQ(second.bytes, 1540U);
    EXPECT_EQ(second.packets, 4U);
    EXPECT_EQ(dropped(second), 0U);
    EXPECT_EQ(kept().at(0).destination, address("198.51.100.7"));
    EXPECT_EQ(kept().at(1).destination, address("198.51.100.8"));
    EXPECT_EQ(kept().at(1).bytes, 40U);
    EXPECT_EQ(kept().at(1).domain, 1U);
    EXPECT_EQ(kept().at(0).fields,
              (FlowFields{FlowField::kDestination, FlowField::kBytes, FlowField::kPackets}));
    EXPECT_EQ(decoder_.template_count(), 1U);
}

TEST_F(Netflow9Test, AFieldOfOneRecordDoesNotLeakIntoTheNextTemplate) {
    decode9({netflow9_template(256, {{8, 4}, {12, 4}, {7, 2}}), netflow9_template(257, kSmall)});
    decode9({set(256, WireBytes{}.u32(0xc0000201).u32(0xc6336407).u16(53)), set(257, small(1, 2, 3))});
    ASSERT_EQ(kept().size(), 2U);
    EXPECT_FALSE(kept().at(1).has(FlowField::kSourcePort));
    EXPECT_EQ(kept().at(1).source_port, 0);
    EXPECT_EQ(kept().at(1).source, address("0.0.0.0"));
}

TEST_F(Netflow9Test, NumbersOfEveryWidthAreRead) {
    for (const std::uint16_t width : std::initializer_list<std::uint16_t>{1, 2, 3, 4, 5, 6, 7, 8}) {
        WireBytes value;
        for (std::uint16_t i = 1; i <= width; ++i) value.u8(i);
        decode9({netflow9_template(300, {{1, width}}), set(300, value)});
        std::uint64_t want = 0;
        for (std::uint16_t i = 1; i <= width; ++i) want = want << 8U | i;
        ASSERT_FALSE(kept().empty());
        EXPECT_EQ(kept().front().bytes, want) << width;
    }
}

TEST_F(Netflow9Test, AFieldThatATemplateHoldsTwiceCountsByItsFirst) {
    decode9({netflow9_template(256, {{7, 2}, {1, 4}, {7, 2}, {1, 4}}),
             set(256, WireBytes{}.u16(1).u32(100).u16(2).u32(900))});
    EXPECT_EQ(only().source_port, 1);
    EXPECT_EQ(only().bytes, 100U);
}

TEST_F(Netflow9Test, RecordsOfSeveralBlocksComeInOrder) {
    decode9({netflow9_template(256, kSmall)});
    WireBytes body;
    for (std::uint32_t i = 0; i < 1000; ++i) body.add(small(i, i, 1));
    EXPECT_EQ(decode9({set(256, body)}).flow_records, 1000U);
    for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(kept().at(i).bytes, i);
}

TEST_F(Netflow9Test, TheCountInTheHeaderIsNotLookedAt) {
    for (const std::uint16_t count : std::initializer_list<std::uint16_t>{0, 1, 7, 65535}) {
        decode(netflow9({.count = count}, {netflow9_template(256, kSmall), set(256, small(1, 2, 3))}));
        EXPECT_EQ(kept().size(), 1U) << count;
    }
}

TEST_F(Netflow9Test, PaddingIsNoRecordAndNoFault) {
    const DecodeReport report = decode9(
        {netflow9_template(256, {{7, 2}, {4, 1}}),
         set_of_length(256, 12, WireBytes{}.u16(1).u8(6).u16(2).u8(17).u16(0)), WireBytes{}.fill(12)});
    EXPECT_EQ(report.flow_records, 2U);
    EXPECT_EQ(dropped(report), 0U);
}

TEST_F(Netflow9Test, ATemplateMeansSomethingOnlyInItsExporterDomainAndProtocol) {
    decode(netflow9({.source_id = 1}, {netflow9_template(256, kSmall)}));
    const WireBytes data = set(256, small(1, 2, 3));
    EXPECT_EQ(decode(netflow9({.source_id = 2}, {data})).sets_without_template, 1U);
    EXPECT_EQ(decode(ipfix({.domain = 1}, {data})).sets_without_template, 1U);
    EXPECT_EQ(decode(netflow9({.source_id = 1}, {data}), exporter(2)).sets_without_template, 1U);
    EXPECT_EQ(decode(netflow9({.source_id = 1}, {data})).flow_records, 1U);
}

TEST_F(Netflow9Test, AChangedTemplateReplacesTheOldOne) {
    decode9({netflow9_template(256, kSmall)});
    decode9({netflow9_template(256, {{1, 4}}), set(256, WireBytes{}.u32(77))});
    EXPECT_EQ(only().bytes, 77U);
    EXPECT_FALSE(only().has(FlowField::kDestination));
    EXPECT_EQ(decoder_.template_count(), 1U);
}

TEST_F(Netflow9Test, SeveralTemplatesOfOneSetAreAllLearned) {
    const DecodeReport report = decode9({set(0, template_record(256, kSmall)
                                                    .add(template_record(257, {{1, 4}}))
                                                    .add(template_record(258, {{2, 4}})))});
    EXPECT_EQ(report.templates, 3U);
    EXPECT_EQ(report_of().templates, 3U);
    EXPECT_EQ(report_of().options_templates, 0U);
}

TEST_F(Netflow9Test, IdsAbove32767ArePlainIdsAndNotOfAnEnterprise) {
    decode9({netflow9_template(256, {{57590, 2}, {1, 4}, {40005, 1}}),
             set(256, WireBytes{}.u16(9).u32(1234).u8(1))});
    EXPECT_EQ(only().bytes, 1234U);
}

TEST_F(Netflow9Test, OfIpv4AndIpv6InOneRecordTheOneThatIsSetCounts) {
    const Fields both{{8, 4}, {27, 16}, {12, 4}, {28, 16}};
    const WireBytes v6 = WireBytes{}.u32(0x20010db8).fill(11).u8(1);
    const WireBytes none = WireBytes{}.fill(16);
    decode9({netflow9_template(256, both),
             set(256, WireBytes{}.u32(0xc0000201).add(none).u32(0xc6336407).add(none)),
             set(256, WireBytes{}.u32(0).add(v6).u32(0).add(v6))});
    ASSERT_EQ(kept().size(), 2U);
    EXPECT_EQ(kept().at(0).source, address("192.0.2.1"));
    EXPECT_EQ(kept().at(1).source, address("2001:db8::1"));
    EXPECT_EQ(kept().at(1).destination, address("2001:db8::1"));
}

TEST_F(Netflow9Test, MacsLabelsIcmpAndFragmentsAreRead) {
    decode9({netflow9_template(256, {{56, 6},
                                     {80, 6},
                                     {70, 3},
                                     {32, 2},
                                     {54, 4},
                                     {88, 2},
                                     {31, 4},
                                     {89, 1},
                                     {61, 1},
                                     {58, 2},
                                     {59, 2},
                                     {52, 1},
                                     {256, 2}}),
             set(256, WireBytes{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
                          .u24(0x12345f)
                          .u16(0x0803)
                          .u32(99)
                          .u16(185)
                          .u32(0xabcde)
                          .u8(0x40)
                          .u8(1)
                          .u16(100)
                          .u16(200)
                          .u8(63)
                          .u16(0x86dd))});
    const FlowRecord record = only();
    EXPECT_EQ(record.source_mac[5], 1);
    EXPECT_EQ(record.destination_mac[5], 2);
    EXPECT_EQ(record.mpls_label, 0x12345U);
    EXPECT_EQ(record.icmp_type, 8);
    EXPECT_EQ(record.icmp_code, 3);
    EXPECT_EQ(record.fragment_id, 99U);
    EXPECT_EQ(record.fragment_offset, 185);
    EXPECT_EQ(record.ipv6_flow_label, 0xabcdeU);
    EXPECT_EQ(record.forwarding_status, 0x40);
    EXPECT_EQ(record.direction, 1);
    EXPECT_EQ(record.source_vlan, 100);
    EXPECT_EQ(record.destination_vlan, 200);
    EXPECT_EQ(record.ttl, 63);
    EXPECT_EQ(record.ether_type, 0x86dd);
}

TEST_F(Netflow9Test, WithoutDeltaCountersTotalsAndInitiatorsStandInAndAreToldApart) {
    decode9({netflow9_template(256, {{85, 4}, {86, 4}}), set(256, WireBytes{}.u32(888).u32(7))});
    EXPECT_EQ(only().bytes, 888U);
    EXPECT_EQ(only().packets, 7U);
    EXPECT_EQ(only().fields, (FlowFields{FlowField::kOtherBytes, FlowField::kOtherPackets}));
    // A Cisco ASA: the responder's octets go the other way.
    const DecodeReport report = decode9(
        {netflow9_template(257, {{232, 4}, {231, 4}}), set(257, WireBytes{}.u32(129'231).u32(1'131))});
    EXPECT_EQ(only().bytes, 1'131U);
    EXPECT_EQ(report.bytes, 0U) << "the report adds up delta counters";
    decode9({netflow9_template(258, {{23, 4}, {85, 4}, {1, 4}}), set(258, WireBytes{}.u32(1).u32(2).u32(3))});
    EXPECT_EQ(only().bytes, 3U);
    EXPECT_TRUE(only().has(FlowField::kBytes));
    EXPECT_FALSE(only().has(FlowField::kOtherBytes));
}

TEST_F(Netflow9Test, DataBeforeItsTemplateIsHeldAndDecodedWhenItComes) {
    const DecodeReport early = decode9({set(256, small(1, 10, 1)), set(256, small(2, 20, 1))});
    EXPECT_EQ(early.sets_without_template, 2U);
    EXPECT_EQ(early.sets_held, 2U);
    EXPECT_EQ(early.flow_records, 0U);
    EXPECT_EQ(dropped(early), 0U);
    const DecodeReport late = decode9({netflow9_template(256, kSmall), set(256, small(3, 30, 1))});
    EXPECT_EQ(late.flow_records, 3U);
    EXPECT_EQ(late.records_from_held, 2U);
    EXPECT_EQ(late.bytes, 60U);
    EXPECT_EQ(decode9({netflow9_template(256, kSmall)}).records_from_held, 0U) << "once";
}

TEST_F(Netflow9Test, AnExporterWhoseTemplateIsMissingTellsItsProtocol) {
    decode9({set(256, small(1, 2, 3))});
    const auto protocols = report_of().protocols;
    for (std::size_t i = 0; i < protocols.size(); ++i)
        EXPECT_EQ(protocols[i], i == static_cast<std::size_t>(ExportProtocol::kNetflow9)) << i;
}

TEST_F(Netflow9Test, HeldRecordsKeepTheTimeOfTheirOwnHeader) {
    decode(netflow9({.uptime_ms = 10'000, .seconds = 1000}, {set(256, WireBytes{}.u32(9'000))}));
    decode(netflow9({.uptime_ms = 20'000, .seconds = 1010}, {netflow9_template(256, {{21, 4}})}));
    EXPECT_EQ(ms(only().end), 999'000);
}

TEST_F(Netflow9Test, WhatIsHeldTooLongIsDroppedAndCounted) {
    decode9({set(256, small(1, 10, 1))});
    now_ += std::chrono::seconds{59};
    EXPECT_EQ(dropped(decode9({})), 0U);
    now_ += std::chrono::seconds{1};
    EXPECT_EQ(dropped(decode9({}), DropReason::kNoTemplate), 1U);
    EXPECT_EQ(decode9({netflow9_template(256, kSmall)}).flow_records, 0U);
    EXPECT_EQ(report_of().dropped[static_cast<std::size_t>(DropReason::kNoTemplate)], 1U);
}

TEST_F(Netflow9Test, WhatASilentExporterLeftIsDroppedWhenOthersSend) {
    decode9({set(256, small(1, 10, 1))});
    now_ += std::chrono::seconds{120};
    EXPECT_EQ(dropped(decode(netflow9({}, {}), exporter(2)), DropReason::kNoTemplate), 1U);
}

TEST_F(Netflow9Test, TheSequenceCountsDatagrams) {
    decode(netflow9({.sequence = 10}, {}));
    EXPECT_EQ(decode(netflow9({.sequence = 11}, {})).lost_datagrams, 0U);
    EXPECT_EQ(decode(netflow9({.sequence = 15}, {})).lost_datagrams, 3U);
    const DecodeReport late = decode(netflow9({.sequence = 13}, {}));
    EXPECT_EQ(late.lost_datagrams, 0U);
    EXPECT_EQ(late.late_datagrams, 1U);
    EXPECT_EQ(decode(netflow9({.sequence = 16}, {})).lost_datagrams, 0U);
    EXPECT_EQ(report_of().lost_datagrams, 2U);
}

TEST_F(Netflow9Test, AnExporterThatCountsRecordsLosesNothing) {
    decode(netflow9({.sequence = 100}, {netflow9_template(256, kSmall)}));
    WireBytes ten;
    for (std::uint32_t i = 0; i < 10; ++i) ten.add(small(i, 1, 1));
    std::uint32_t sequence = 101;
    for (int i = 0; i < 5; ++i, sequence += 10) {
        const DecodeReport report = decode(netflow9({.sequence = sequence}, {set(256, ten)}));
        EXPECT_EQ(report.lost_datagrams + report.lost_records, 0U) << sequence;
    }
    EXPECT_EQ(decode(netflow9({.sequence = sequence + 20}, {set(256, ten)})).lost_records, 20U);
}

TEST_F(Netflow9Test, ARestartedExporterLosesNothing) {
    decode(netflow9({.sequence = 4'000'000'000, .uptime_ms = 900'000'000}, {}));
    EXPECT_EQ(decode(netflow9({.sequence = 1, .uptime_ms = 5'000}, {})).lost_datagrams, 0U);
    EXPECT_EQ(decode(netflow9({.sequence = 2, .uptime_ms = 6'000}, {})).lost_datagrams, 0U);
    EXPECT_EQ(decode(netflow9({.sequence = 4, .uptime_ms = 7'000}, {})).lost_datagrams, 1U);
}

TEST_F(Netflow9Test, ASequenceWrapsWithoutLoss) {
    decode(netflow9({.sequence = 0xffff'ffff}, {}));
    EXPECT_EQ(decode(netflow9({.sequence = 0}, {})).lost_datagrams, 0U);
}

}  // namespace
}  // namespace cam::decode
