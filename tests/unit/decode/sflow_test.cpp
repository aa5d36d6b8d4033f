// What sFlow v5 says, and what becomes of it.

#include <vector>

#include <gtest/gtest.h>

#include "unit/decode/sflow_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

TEST_F(SflowTest, ASampleIsOnePacketOfItsFrameLengthWithItsOwnRate) {
    const DecodeReport report = decode_samples({flow_sample({.rate = 4096}, {tcp_header()})});
    EXPECT_EQ(report.protocol, ExportProtocol::kSflow5);
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(report.bytes, 1518U)
        << "the frame with its FCS, as the spec has it, not what was captured of it";
    EXPECT_EQ(report.packets, 1U);
    EXPECT_EQ(dropped(report), 0U);
    ASSERT_EQ(sink_.kept.size(), 1U);
    const FlowRecord& record = sink_.kept.front();
    EXPECT_EQ(record.bytes, 1518U);
    EXPECT_EQ(record.packets, 1U);
    EXPECT_TRUE(record.has(FlowField::kBytes) && record.has(FlowField::kPackets));
    EXPECT_EQ(record.sampling.n(), 4096U);
    EXPECT_EQ(record.sampling_source, SamplingSource::kSflowSample);
    EXPECT_EQ(record.export_protocol, ExportProtocol::kSflow5);
    EXPECT_EQ(record.domain, 7U) << "the sub-agent";
    EXPECT_EQ(record.sampler, 3U) << "the data source: interface 3";
    EXPECT_EQ(record.input_interface, 3U);
    EXPECT_EQ(record.output_interface, 4U);
    EXPECT_EQ(record.source.text(), "192.0.2.1");
    EXPECT_EQ(record.destination.text(), "198.51.100.7");
    EXPECT_EQ(record.source_port, 40000);
    EXPECT_EQ(record.destination_port, 443);
    EXPECT_EQ(record.tcp_flags, tcp::kSyn);
}

TEST_F(SflowTest, StrippedBytesArePartOfTheFrameLengthAlready) {
    EXPECT_EQ(
        only({raw_header({.frame_length = 1522, .stripped = 8}, ethernet(0x0800, ipv4({}, udp_datagram())))})
            .bytes,
        1522U);
}

TEST_F(SflowTest, AnExpandedSampleSaysTheSameAsACompactOne) {
    const FlowSample about{.source_index = 9, .rate = 512, .input = 9, .output = 0x3fffffff};
    decode_samples({flow_sample(about, {tcp_header()}), expanded_flow_sample(about, {tcp_header()})});
    ASSERT_EQ(sink_.kept.size(), 2U);
    for (const FlowRecord& record : sink_.kept) {
        EXPECT_EQ(record.sampling.n(), 512U);
        EXPECT_EQ(record.sampler, 9U);
        EXPECT_EQ(record.input_interface, 9U);
        EXPECT_FALSE(record.has(FlowField::kOutputInterface)) << "the device itself";
        EXPECT_EQ(record.bytes, 1518U);
        EXPECT_EQ(record.destination_port, 443);
    }
    EXPECT_EQ(sink_.kept[0].fields, sink_.kept[1].fields);
}

