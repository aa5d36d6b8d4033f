#include "cam/decode/packet_header.h"

#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "unit/decode/packets.h"

namespace cam::decode {
namespace {

using namespace test;

struct Read {
    FlowRecord record;
    std::optional<std::uint32_t> length;
    PacketHeader told{};
};

Read read(const WireBytes& frame, LinkType link = LinkType::kEthernet) {
    Read out;
    out.told = decode_packet_header(ByteReader{frame.span()}, link, out.record);
    out.length = out.told.length;
    return out;
}

bool has_addresses(const FlowRecord& record) {
    return record.has(FlowField::kSource) && record.has(FlowField::kDestination);
}
bool has_ports(const FlowRecord& record) {
    return record.has(FlowField::kSourcePort) && record.has(FlowField::kDestinationPort);
}
void expect_v4(const FlowRecord& record) {
    ASSERT_TRUE(has_addresses(record));
    EXPECT_EQ(record.source.text(), "192.0.2.1");
    EXPECT_EQ(record.destination.text(), "198.51.100.7");
}
void expect_v6(const FlowRecord& record) {
    ASSERT_TRUE(has_addresses(record));
    EXPECT_EQ(record.source.text(), "2001:db8::1");
    EXPECT_EQ(record.destination.text(), "2001:db8::2");
}
void expect_ports(const FlowRecord& record) {
    ASSERT_TRUE(has_ports(record));
    EXPECT_EQ(record.source_port, 40000);
    EXPECT_EQ(record.destination_port, 443);
}

TEST(PacketHeaderTest, ReadsAllThatEthernetIpv4AndTcpTell) {
    const auto [record, length, told] =
        read(ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(tcp::kSyn | 0x100))));
    expect_v4(record);
    expect_ports(record);
    EXPECT_EQ(length, 40U);
    EXPECT_EQ(record.protocol, 6);
    EXPECT_EQ(record.tcp_flags, tcp::kSyn | 0x100) << "nine bits: NS too";
    EXPECT_EQ(record.tos, 0xb8);
    EXPECT_EQ(record.ttl, 61);
    EXPECT_EQ(record.ether_type, 0x0800);
    EXPECT_EQ(record.source_mac, (std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 1}));
    EXPECT_EQ(record.destination_mac, (std::array<std::uint8_t, 6>{2, 0, 0, 0, 0, 2}));
    const FlowFields all{FlowField::kSource,    FlowField::kDestination,   FlowField::kSourcePort,
                         FlowField::kProtocol,  FlowField::kTcpFlags,      FlowField::kDestinationPort,
                         FlowField::kTos,       FlowField::kTtl,           FlowField::kEtherType,
                         FlowField::kSourceMac, FlowField::kDestinationMac};
    EXPECT_EQ(record.fields, all) << "and nothing else: no bytes, no packets, no VLAN, no fragment";
}

TEST(PacketHeaderTest, ReadsIpv6AndItsFlowLabel) {
    const auto [record, length, told] = read(ethernet(0x86dd, ipv6({}, udp_datagram())));
    expect_v6(record);
    expect_ports(record);
    EXPECT_EQ(length, 56U);
    EXPECT_EQ(record.protocol, 17);
    EXPECT_EQ(record.tos, 0xb8);
    EXPECT_EQ(record.ttl, 64);
    EXPECT_EQ(record.ipv6_flow_label, 0x12345U);
    EXPECT_TRUE(record.has(FlowField::kIpv6FlowLabel));
}

