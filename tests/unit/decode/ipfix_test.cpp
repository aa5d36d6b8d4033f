#include "unit/decode/decoder_fixture.h"
#include "unit/decode/packets.h"

namespace cam::decode {
namespace {

using namespace test;

class IpfixTest : public DecoderTest {};

TEST_F(IpfixTest, DataIsDecodedByItsTemplate) {
    const DecodeReport report =
        decode(ipfix({}, {ipfix_template(256, kSmall), set(256, small(0xc6336407, 5, 1))}));
    EXPECT_EQ(report.protocol, ExportProtocol::kIpfix);
    EXPECT_EQ(report.templates, 1U);
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(dropped(report), 0U);
    EXPECT_EQ(only().export_protocol, ExportProtocol::kIpfix);
}

TEST_F(IpfixTest, ElementsOfOthersAreSkippedAndReverseOnesNeverCountForward) {
    decode(ipfix({}, {ipfix_template(256, {{1, 4, 29305}, {2, 4, 29305}, {80, 2, 35632}, {1, 4}}),
                      set(256, WireBytes{}.u32(999).u32(99).u16(7).u32(5))}));
    EXPECT_EQ(only().bytes, 5U);
    EXPECT_FALSE(only().has(FlowField::kPackets));
    EXPECT_EQ(only().packets, 0U);
}

TEST_F(IpfixTest, FieldsOfOpenLengthAreSkippedInBothTheirForms) {
    WireBytes body = WireBytes{}.u8(3).fill(3, 'a').u32(100).u8(0).u16(443);
    body.u8(255).u16(300).fill(300, 'x').u32(200).u8(255).u16(0).u16(53);
    const DecodeReport report = decode(
        ipfix({}, {ipfix_template(256, {{371, kOpen}, {1, 4}, {82, kOpen}, {11, 2}}), set(256, body)}));
    EXPECT_EQ(dropped(report), 0U);
    ASSERT_EQ(kept().size(), 2U);
    EXPECT_EQ(kept().at(0).bytes, 100U);
    EXPECT_EQ(kept().at(0).destination_port, 443);
    EXPECT_EQ(kept().at(1).bytes, 200U);
    EXPECT_EQ(kept().at(1).destination_port, 53);
}

TEST_F(IpfixTest, ANumberOfOpenLengthIsReadAndOfAnImpossibleOneIsAbsent) {
    decode(ipfix(
        {}, {ipfix_template(256, {{1, kOpen}, {12, kOpen}}),
             set(256, WireBytes{}.u8(2).u16(500).u8(4).u32(0xc6336407)),
             set(256, WireBytes{}.u8(0).u8(5).u32(1).u8(1)), set(256, WireBytes{}.u8(9).fill(9, 1).u8(0))}));
    ASSERT_GE(kept().size(), 3U);
    EXPECT_EQ(kept().at(0).bytes, 500U);
    EXPECT_EQ(kept().at(0).destination, address("198.51.100.7"));
    EXPECT_FALSE(kept().at(1).has(FlowField::kBytes));
    EXPECT_FALSE(kept().at(1).has(FlowField::kDestination));
    EXPECT_FALSE(kept().at(2).has(FlowField::kBytes));
    EXPECT_EQ(kept().at(2).bytes, 0U);
}

TEST_F(IpfixTest, AnOpenLengthThatLeavesTheSetEndsItAndNotTheNext) {
    const DecodeReport report = decode(
        ipfix({}, {ipfix_template(256, {{371, kOpen}, {1, 4}}), ipfix_template(257, {{1, 4}}),
                   set(256, WireBytes{}.u8(1).u8('a').u32(7).u8(200).u32(8)), set(257, WireBytes{}.u32(9))}));
    EXPECT_EQ(report.flow_records, 2U);
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
    EXPECT_EQ(kept().at(0).bytes, 7U);
    EXPECT_EQ(kept().at(1).bytes, 9U);
}

TEST_F(IpfixTest, EveryKindOfTimeIsRead) {
    const std::uint64_t at = std::uint64_t{kExportSeconds} * 1000;
    const auto one = [this](const Fields& fields, const WireBytes& body) {
        decode(ipfix({}, {ipfix_template(256, fields), set(256, body)}));
        EXPECT_TRUE(only().has(FlowField::kStart) && only().has(FlowField::kEnd));
        return only();
    };
    const FlowRecord seconds =
        one({{150, 4}, {151, 4}}, WireBytes{}.u32(kExportSeconds - 9).u32(kExportSeconds));
    EXPECT_EQ(ms(seconds.start), static_cast<std::int64_t>(at - 9000));
    const FlowRecord millis = one({{152, 8}, {153, 8}}, WireBytes{}.u64(at - 5).u64(at));
    EXPECT_EQ(ms(millis.start), static_cast<std::int64_t>(at - 5));
    const std::uint64_t ntp = (std::uint64_t{kExportSeconds} + 2'208'988'800) << 32U;
    for (const std::uint16_t id : std::initializer_list<std::uint16_t>{154, 156}) {
        const FlowRecord fine = one({{id, 8}, {static_cast<std::uint16_t>(id + 1), 8}},
                                    WireBytes{}.u64(ntp).u64(ntp | 0x8000'0000U));
        EXPECT_EQ(ms(fine.start), static_cast<std::int64_t>(at));
        EXPECT_EQ(ms(fine.end), static_cast<std::int64_t>(at + 500));
    }
    const FlowRecord before = one({{158, 4}, {159, 4}}, WireBytes{}.u32(3'000'000).u32(1'000'000));
    EXPECT_EQ(ms(before.start), static_cast<std::int64_t>(at - 3000));
    EXPECT_EQ(ms(before.end), static_cast<std::int64_t>(at - 1000));
    const FlowRecord lasting = one({{161, 4}, {152, 8}}, WireBytes{}.u32(700).u64(at));
    EXPECT_EQ(ms(lasting.end), static_cast<std::int64_t>(at + 700));
    const FlowRecord absurd = one({{152, 8}, {153, 8}}, WireBytes{}.u64(~0ULL).u64(1ULL << 63U));
    EXPECT_EQ(ms(absurd.start), 253'402'300'799'999) << "the last of the year 9999";
}

TEST_F(IpfixTest, UptimesNeedTheTimeWhenTheyBegan) {
    const WireBytes record = WireBytes{}.u32(1'000).u32(3'000);
    decode(ipfix({}, {ipfix_template(256, {{22, 4}, {21, 4}}), set(256, record)}));
    EXPECT_FALSE(only().has(FlowField::kStart));
    EXPECT_FALSE(only().has(FlowField::kEnd));
    const std::uint64_t boot = std::uint64_t{kExportSeconds} * 1000 - 60'000;
    decode(ipfix({}, {ipfix_options(257, {{149, 4}}, {{160, 8}}), set(257, WireBytes{}.u32(1).u64(boot)),
                      set(256, record)}));
    EXPECT_TRUE(only().has(FlowField::kStart));
    EXPECT_EQ(ms(only().start), static_cast<std::int64_t>(boot + 1'000));
    EXPECT_EQ(ms(only().end), static_cast<std::int64_t>(boot + 3'000));
}

TEST_F(IpfixTest, ARecordMayTellItselfWhenItsUptimesBegan) {
    const std::uint64_t boot = std::uint64_t{kExportSeconds} * 1000 - 60'000;
    const auto of = [](std::uint64_t began, std::uint32_t start, std::uint32_t end) {
        return WireBytes{}.u32(start).u64(began).u32(end);
    };
    decode(ipfix({}, {ipfix_template(256, {{22, 4}, {160, 8}, {21, 4}}), set(256, of(boot, 1'000, 3'000))}));
    ASSERT_TRUE(only().has(FlowField::kStart));
    ASSERT_TRUE(only().has(FlowField::kEnd));
    EXPECT_EQ(ms(only().start), static_cast<std::int64_t>(boot + 1'000));
    EXPECT_EQ(ms(only().end), static_cast<std::int64_t>(boot + 3'000));
    // Each record by its own, whatever options told; an uptime of more than 49.7 days has wrapped.
    constexpr std::uint64_t kWrap = 1ULL << 32U;
    decode(
        ipfix({}, {ipfix_options(257, {{149, 4}}, {{160, 8}}), set(257, WireBytes{}.u32(1).u64(boot - 777)),
                   set(256, of(boot - kWrap, 59'000, 59'500))}));
    EXPECT_EQ(ms(only().start), static_cast<std::int64_t>(boot + 59'000));
    EXPECT_EQ(ms(only().end), static_cast<std::int64_t>(boot + 59'500));
    for (const std::uint64_t absurd : {std::uint64_t{0}, ~std::uint64_t{0}}) {
        decode(ipfix({}, {set(256, of(absurd, 1'000, 3'000))}));
        EXPECT_FALSE(only().has(FlowField::kStart)) << absurd;
        EXPECT_FALSE(only().has(FlowField::kEnd)) << absurd;
    }
}

TEST_F(IpfixTest, AWithdrawalForgetsItsTemplateAlone) {
    decode(ipfix({}, {ipfix_template(256, kSmall), ipfix_template(257, kSmall)}));
    const DecodeReport report = decode(ipfix({}, {ipfix_withdrawal(256)}));
    EXPECT_EQ(report.templates, 0U);
    EXPECT_EQ(dropped(report), 0U);
    EXPECT_EQ(decode(ipfix({}, {set(256, small(1, 2, 3))})).sets_without_template, 1U);
    EXPECT_EQ(decode(ipfix({}, {set(257, small(1, 2, 3))})).flow_records, 1U);
}

TEST_F(IpfixTest, AWithdrawalOfAllForgetsTheDomainAlone) {
    decode(ipfix({.domain = 1}, {ipfix_template(256, kSmall), ipfix_options(300, {{149, 4}}, {{34, 4}})}));
    decode(ipfix({.domain = 2}, {ipfix_template(256, kSmall)}));
    decode(ipfix({.domain = 1}, {set(2, WireBytes{}.u16(2).u16(0))}));
    EXPECT_EQ(report_of().templates, 1U);
    EXPECT_EQ(report_of().options_templates, 1U);
    decode(ipfix({.domain = 1}, {set(3, WireBytes{}.u16(3).u16(0))}));
    EXPECT_EQ(report_of().options_templates, 0U);
    EXPECT_EQ(decode(ipfix({.domain = 2}, {set(256, small(1, 2, 3))})).flow_records, 1U);
}

TEST_F(IpfixTest, TheSequenceCountsDataRecordsOfFlowsAndOptions) {
    decode(ipfix({.sequence = 7},
                 {ipfix_template(256, kSmall), ipfix_options(257, {{149, 4}}, {{34, 4}}),
                  set(256, small(1, 2, 3).add(small(1, 2, 3))), set(257, WireBytes{}.u32(1).u32(10))}));
    EXPECT_EQ(decode(ipfix({.sequence = 10}, {set(256, small(1, 2, 3))})).lost_records, 0U);
    EXPECT_EQ(decode(ipfix({.sequence = 15}, {set(256, small(1, 2, 3))})).lost_records, 4U);
    EXPECT_EQ(report_of().lost_records, 4U);
}

TEST_F(IpfixTest, WhatCouldNotBeCountedIsNoLoss) {
    decode(ipfix({.sequence = 0}, {set(256, small(1, 2, 3))}));  // no template yet: one record or many?
    EXPECT_EQ(decode(ipfix({.sequence = 90}, {ipfix_template(256, kSmall)})).lost_records, 0U);
    EXPECT_EQ(decode(ipfix({.sequence = 95}, {})).lost_records, 5U);
}

TEST_F(IpfixTest, TheLengthOfTheMessageBoundsIt) {
    const std::vector<WireBytes> sets{ipfix_template(256, kSmall), set(256, small(1, 2, 3))};
    EXPECT_EQ(decode(ipfix({.longer = -16}, sets)).flow_records, 0U);
    const DecodeReport report = decode(ipfix({.longer = 4}, sets));
    EXPECT_EQ(report.flow_records, 1U) << "what is whole counts";
    EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U);
    EXPECT_EQ(dropped(decode(WireBytes{}.u16(10).u16(15).fill(12)), DropReason::kMalformed), 1U);
}

TEST_F(IpfixTest, ASampledFrameIsOnePacketOfItsFramesLength) {
    const WireBytes frame = ethernet(0x0800, ipv4({}, udp_datagram()));
    const WireBytes body = WireBytes{}.u16(1400).u8(frame.size()).add(frame);
    decode(ipfix({}, {ipfix_template(256, {{312, 2}, {315, kOpen}}), set_of_length(256, 4 + 53, body)}));
    ASSERT_EQ(body.size(), 53U);
    EXPECT_EQ(only().source, address("192.0.2.1"));
    EXPECT_EQ(only().destination, address("198.51.100.7"));
    EXPECT_EQ(only().destination_port, 443);
    EXPECT_EQ(only().protocol, 17);
    EXPECT_EQ(only().packets, 1U);
    EXPECT_EQ(only().bytes, 1400U);
    EXPECT_TRUE(only().has(FlowField::kOtherBytes) && only().has(FlowField::kOtherPackets));
}

TEST_F(IpfixTest, ASampledPacketTellsItsOwnLengthWhereNoFieldDoes) {
    const WireBytes packet = ipv4({.total = 900}, udp_datagram());
    decode(ipfix(
        {}, {ipfix_template(256, {{313, static_cast<std::uint16_t>(packet.size())}}), set(256, packet)}));
    EXPECT_EQ(only().bytes, 900U);
    EXPECT_EQ(only().destination_port, 443);
}

TEST_F(IpfixTest, AListInARecordIsSkippedByItsLength) {
    decode(ipfix({}, {ipfix_template(256, {{291, kOpen}, {1, 4}}),
                      set(256, WireBytes{}.u8(7).u8(0).u16(1).u16(4).u16(0xffff).u32(42))}));
    EXPECT_EQ(only().bytes, 42U);
}

}  // namespace
}  // namespace cam::decode
