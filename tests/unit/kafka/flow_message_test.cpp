#include "cam/kafka/flow_message.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/model/flow_records.h"

namespace cam::kafka {
namespace {

using std::chrono::milliseconds;

const ExporterKey kRouter{*IpAddress::parse("203.0.113.7")};
const WallTime kReceived{milliseconds{1'795'780'000'123}};

/// A reader of protobuf that knows nothing of FlowMessage.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(rest_.at(0));
            rest_.remove_prefix(1);
            value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
            if (byte < 0x80) break;
        }
        return value;
    }
    std::string_view bytes(std::size_t length) {
        EXPECT_LE(length, rest_.size());
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(taken.size());
        return taken;
    }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

struct Message {
    std::map<std::uint64_t, std::uint64_t> numbers;
    std::map<std::uint64_t, std::string> texts;
    [[nodiscard]] std::uint64_t number(std::uint64_t field) const {
        const auto found = numbers.find(field);
        return found == numbers.end() ? 0 : found->second;
    }
};

std::vector<Message> parsed(std::string_view stream) {
    std::vector<Message> out;
    Reader reader{stream};
    while (!reader.at_end()) {
        Reader fields{reader.bytes(reader.varint())};
        Message& message = out.emplace_back();
        while (!fields.at_end()) {
            const std::uint64_t tag = fields.varint();
            if ((tag & 7U) == 0) {
                EXPECT_TRUE(message.numbers.emplace(tag >> 3U, fields.varint()).second) << "twice";
            } else {
                EXPECT_EQ(tag & 7U, 2U);
                EXPECT_TRUE(message.texts.emplace(tag >> 3U, fields.bytes(fields.varint())).second);
            }
        }
    }
    return out;
}

Message message_of(const FlowRecord& record) {
    std::string bytes;
    append_flow_message(kRouter, kReceived, record, bytes);
    const std::vector<Message> all = parsed(bytes);
    EXPECT_EQ(all.size(), 1U);
    return all.at(0);
}

FlowRecord small_record() {
    FlowRecord record = test::flow(test::address("192.0.2.1"),
                                   {.packets = 2, .one_in = std::nullopt, .source = "198.51.100.9"});
    record.export_protocol = ExportProtocol::kNetflow9;
    return record;
}

