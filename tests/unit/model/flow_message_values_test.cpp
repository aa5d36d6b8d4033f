#include "cam/model/flow_message_values.h"

#include <gtest/gtest.h>

#include "fakes/model/flow_records.h"

namespace cam {
namespace {

FlowRecord with_ether_type(FlowRecord record, std::uint16_t type) {
    record.fields.add(FlowField::kEtherType);
    record.ether_type = type;
    return record;
}

TEST(FlowMessageValuesTest, ProtocolsHaveTheNumbersOfGoFlow2) {
    EXPECT_EQ(flow_message::type(ExportProtocol::kSflow5), 1);
    EXPECT_EQ(flow_message::type(ExportProtocol::kNetflow5), 2);
    EXPECT_EQ(flow_message::type(ExportProtocol::kNetflow9), 3);
    EXPECT_EQ(flow_message::type(ExportProtocol::kIpfix), 4);
}

TEST(FlowMessageValuesTest, AMacIsANumberOfSixBytesWithTheFirstOnTop) {
    EXPECT_EQ(flow_message::mac({0x02, 0x00, 0x5e, 0x10, 0x00, 0xab}), 0x0200'5e10'00abU);
    EXPECT_EQ(flow_message::mac({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), 0xffff'ffff'ffffU);
}

TEST(FlowMessageValuesTest, EitherAddressTellsTheEtherType) {
    FlowRecord record;
    EXPECT_EQ(flow_message::etype(record), 0) << "neither address nor ether type";
    record.source = test::address("2001:db8::1");
    record.fields.add(FlowField::kSource);
    EXPECT_EQ(flow_message::etype(record), 0x86dd);
    EXPECT_EQ(flow_message::etype(test::flow(test::address("192.0.2.1"))), 0x0800);
    EXPECT_EQ(flow_message::etype(test::flow(test::address("2001:db8::1"))), 0x86dd);
}

TEST(FlowMessageValuesTest, AnAddressSaysMoreThanTheEtherTypeThatWasTold) {
    const FlowRecord behind_labels = with_ether_type(test::flow(test::address("192.0.2.1")), 0x8847);
    EXPECT_EQ(flow_message::etype(behind_labels), 0x0800) << "as GoFlow2: what lies behind MPLS labels";
    const FlowRecord other_family = with_ether_type(test::flow(test::address("2001:db8::1")), 0x0800);
    EXPECT_EQ(flow_message::etype(other_family), 0x86dd) << "GoFlow2 does not read IPFIX element 256";
}

TEST(FlowMessageValuesTest, WithoutAnAddressTheEtherTypeIsTheOneThatWasTold) {
    EXPECT_EQ(flow_message::etype(with_ether_type(FlowRecord{}, 0x0806)), 0x0806);
}

}  // namespace
}  // namespace cam
