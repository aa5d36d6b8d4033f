#include "app/flow_record_json.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace cam::app {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const ExporterKey kExporter{IpAddress::v4({192, 0, 2, 254})};
const WallTime kReceived{1'700'000'000'250ms};

json line_of(const FlowRecord& record) {
    std::string out = "before";
    append_json_line(kExporter, record, kReceived, out);
    EXPECT_EQ(out.rfind("before{", 0), 0U);
    EXPECT_EQ(out.find('\n'), out.size() - 1);
    return json::parse(out.substr(6));
}

TEST(FlowRecordJsonTest, WhatARecordDoesNotTellIsNullAndNeverZero) {
    const json line = line_of({});
    EXPECT_EQ(line["exporter"], "192.0.2.254");
    EXPECT_EQ(line["version"], "v5");
    EXPECT_EQ(line["domain"], 0);
    for (const char* name : {"src_addr", "dst_addr", "src_port", "dst_port", "protocol", "bytes", "packets",
                             "tcp_flags", "in_if", "out_if", "src_as", "dst_as", "flow_start", "flow_end"}) {
        ASSERT_TRUE(line.contains(name)) << name;
        EXPECT_TRUE(line[name].is_null()) << name;
    }
    EXPECT_EQ(line["sampling_rate"], 1);
    EXPECT_EQ(line["sampling_source"], "none");
    EXPECT_EQ(line["received"], "2023-11-14T22:13:20.250Z");
    EXPECT_EQ(line.size(), 20U) << "and no member more: " << line;
}

TEST(FlowRecordJsonTest, TellsEveryFieldThatIsThere) {
    FlowRecord record;
    for (unsigned field = 0; field <= static_cast<unsigned>(FlowField::kSampler); ++field) {
        record.fields.add(static_cast<FlowField>(field));
    }
    record.bytes = 0xffff'ffff'ffff'ffff;
    record.packets = 3;
    record.sampling = *SamplingRate::one_in(1000);
    record.sampling_source = SamplingSource::kSflowSample;
    record.export_protocol = ExportProtocol::kSflow5;
    record.protocol = 6;
    record.source = *IpAddress::parse("2001:db8::1");
    record.destination = *IpAddress::parse("198.51.100.7");
    record.source_port = 40000;
    record.destination_port = 443;
    record.tcp_flags = tcp::kSyn;
    record.source_as = 4'200'000'000;
    record.start = WallTime{1'700'000'000'007ms};
    record.end = WallTime{-1ms};
    record.source_mac = {2, 0, 0, 0, 0, 0xab};
    record.sampler = 1ULL << 33U;
    const json line = line_of(record);
    EXPECT_EQ(line["version"], "sflow5");
    EXPECT_EQ(line["bytes"], 0xffff'ffff'ffff'ffff);
    EXPECT_EQ(line["sampling_rate"], 1000);
    EXPECT_EQ(line["sampling_source"], "sflow_sample");
    EXPECT_EQ(line["src_addr"], "2001:db8::1");
    EXPECT_EQ(line["dst_addr"], "198.51.100.7");
    EXPECT_EQ(line["dst_port"], 443);
    EXPECT_EQ(line["tcp_flags"], 2);
    EXPECT_EQ(line["src_as"], 4'200'000'000);
    EXPECT_EQ(line["flow_start"], "2023-11-14T22:13:20.007Z");
    EXPECT_EQ(line["flow_end"], "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(line["src_mac"], "02:00:00:00:00:ab");
    EXPECT_EQ(line["sampler"], 1ULL << 33U);
    for (const auto& [name, value] : line.items()) EXPECT_FALSE(value.is_null()) << name;
    EXPECT_EQ(line.size(), 40U) << "a field without a member? " << line;
}

TEST(FlowRecordJsonTest, IcmpOfNetflowMayBeHiddenInTheDestinationPort) {
    FlowRecord record;
    record.fields = {FlowField::kProtocol, FlowField::kDestinationPort};
    record.protocol = 1;
    record.destination_port = 3 * 256 + 1;  // host unreachable
    for (const ExportProtocol protocol : {ExportProtocol::kNetflow5, ExportProtocol::kNetflow9}) {
        record.export_protocol = protocol;
        EXPECT_EQ(line_of(record)["icmp_type"], 3);
        EXPECT_EQ(line_of(record)["icmp_code"], 1);
        EXPECT_EQ(line_of(record)["dst_port"], 769) << "as it was told";
    }
    FlowRecord v6 = record;
    v6.protocol = 58;
    EXPECT_EQ(line_of(v6)["icmp_type"], 3);
    FlowRecord told = record;
    told.fields.add(FlowField::kIcmp);
    told.icmp_type = 8;
    EXPECT_EQ(line_of(told)["icmp_type"], 8) << "a field of its own counts";
    EXPECT_EQ(line_of(told)["icmp_code"], 0);
}

TEST(FlowRecordJsonTest, IcmpIsNotReadOutOfOtherPorts) {
    FlowRecord record;
    record.fields = {FlowField::kProtocol, FlowField::kDestinationPort};
    record.export_protocol = ExportProtocol::kNetflow5;
    record.protocol = 17;
    record.destination_port = 769;
    EXPECT_FALSE(line_of(record).contains("icmp_type")) << "UDP";
    record.protocol = 1;
    record.destination_port = 0;
    EXPECT_FALSE(line_of(record).contains("icmp_type")) << "an echo reply, or nothing";
    record.destination_port = 769;
    record.export_protocol = ExportProtocol::kSflow5;
    EXPECT_FALSE(line_of(record).contains("icmp_type")) << "sFlow has the packet itself";
}

TEST(FlowRecordJsonTest, CountsThatAreNoDeltasHaveNamesOfTheirOwn) {
    FlowRecord record;
    record.fields = {FlowField::kOtherBytes, FlowField::kOtherPackets};
    record.bytes = 700;
    record.packets = 7;
    const json line = line_of(record);
    EXPECT_TRUE(line["bytes"].is_null());
    EXPECT_TRUE(line["packets"].is_null());
    EXPECT_EQ(line["other_bytes"], 700);
    EXPECT_EQ(line["other_packets"], 7);
}

}  // namespace
}  // namespace cam::app