TEST_F(SflowTest, InterfaceFormsThatAreNoIndexAreNoInterface) {
    for (const auto make : {flow_sample, expanded_flow_sample}) {
        decode_samples({make({.input = 0, .output = 0x8000'0005}, {tcp_header()}),
                        make({.input = 0x3fff'ffff, .output = 0x4000'0102}, {tcp_header()}),
                        make({.input = 1, .output = 0x4000'0003}, {tcp_header()})});
        ASSERT_EQ(sink_.kept.size(), 3U);
        EXPECT_FALSE(sink_.kept[0].has(FlowField::kInputInterface)) << "unknown";
        EXPECT_FALSE(sink_.kept[0].has(FlowField::kOutputInterface)) << "several";
        EXPECT_FALSE(sink_.kept[0].has(FlowField::kForwardingStatus));
        EXPECT_FALSE(sink_.kept[1].has(FlowField::kInputInterface)) << "the device itself";
        EXPECT_FALSE(sink_.kept[1].has(FlowField::kOutputInterface));
        EXPECT_EQ(sink_.kept[1].forwarding_status, 129) << "258 is an access list: dropped, ACL deny";
        EXPECT_EQ(sink_.kept[2].input_interface, 1U);
        EXPECT_EQ(sink_.kept[2].forwarding_status, 128) << "dropped, for a reason that IPFIX does not know";
        EXPECT_TRUE(sink_.kept[2].has(FlowField::kForwardingStatus));
    }
}

TEST_F(SflowTest, ARateOfZeroIsNotTold) {
    decode_samples({flow_sample({.rate = 0}, {tcp_header()})});
    ASSERT_EQ(sink_.kept.size(), 1U);
    EXPECT_EQ(sink_.kept[0].sampling_source, SamplingSource::kNone) << "so that the router's default counts";
    EXPECT_EQ(sink_.kept[0].sampling, SamplingRate::every());
}

TEST_F(SflowTest, ReadsTheHeaderProtocolsThatCarryIp) {
    const WireBytes packet = ipv4({}, udp_datagram());
    const std::vector<std::pair<std::uint32_t, WireBytes>> forms{
        {1, ethernet(0x0800, packet)},
        {7, WireBytes{0, 0x21}.add(packet)},
        {11, packet},
        {12, ipv6({}, udp_datagram())},
        {13, WireBytes{}.u32(0x113f).add(packet)},
        {14, WireBytes{0xff, 3, 0, 0x21}.add(packet)}};
    for (const auto& [link, frame] : forms) {
        const FlowRecord record = only({raw_header({.link = link}, frame)});
        EXPECT_TRUE(record.has(FlowField::kDestination)) << link;
        EXPECT_EQ(record.destination_port, 443) << link;
    }
    const FlowRecord wireless = only({raw_header({.link = 15}, ethernet(0x0800, packet))});
    EXPECT_FALSE(wireless.has(FlowField::kDestination)) << "802.11 is not read";
    EXPECT_EQ(wireless.bytes, 1518U) << "but its frame counts";
}

TEST_F(SflowTest, ReadsSampledIpv4AndCountsItsLengthWhereNoFrameIsTold) {
    const WireBytes body = WireBytes{}
                               .u32(1480)
                               .u32(6)
                               .add({192, 0, 2, 1, 198, 51, 100, 7})
                               .u32(40000)
                               .u32(443)
                               .u32(tcp::kSyn)
                               .u32(0xb8);
    const FlowRecord record = only({structure(3, body)});
    EXPECT_EQ(record.bytes, 1480U);
    EXPECT_EQ(record.protocol, 6);
    EXPECT_EQ(record.source.text(), "192.0.2.1");
    EXPECT_EQ(record.destination.text(), "198.51.100.7");
    EXPECT_EQ(record.source_port, 40000);
    EXPECT_EQ(record.destination_port, 443);
    EXPECT_EQ(record.tcp_flags, tcp::kSyn);
    EXPECT_EQ(record.tos, 0xb8);
    const FlowRecord both = only({tcp_header(), structure(3, body)});
    EXPECT_EQ(both.bytes, 1518U) << "the raw header wins, whatever the order";
    EXPECT_EQ(both.packets, 1U) << "and it is one packet";
}

TEST_F(SflowTest, ReadsSampledIpv6) {
    const WireBytes body = WireBytes{}
                               .u32(1400)
                               .u32(58)
                               .u32(0x20010db8)
                               .fill(11)
                               .u8(1)
                               .u32(0x20010db8)
                               .fill(11)
                               .u8(2)
                               .u32(40000)
                               .u32(443)
                               .u32(0)
                               .u32(0x20);
    const FlowRecord record = only({structure(4, body)});
    EXPECT_EQ(record.bytes, 1400U);
    EXPECT_EQ(record.destination.text(), "2001:db8::2");
    EXPECT_EQ(record.tos, 0x20);
    EXPECT_FALSE(record.has(FlowField::kSourcePort)) << "ICMPv6 has none, whatever stands there";
    EXPECT_FALSE(record.has(FlowField::kTcpFlags));
}

TEST_F(SflowTest, ReadsSampledEthernet) {
    const WireBytes body =
        WireBytes{}.u32(64).add({2, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0}).u32(0x0806);
    const FlowRecord record = only({structure(2, body)});
    EXPECT_EQ(record.bytes, 64U);
    EXPECT_EQ(record.ether_type, 0x0806);
    EXPECT_EQ(record.source_mac[5], 1);
    EXPECT_EQ(record.destination_mac[5], 2);
    EXPECT_FALSE(record.has(FlowField::kDestination));
}

TEST_F(SflowTest, TheLengthOfAFrameWinsOverThatOfThePacketInIt) {
    const WireBytes frame =
        structure(2, WireBytes{}.u32(1518).add({2, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0}).u32(0x0800));
    const WireBytes packet = structure(
        3, WireBytes{}.u32(1480).u32(17).add({192, 0, 2, 1, 198, 51, 100, 7}).u32(1).u32(2).u32(0).u32(0));
    EXPECT_EQ(only({frame, packet}).bytes, 1518U);
    EXPECT_EQ(only({packet, frame}).bytes, 1518U);
    EXPECT_EQ(only({packet, frame}).destination_port, 2);
}

TEST_F(SflowTest, ExtendedRecordsJoinThePacketInWhateverOrder) {
    const WireBytes switching = structure(1001, WireBytes{}.u32(100).u32(0).u32(200).u32(5));
    const WireBytes router = structure(1002, WireBytes{}.u32(1).add({203, 0, 113, 1}).u32(24).u32(22));
    const WireBytes gateway = structure(1003, WireBytes{}
                                                  .u32(2)
                                                  .u32(0x20010db8)
                                                  .fill(11)
                                                  .u8(9)
                                                  .u32(64500)
                                                  .u32(64501)
                                                  .u32(64502)
                                                  .u32(2)
                                                  .u32(2)
                                                  .u32(2)
                                                  .u32(64510)
                                                  .u32(64511)
                                                  .u32(1)
                                                  .u32(2)
                                                  .u32(64512)
                                                  .u32(64513)
                                                  .u32(1)
                                                  .u32(0xfde80064)
                                                  .u32(100));
    for (const auto& records : {std::vector{switching, router, gateway, tcp_header()},
                                std::vector{tcp_header(), gateway, router, switching}}) {
        const FlowRecord record = only(records);
        EXPECT_EQ(record.bytes, 1518U);
        EXPECT_EQ(record.destination_port, 443);
        EXPECT_EQ(record.source_vlan, 100);
        EXPECT_EQ(record.destination_vlan, 200);
        EXPECT_EQ(record.next_hop.text(), "203.0.113.1");
        EXPECT_EQ(record.source_mask, 24);
        EXPECT_EQ(record.destination_mask, 22);
        EXPECT_EQ(record.bgp_next_hop.text(), "2001:db8::9");
        EXPECT_EQ(record.source_as, 64501U);
        EXPECT_EQ(record.destination_as, 64513U) << "the last of the path";
    }
}

TEST_F(SflowTest, AnEmptyAsPathNamesNoDestinationAs) {
    const FlowRecord record =
        only({tcp_header(),
              structure(1003, WireBytes{}.u32(0).u32(64500).u32(64501).u32(0).u32(0).u32(0).u32(0))});
    EXPECT_TRUE(record.has(FlowField::kSourceAs));
    EXPECT_FALSE(record.has(FlowField::kDestinationAs));
    EXPECT_FALSE(record.has(FlowField::kBgpNextHop)) << "address type 0: unknown";
}

TEST_F(SflowTest, NoVlanIsNone) {
    const FlowRecord record =
        only({tcp_header(), structure(1001, WireBytes{}.u32(0).u32(0).u32(0xffffffff).u32(0))});
    EXPECT_FALSE(record.has(FlowField::kSourceVlan));
    EXPECT_FALSE(record.has(FlowField::kDestinationVlan));
}

TEST_F(SflowTest, UnknownRecordsAreSkippedByTheirLength) {
    const FlowRecord record = only({structure(1 << 12 | 1, WireBytes{}.fill(64, 0xff)), structure(1012, {}),
                                    tcp_header(), structure(4040, WireBytes{}.fill(3))});
    EXPECT_EQ(record.destination_port, 443);
}

TEST_F(SflowTest, ASampleWithoutAnyKnownRecordIsStillOnePacket) {
    const FlowRecord record = only({structure(1004, WireBytes{}.fill(16))});
    EXPECT_TRUE(record.has(FlowField::kPackets));
    EXPECT_FALSE(record.has(FlowField::kBytes)) << "of a length that nobody has told";
}

TEST_F(SflowTest, CounterSamplesAndDiscardedPacketsAreCountedAndNoTraffic) {
    const WireBytes discarded =
        structure(5, WireBytes{}.u32(1).u32(0).u32(3).u32(0).u32(3).u32(0).u32(258).u32(1).add(tcp_header()));
    const DecodeReport report =
        decode_samples({counter_sample(2), counter_sample(4), discarded, flow_sample({}, {tcp_header()})});
    EXPECT_EQ(report.counter_samples, 2U);
    EXPECT_EQ(report.discarded_packets, 1U);
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(report.packets, 1U);
    EXPECT_EQ(dropped(report), 0U);
}

TEST_F(SflowTest, SamplesOfOtherFormatsAreSkippedAndSaid) {
    const DecodeReport report = decode_samples(
        {structure(9 << 12 | 1, WireBytes{}.fill(20)), structure(6, {}), flow_sample({}, {tcp_header()})});
    EXPECT_EQ(dropped(report, DropReason::kUnsupported), 2U);
    EXPECT_EQ(report.flow_records, 1U);
}

TEST_F(SflowTest, OlderVersionsAreUnsupportedAndOthersUnknown) {
    for (const std::uint32_t version : {2U, 4U}) {
        const DecodeReport report =
            decode(sflow_datagram({.version = version}, {flow_sample({}, {tcp_header()})}));
        EXPECT_EQ(report.protocol, std::nullopt);
        EXPECT_EQ(dropped(report, DropReason::kUnsupported), 1U);
        EXPECT_EQ(report.flow_records, 0U);
    }
    EXPECT_EQ(dropped(decode(sflow_datagram({.version = 6}, {})), DropReason::kUnknownVersion), 1U);
    EXPECT_EQ(dropped(decode(WireBytes{0, 0}), DropReason::kUnknownVersion), 1U);
}

TEST_F(SflowTest, AnIpv6AgentIsUnderstood) {
    const WireBytes agent = WireBytes{}.u32(0x20010db8).fill(11).u8(1);
    const DecodeReport report =
        decode(sflow_datagram({.address_type = 2, .agent = agent}, {flow_sample({}, {tcp_header()})}));
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(dropped(report), 0U);
}

}  // namespace
}  // namespace cam::decode