TEST(PacketHeaderTest, FindsThePacketBehindAnyNumberOfTagsAndTellsTheOuterVlan) {
    const WireBytes packet = ipv4({}, udp_datagram());
    const auto one = read(ethernet(0x0800, packet, {0x8100'0064})).record;
    expect_v4(one);
    EXPECT_EQ(one.source_vlan, 100);
    for (const std::uint32_t outer : {0x88a8'20c8U, 0x9100'00c8U, 0x9200'00c8U, 0x8100'00c8U}) {
        const auto two = read(ethernet(0x0800, packet, {outer, 0x8100'0064})).record;
        expect_v4(two);
        expect_ports(two);
        EXPECT_EQ(two.source_vlan, 200);
        EXPECT_EQ(two.ether_type, 0x0800);
    }
    const auto many =
        read(ethernet(0x0800, packet, {0x8100'0001, 0x8100'0002, 0x8100'0003, 0x8100'0004})).record;
    expect_v4(many);
    EXPECT_EQ(many.source_vlan, 1);
}

TEST(PacketHeaderTest, APriorityTagIsNoVlan) {
    const auto record = read(ethernet(0x0800, ipv4({}, udp_datagram()), {0x8100'e000})).record;
    expect_v4(record);
    EXPECT_FALSE(record.has(FlowField::kSourceVlan));
}

TEST(PacketHeaderTest, ReadsIpInSnapAndNoOtherLlc) {
    const WireBytes packet = ipv4({}, udp_datagram());
    const WireBytes snap = WireBytes{0xaa, 0xaa, 0x03, 0, 0, 0}.u16(0x0800).add(packet);
    const auto record = read(ethernet(static_cast<std::uint16_t>(snap.size()), snap)).record;
    expect_v4(record);
    expect_ports(record);
    EXPECT_EQ(record.ether_type, 0x0800);
    const WireBytes bpdu = WireBytes{0x42, 0x42, 0x03, 0, 0, 0, 0, 0, 0}.fill(30);
    EXPECT_FALSE(has_addresses(read(ethernet(39, bpdu)).record));
    const WireBytes cisco = WireBytes{0xaa, 0xaa, 0x03, 0, 0, 0x0c}.u16(0x0800).add(packet);
    EXPECT_FALSE(has_addresses(read(ethernet(60, cisco)).record))
        << "another organization's types are its own";
    EXPECT_FALSE(has_addresses(read(ethernet(12, snap)).record)) << "802.3 length is shorter than the packet";
}

TEST(PacketHeaderTest, ReadsIpBehindALabelStackAndTellsTheTopLabel) {
    const WireBytes four =
        WireBytes{}.u32(0x0003'e03f).u32(0x0007'd03f).u32(0x0000'013f).add(ipv4({}, udp_datagram()));
    const auto record = read(ethernet(0x8847, four)).record;
    expect_v4(record);
    expect_ports(record);
    EXPECT_EQ(record.mpls_label, 0x3eU);
    EXPECT_TRUE(record.has(FlowField::kMplsLabel));
    const WireBytes six = WireBytes{}.u32(0x0000'213f).add(ipv6({}, udp_datagram()));
    expect_v6(read(ethernet(0x8848, six)).record);
    expect_v6(read(six, LinkType::kMpls).record);
}

TEST(PacketHeaderTest, APseudowireBehindALabelIsNotTakenForIp) {
    const WireBytes wire =
        WireBytes{}.u32(0x0000'213f).u32(0).add(ethernet(0x0800, ipv4({}, udp_datagram())));
    const auto record = read(ethernet(0x8847, wire)).record;
    EXPECT_FALSE(has_addresses(record));
    EXPECT_EQ(record.mpls_label, 2U);
}

TEST(PacketHeaderTest, AStackWithoutBottomEnds) {  // nfdump 1.7.9: sFlow MPLS overflow
    const auto record = read(ethernet(0x8847, WireBytes{}.fill(120))).record;
    EXPECT_FALSE(has_addresses(record));
    EXPECT_TRUE(record.has(FlowField::kMplsLabel));
}

TEST(PacketHeaderTest, TagsWithoutEndEnd) {  // nfdump 1.7.9: sFlow VLAN overflow
    WireBytes frame{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    for (int i = 0; i < 29; ++i) frame.u32(0x8100'0007);
    const auto record = read(frame).record;
    EXPECT_FALSE(record.has(FlowField::kEtherType));
    EXPECT_EQ(record.source_vlan, 7);
}

TEST(PacketHeaderTest, ReadsPppWithAndWithoutAddressAndControl) {
    const WireBytes packet = ipv4({}, udp_datagram());
    expect_v4(read(WireBytes{0x00, 0x21}.add(packet), LinkType::kPpp).record);
    expect_v4(read(WireBytes{0xff, 0x03, 0x00, 0x21}.add(packet), LinkType::kPpp).record);
    expect_v6(read(WireBytes{0x00, 0x57}.add(ipv6({}, udp_datagram())), LinkType::kPpp).record);
    expect_v4(read(WireBytes{0x02, 0x81}.u32(0x13f).add(packet), LinkType::kPpp).record);
    EXPECT_EQ(read(WireBytes{0xc0, 0x21}.add(packet), LinkType::kPpp).record.fields, FlowFields{});
    const WireBytes session = WireBytes{0x11, 0x00, 0x00, 0x07, 0x00, 0x26, 0x00, 0x21}.add(packet);
    expect_v4(read(ethernet(0x8864, session)).record);
}

TEST(PacketHeaderTest, TellsTheCarrierOfATunnel) {
    const WireBytes inner = ipv4({.protocol = 6}, tcp_segment(tcp::kAck));
    struct Case {
        std::uint8_t protocol;
        WireBytes payload;
    };
    for (const Case& tunnel :
         {Case{47, WireBytes{0, 0, 8, 0}.add(inner)}, Case{4, inner}, Case{41, ipv6({}, udp_datagram())}}) {
        const auto record =
            read(ethernet(0x0800, ipv4({.protocol = tunnel.protocol}, tunnel.payload))).record;
        expect_v4(record);
        EXPECT_EQ(record.protocol, tunnel.protocol);
        EXPECT_FALSE(has_ports(record));
        EXPECT_FALSE(record.has(FlowField::kTcpFlags));
    }
    const WireBytes vxlan = WireBytes{}.u16(50000).u16(4789).u16(100).u16(0).add({8, 0, 0, 0, 0, 0, 7, 0});
    const auto record =
        read(ethernet(0x0800, ipv4({}, WireBytes{vxlan}.add(ethernet(0x86dd, ipv6({}, udp_datagram()))))))
            .record;
    expect_v4(record);
    EXPECT_EQ(record.source_port, 50000);
    EXPECT_EQ(record.destination_port, 4789);
}

TEST(PacketHeaderTest, SkipsIpv4Options) {
    expect_ports(read(ethernet(0x0800, ipv4({.words = 15}, udp_datagram()))).record);
}

TEST(PacketHeaderTest, AnIpv4HeaderLongerThanWhatWasCapturedHasNoPorts) {  // FastNetMon CVE-2026-48682
    const auto record = read(ethernet(0x0800, ipv4({.words = 15}, udp_datagram()).cut(24))).record;
    expect_v4(record);
    EXPECT_FALSE(has_ports(record));
}

TEST(PacketHeaderTest, AnIpv4HeaderLongerThanItsPacketHasNoPorts) {  // FastNetMon CVE-2026-48682
    const auto record = read(ethernet(0x0800, ipv4({.words = 15, .total = 40}, udp_datagram()))).record;
    expect_v4(record);
    EXPECT_FALSE(has_ports(record));
}

TEST(PacketHeaderTest, AnIpv4HeaderOfLessThanTwentyBytesIsNone) {  // FastNetMon CVE-2026-48682
    for (std::uint8_t words = 0; words < 5; ++words) {
        const auto [record, length, told] = read(ethernet(0x0800, ipv4({.words = words}, udp_datagram())));
        EXPECT_FALSE(has_addresses(record));
        EXPECT_EQ(length, std::nullopt);
    }
}

TEST(PacketHeaderTest, PaddingBehindTheIpPacketIsNotReadAsPorts) {
    const auto v4 = read(ethernet(0x0800, ipv4({.total = 20}, udp_datagram()))).record;
    expect_v4(v4);
    EXPECT_FALSE(has_ports(v4));
    const auto v6 = read(ethernet(0x86dd, ipv6({.payload_bytes = 3}, udp_datagram()))).record;
    expect_v6(v6);
    EXPECT_FALSE(has_ports(v6));
}

TEST(PacketHeaderTest, ALengthOfZeroIsTakenForSegmentationOffload) {
    const auto v4 = read(ethernet(0x0800, ipv4({.total = 0}, udp_datagram())));
    expect_ports(v4.record);
    EXPECT_EQ(v4.length, std::nullopt);
    const auto v6 = read(ethernet(0x86dd, ipv6({.payload_bytes = 0}, udp_datagram())));
    expect_ports(v6.record);
    EXPECT_EQ(v6.length, std::nullopt);
}

TEST(PacketHeaderTest, TellsTheLengthOfTheWholePacketNotOfTheCapturedPart) {
    EXPECT_EQ(read(ipv4({.total = 1500}, udp_datagram()), LinkType::kIp).length, 1500U);
    EXPECT_EQ(read(ipv6({.payload_bytes = 1460}, udp_datagram()), LinkType::kIp).length, 1500U);
}

TEST(PacketHeaderTest, TellsThePayloadAndWhetherItIsWhole) {
    const WireBytes frame = ethernet(0x0800, ipv4({.words = 6}, udp_datagram(8))).fill(10);
    const Read whole = read(frame);
    EXPECT_EQ(whole.told.payload.remaining(), 16U) << "without the padding of the link";
    EXPECT_FALSE(whole.told.is_cut);
    const Read cut = read(frame.cut(14 + 24 + 15));
    EXPECT_EQ(cut.told.payload.remaining(), 15U);
    EXPECT_TRUE(cut.told.is_cut);
    const Read six =
        read(ethernet(0x86dd, ipv6({.next_header = 60}, WireBytes{17, 0}.fill(6).add(udp_datagram(8)))));
    EXPECT_EQ(six.told.payload.remaining(), 16U) << "behind the extension headers";
    EXPECT_TRUE(read(ethernet(0x0800, ipv4({.fragment = 0x2000}, udp_datagram()))).told.more_fragments);
    const Read last =
        read(ethernet(0x86dd, ipv6({.next_header = 44}, WireBytes{17, 0}.u16(8).u32(1).fill(24))));
    EXPECT_FALSE(last.told.more_fragments);
    EXPECT_EQ(last.told.payload.remaining(), 24U);
    EXPECT_TRUE(read(ethernet(0x0806, WireBytes{}.fill(46))).told.payload.empty());
}

TEST(PacketHeaderTest, ReadsFromTheEtherTypeOn) {
    const WireBytes tagged = WireBytes{}.u16(0x8100).u16(5).u16(0x0800).add(ipv4({}, udp_datagram()));
    const auto record = read(tagged, LinkType::kEtherType).record;
    expect_v4(record);
    EXPECT_EQ(record.source_vlan, 5);
    EXPECT_FALSE(record.has(FlowField::kSourceMac));
}

TEST(PacketHeaderTest, OnlyTheFirstIpv4FragmentHasPorts) {
    const auto first = read(ethernet(0x0800, ipv4({.fragment = 0x2000}, udp_datagram()))).record;
    expect_ports(first);
    EXPECT_TRUE(first.has(FlowField::kFragment));
    EXPECT_EQ(first.fragment_id, 0x1234U);
    EXPECT_EQ(first.fragment_offset, 0);
    const auto later = read(ethernet(0x0800, ipv4({.fragment = 0x20b9}, udp_datagram()))).record;
    expect_v4(later);
    EXPECT_EQ(later.fragment_offset, 185);
    EXPECT_FALSE(has_ports(later));
    const auto whole = read(ethernet(0x0800, ipv4({.fragment = 0x4000}, udp_datagram()))).record;
    EXPECT_FALSE(whole.has(FlowField::kFragment)) << "don't fragment is no fragment";
}

TEST(PacketHeaderTest, OnlyTheFirstIpv6FragmentHasPorts) {  // FastNetMon GHSA-jmjw-392h-4g93
    const auto fragment = [](std::uint16_t offset_and_more) {
        return WireBytes{17, 0}.u16(offset_and_more).u32(0xcafe).add(udp_datagram());
    };
    const auto first = read(ethernet(0x86dd, ipv6({.next_header = 44}, fragment(1)))).record;
    expect_ports(first);
    EXPECT_EQ(first.fragment_id, 0xcafeU);
    const auto later = read(ethernet(0x86dd, ipv6({.next_header = 44}, fragment(185 << 3)))).record;
    expect_v6(later);
    EXPECT_EQ(later.protocol, 17);
    EXPECT_EQ(later.fragment_offset, 185);
    EXPECT_FALSE(has_ports(later));
}

TEST(PacketHeaderTest, FollowsEveryKindOfIpv6ExtensionHeader) {
    WireBytes chain;
    chain.add({60, 0}).fill(6);    // hop-by-hop, then destination options
    chain.add({43, 1}).fill(14);   // destination options, then routing
    chain.add({51, 0}).fill(6);    // routing, then authentication
    chain.add({135, 4}).fill(22);  // authentication: (4 + 2) * 4, then mobility
    chain.add({139, 0}).fill(6);   // mobility, then host identity
    chain.add({140, 0}).fill(6);   // host identity, then shim6
    chain.add({44, 0}).fill(6);    // shim6, then fragment
    chain.add({17, 0, 0, 1}).u32(9).add(udp_datagram());
    const auto record = read(ethernet(0x86dd, ipv6({.next_header = 0}, chain))).record;
    EXPECT_EQ(record.protocol, 17);
    expect_ports(record);
}

TEST(PacketHeaderTest, AChainOfExtensionHeadersWithoutEndEnds) {
    WireBytes chain;
    for (int i = 0; i < 8000; ++i) chain.add({0, 0}).fill(6);
    const auto record = read(ipv6({.next_header = 0}, chain), LinkType::kIp).record;
    expect_v6(record);
    EXPECT_EQ(record.protocol, 0);
    EXPECT_FALSE(has_ports(record));
}

TEST(PacketHeaderTest, AnExtensionHeaderThatIsCutTellsWhatFollowsItAndNoPorts) {
    const auto record =
        read(ethernet(0x86dd, ipv6({.next_header = 43}, WireBytes{17, 200}.fill(6).add(udp_datagram()))))
            .record;
    expect_v6(record);
    EXPECT_EQ(record.protocol, 17);
    EXPECT_FALSE(has_ports(record));
    const auto unread = read(ethernet(0x86dd, ipv6({.next_header = 43}, WireBytes{17, 0}))).record;
    EXPECT_EQ(unread.protocol, 43);
}

TEST(PacketHeaderTest, ReadsIcmpTypeAndCode) {
    const auto v4 = read(ethernet(0x0800, ipv4({.protocol = 1}, WireBytes{3, 4}.fill(6)))).record;
    EXPECT_TRUE(v4.has(FlowField::kIcmp));
    EXPECT_EQ(v4.icmp_type, 3);
    EXPECT_EQ(v4.icmp_code, 4);
    EXPECT_FALSE(has_ports(v4));
    const auto v6 = read(ethernet(0x86dd, ipv6({.next_header = 58}, WireBytes{129, 0}.fill(6)))).record;
    EXPECT_EQ(v6.icmp_type, 129);
}

TEST(PacketHeaderTest, TcpFlagsMustBeCapturedPortsMayBeAlone) {
    const auto record =
        read(ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(tcp::kSyn))).cut(14 + 20 + 13)).record;
    expect_ports(record);
    EXPECT_FALSE(record.has(FlowField::kTcpFlags));
}

TEST(PacketHeaderTest, ReadsThePortsOfEveryProtocolThatHasThem) {
    for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{6, 17, 33, 132, 136}) {
        expect_ports(read(ipv4({.protocol = protocol}, tcp_segment(0)), LinkType::kIp).record);
    }
    EXPECT_FALSE(has_ports(read(ipv4({.protocol = 50}, tcp_segment(0)), LinkType::kIp).record)) << "ESP";
}

TEST(PacketHeaderTest, AVersionThatContradictsTheEtherTypeIsNotRead) {
    EXPECT_FALSE(has_addresses(read(ethernet(0x86dd, ipv4({}, udp_datagram()).fill(40))).record));
    EXPECT_FALSE(has_addresses(read(ethernet(0x0800, ipv6({}, udp_datagram()))).record));
    EXPECT_FALSE(has_addresses(read(ethernet(0x0806, ipv4({}, udp_datagram()))).record)) << "ARP";
}

TEST(PacketHeaderTest, WhatWasReadBeforeTheCutStays) {
    const WireBytes frame = ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(tcp::kSyn)), {0x8100'0064});
    for (std::size_t size = 0; size <= frame.size(); ++size) {
        const auto record = read(frame.cut(size)).record;
        EXPECT_EQ(record.has(FlowField::kDestinationMac), size >= 12) << size;
        EXPECT_EQ(record.has(FlowField::kSourceVlan), size >= 16) << size;
        EXPECT_EQ(has_addresses(record), size >= 38) << size;
        EXPECT_EQ(has_ports(record), size >= 42) << size;
        EXPECT_EQ(record.has(FlowField::kTcpFlags), size >= 52) << size;
    }
}

TEST(PacketHeaderTest, NoiseNeverTouchesCountsAndSampling) {
    std::mt19937 random{7};  // NOLINT: the same noise each time
    const WireBytes good = ethernet(
        0x86dd, ipv6({.next_header = 0}, WireBytes{44, 0}.fill(6).add(udp_datagram(40))), {0x8100'0064});
    for (int round = 0; round < 20'000; ++round) {
        WireBytes bad = good.cut(random() % (good.size() + 1));
        for (int i = 0; i < 4 && bad.size() > 0; ++i) {
            bad.vector()[random() % bad.size()] = static_cast<std::uint8_t>(random());
        }
        for (const LinkType link : {LinkType::kEthernet, LinkType::kPpp, LinkType::kIp, LinkType::kMpls}) {
            const auto record = read(bad, link).record;
            ASSERT_FALSE(record.has(FlowField::kBytes) || record.has(FlowField::kPackets));
            ASSERT_EQ(record.bytes + record.packets, 0U);
            ASSERT_EQ(record.sampling, SamplingRate::every());
            ASSERT_TRUE(!has_ports(record) || has_addresses(record));
        }
    }
}

}  // namespace
}  // namespace cam::decode