TEST(FlowMessageTest, CarriesWhatCountsUnderTheNumbersOfGoFlow2) {
    FlowRecord record = small_record();
    record.sampling = *SamplingRate::one_in(4'000);
    record.sampling_source = SamplingSource::kOptions;
    record.domain = 77;
    const Message message = message_of(record);
    EXPECT_EQ(message.number(1), 3U) << "NetFlow v9";
    EXPECT_EQ(message.number(110), 1'795'780'000'123'000'000U);
    EXPECT_EQ(message.number(3), 4'000U);
    EXPECT_EQ(message.number(9), 1'000U);
    EXPECT_EQ(message.number(10), 2U);
    EXPECT_EQ(message.number(20), 17U);
    EXPECT_EQ(message.number(30), 0x0800U);
    EXPECT_EQ(message.number(70), 77U);
    EXPECT_EQ(message.texts.at(11), (std::string{"\xcb\x00\x71\x07", 4}));
    EXPECT_EQ(message.texts.at(6), "\xc6\x33\x64\x09");
    EXPECT_EQ(message.texts.at(7), (std::string{"\xc0\x00\x02\x01", 4}));
}

TEST(FlowMessageTest, ARateThatNobodyToldIsLeftToTheReadersDefault) {
    FlowRecord record = small_record();
    EXPECT_FALSE(message_of(record).numbers.contains(3));
    record.sampling_source = SamplingSource::kRecord;
    EXPECT_EQ(message_of(record).number(3), 1U) << "told to be 1";
}

TEST(FlowMessageTest, AFieldThatIsNotPresentIsNotWrittenWhateverItsMemberHolds) {
    FlowRecord record;
    record.source_port = 53;
    record.tcp_flags = 2;
    record.ttl = 64;
    record.mpls_label = 9;
    record.next_hop = *IpAddress::parse("192.0.2.9");
    record.ether_type = 0x0806;
    const Message message = message_of(record);
    EXPECT_EQ(message.numbers.size(), 2U) << "type and time only";
    EXPECT_EQ(message.texts.size(), 1U) << "the exporter only";
}

TEST(FlowMessageTest, ASampledPacketOfSflowIsAsOldAsItsDatagram) {
    FlowRecord record = small_record();
    record.export_protocol = ExportProtocol::kSflow5;
    record.domain = 5;
    const Message message = message_of(record);
    EXPECT_EQ(message.number(1), 1U);
    EXPECT_EQ(message.number(111), message.number(110));
    EXPECT_EQ(message.number(112), message.number(110));
    EXPECT_EQ(message.number(70), 0U) << "a sub-agent is no observation domain";
}

TEST(FlowMessageTest, EveryOtherFieldHasItsNumber) {
    FlowRecord record = small_record();
    record.fields.add({FlowField::kSourcePort,
                       FlowField::kDestinationPort,
                       FlowField::kTcpFlags,
                       FlowField::kInputInterface,
                       FlowField::kOutputInterface,
                       FlowField::kSourceAs,
                       FlowField::kDestinationAs,
                       FlowField::kStart,
                       FlowField::kEnd,
                       FlowField::kTos,
                       FlowField::kTtl,
                       FlowField::kIcmp,
                       FlowField::kSourceMask,
                       FlowField::kDestinationMask,
                       FlowField::kNextHop,
                       FlowField::kBgpNextHop,
                       FlowField::kSourceMac,
                       FlowField::kDestinationMac,
                       FlowField::kSourceVlan,
                       FlowField::kDestinationVlan,
                       FlowField::kEtherType,
                       FlowField::kFragment,
                       FlowField::kIpv6FlowLabel,
                       FlowField::kForwardingStatus,
                       FlowField::kMplsLabel});
    record.source_port = 1;
    record.destination_port = 2;
    record.tcp_flags = 3;
    record.input_interface = 4;
    record.output_interface = 5;
    record.source_as = 4'200'000'001;
    record.destination_as = 7;
    record.start = WallTime{milliseconds{8}};
    record.end = WallTime{milliseconds{9}};
    record.tos = 10;
    record.ttl = 11;
    record.icmp_type = 12;
    record.icmp_code = 13;
    record.source_mask = 14;
    record.destination_mask = 15;
    record.source_mac = {0, 1, 2, 3, 4, 5};
    record.destination_mac = {0xff, 0, 0, 0, 0, 1};
    record.source_vlan = 16;
    record.destination_vlan = 17;
    record.ether_type = 0x8847;  // GoFlow2 tells what lies behind the labels
    record.fragment_id = 18;
    record.fragment_offset = 19;
    record.ipv6_flow_label = 20;
    record.forwarding_status = 21;
    record.mpls_label = 300;
    record.next_hop = *IpAddress::parse("2001:db8::1");
    record.bgp_next_hop = *IpAddress::parse("192.0.2.200");
    const Message message = message_of(record);
    const std::map<std::uint64_t, std::uint64_t> expected{{21, 1},
                                                          {22, 2},
                                                          {26, 3},
                                                          {18, 4},
                                                          {19, 5},
                                                          {14, 4'200'000'001},
                                                          {15, 7},
                                                          {111, 8'000'000},
                                                          {112, 9'000'000},
                                                          {23, 10},
                                                          {25, 11},
                                                          {31, 12},
                                                          {32, 13},
                                                          {16, 14},
                                                          {17, 15},
                                                          {33, 16},
                                                          {29, 16},
                                                          {34, 17},
                                                          {35, 18},
                                                          {36, 19},
                                                          {37, 20},
                                                          {24, 21},
                                                          {27, 0x0102030405},
                                                          {30, 0x0800},
                                                          {28, 0xff0000000001}};
    for (const auto& [field, value] : expected) EXPECT_EQ(message.number(field), value) << field;
    EXPECT_EQ(message.texts.at(81), "\xac\x02") << "packed";
    EXPECT_EQ(message.texts.at(12).size(), 16U);
    EXPECT_EQ(message.texts.at(100).size(), 4U);
}

TEST(FlowMessageTest, TheLargestValuesFitAndTheOrderOfMessagesStays) {
    FlowRecord record = small_record();
    record.bytes = record.packets = ~std::uint64_t{0};
    record.source = record.destination = *IpAddress::parse("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    record.export_protocol = ExportProtocol::kIpfix;
    std::string bytes;
    append_flow_message(kRouter, kReceived, record, bytes);
    const std::size_t first = bytes.size();
    record.packets = 5;
    append_flow_message(kRouter, kReceived, record, bytes);
    EXPECT_LT(first, 300U);
    const std::vector<Message> all = parsed(bytes);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].number(10), ~std::uint64_t{0});
    EXPECT_EQ(all[0].number(30), 0x86ddU);
    EXPECT_EQ(all[1].number(10), 5U);
}

}  // namespace
}  // namespace cam::kafka
