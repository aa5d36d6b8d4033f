#include "cam/model/traffic_class.h"

#include <gtest/gtest.h>

#include <set>

#include "fakes/model/flow_records.h"

namespace cam::aggregate {
namespace {

using namespace test;

FlowRecord tcp_flow(unsigned flags) {
    FlowRecord record = flow(address("192.0.2.1"), {.protocol = 6});
    record.fields.add(FlowField::kTcpFlags);
    record.tcp_flags = static_cast<std::uint16_t>(flags);
    return record;
}

TEST(TrafficClassTest, GoesByProtocol) {
    const auto of_protocol = [](std::uint8_t protocol) {
        return narrowest_class(flow(address("192.0.2.1"), {.protocol = protocol}));
    };
    EXPECT_EQ(of_protocol(6), TrafficClass::kTcp);
    EXPECT_EQ(of_protocol(17), TrafficClass::kUdp);
    EXPECT_EQ(of_protocol(1), TrafficClass::kIcmp);
    EXPECT_EQ(of_protocol(58), TrafficClass::kIcmp);
    EXPECT_EQ(of_protocol(47), TrafficClass::kGre);
    EXPECT_EQ(of_protocol(50), TrafficClass::kEsp);
    for (const unsigned other : {0U, 2U, 4U, 41U, 51U, 132U, 136U, 255U}) {
        EXPECT_EQ(of_protocol(static_cast<std::uint8_t>(other)), TrafficClass::kOther) << other;
    }
}

TEST(TrafficClassTest, IsOtherWhereTheRecordTellsNoProtocol) {
    FlowRecord record = tcp_flow(tcp::kSyn);
    record.fields.remove(FlowField::kProtocol);
    EXPECT_EQ(narrowest_class(record), TrafficClass::kOther);
}

TEST(TrafficClassTest, IsPlainTcpWhereTheRecordTellsNoFlags) {
    FlowRecord record = tcp_flow(tcp::kSyn);
    record.fields.remove(FlowField::kTcpFlags);
    EXPECT_EQ(narrowest_class(record), TrafficClass::kTcp);
}

TEST(TrafficClassTest, TellsSynFloodsFromConnections) {
    using namespace tcp;
    EXPECT_EQ(narrowest_class(tcp_flow(kSyn)), TrafficClass::kTcpSyn);
    EXPECT_EQ(narrowest_class(tcp_flow(kSyn | kRst)), TrafficClass::kTcpSyn) << "half-open scan";
    EXPECT_EQ(narrowest_class(tcp_flow(kSyn | kFin)), TrafficClass::kTcpSyn);
    EXPECT_EQ(narrowest_class(tcp_flow(kSyn | kAck)), TrafficClass::kTcp) << "answer, or SYN and ACKs OR-ed";
    EXPECT_EQ(narrowest_class(tcp_flow(kSyn | kAck | kPsh | kFin)), TrafficClass::kTcp) << "whole connection";
}

TEST(TrafficClassTest, TellsAckAndResetFloodsFromConnections) {
    using namespace tcp;
    EXPECT_EQ(narrowest_class(tcp_flow(kAck)), TrafficClass::kTcpAck);
    EXPECT_EQ(narrowest_class(tcp_flow(kAck | kPsh)), TrafficClass::kTcp) << "data";
    EXPECT_EQ(narrowest_class(tcp_flow(kAck | kFin)), TrafficClass::kTcp);
    EXPECT_EQ(narrowest_class(tcp_flow(kRst)), TrafficClass::kTcpRst);
    EXPECT_EQ(narrowest_class(tcp_flow(kRst | kAck)), TrafficClass::kTcpRst);
    EXPECT_EQ(narrowest_class(tcp_flow(kSyn | kAck | kPsh | kRst)), TrafficClass::kTcp)
        << "a connection that ended with a reset";
    EXPECT_EQ(narrowest_class(tcp_flow(kAck | kPsh | kRst)), TrafficClass::kTcp);
    EXPECT_EQ(narrowest_class(tcp_flow(0)), TrafficClass::kTcp) << "null scan";
}

TEST(TrafficClassTest, IgnoresTheFlagsOfCongestionAndWhatLiesAboveThem) {
    for (const unsigned noise : {0x40U, 0x80U, 0x100U, 0x5000U, 0xffc0U}) {
        EXPECT_EQ(narrowest_class(tcp_flow(tcp::kSyn | noise)), TrafficClass::kTcpSyn);
        EXPECT_EQ(narrowest_class(tcp_flow(tcp::kAck | noise)), TrafficClass::kTcpAck);
        EXPECT_EQ(narrowest_class(tcp_flow(tcp::kRst | noise)), TrafficClass::kTcpRst);
    }
}

TEST(TrafficClassTest, AddsPartsUpToTheirWholes) {
    ClassVolumes classes{};
    for (std::size_t i = 1; i < classes.size(); ++i) {
        classes[i] = {.bytes = std::uint64_t{1} << i, .packets = i, .flows = 1};
    }
    add_up(classes);
    const auto at = [&classes](TrafficClass which) { return classes[static_cast<std::size_t>(which)]; };
    EXPECT_EQ(at(TrafficClass::kTcp).bytes, 2U + 4U + 8U + 16U);
    EXPECT_EQ(at(TrafficClass::kTcpSyn).bytes, 4U);
    EXPECT_EQ(at(TrafficClass::kAll).bytes, 0x3feU);
    EXPECT_EQ(at(TrafficClass::kAll).flows, 9U);
}

}  // namespace
}  // namespace cam::aggregate
