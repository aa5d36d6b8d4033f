#include "clickhouse/record_block.h"

#include <gtest/gtest.h>

#include <cstring>

namespace cam::clickhouse {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27} + 10h};

FlowRecord record_to(const char* destination, std::uint64_t bytes) {
    FlowRecord record;
    record.fields = {FlowField::kDestination, FlowField::kBytes};
    record.destination = IpAddress::parse(destination).value();
    record.bytes = bytes;
    return record;
}

EncodedRecords encoded(std::string_view collector, WallTime received,
                       const std::vector<FlowRecord>& records) {
    RecordEncoder encoder{collector};
    encoder.add(ExporterKey{IpAddress::v4({192, 0, 2, 1})}, received, records);
    return encoder.take();
}

/// The values of a column of numbers.
std::vector<std::uint64_t> numbers(const RecordBlock& block, const std::string& name_and_type,
                                   std::size_t rows) {
    const std::size_t at = block.bytes.find(name_and_type) + name_and_type.size();
    std::vector<std::uint64_t> out(rows);
    std::memcpy(out.data(), block.bytes.data() + at, rows * sizeof(std::uint64_t));
    return out;
}

TEST(RecordBlockTest, SortsTheRowsOfAllPartsAsTheTableDoes) {
    const std::vector<EncodedRecords> parts{
        encoded("a", kNow + 1s,
                {record_to("10.0.0.9", 4), record_to("10.0.0.2", 2), record_to("2001:db8::1", 6)}),
        encoded("b", kNow + 5min, {record_to("10.0.0.1", 7)}),
        encoded("a", kNow, {record_to("10.0.0.2", 1), record_to("10.0.0.9", 3), record_to("10.0.1.0", 5)}),
    };
    const RecordBlock block = block_of(parts);
    EXPECT_EQ(numbers(block,
                      "\x05"
                      "bytes\x06UInt64",
                      7),
              (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7}));
}

TEST(RecordBlockTest, LeavesOutWhatNoRecordTells) {
    std::vector<FlowRecord> records{record_to("10.0.0.1", 0), record_to("10.0.0.2", 0)};
    const std::string without = block_of(std::vector{encoded("a", kNow, records)}).columns;
    EXPECT_EQ(without, "collector, received, sampler_address, type, sampling_source, dst_addr, etype");
    records[1].fields.add(FlowField::kSourcePort);
    records[1].source_port = 53;
    const RecordBlock with = block_of(std::vector{encoded("a", kNow, records)});
    EXPECT_EQ(with.columns, without + ", src_port");
    EXPECT_EQ(with.bytes.front(), 8) << "as many columns as are named";
    EXPECT_EQ(with.bytes[1], 2) << "rows";
}

TEST(RecordBlockTest, AnArrayHoldsTheLabelOfWhoHasOne) {
    std::vector<FlowRecord> records{record_to("10.0.0.1", 1), record_to("10.0.0.2", 1),
                                    record_to("10.0.0.3", 1)};
    records[1].fields.add(FlowField::kMplsLabel);
    records[1].mpls_label = 0;  // a label too: explicit null
    const RecordBlock block = block_of(std::vector{encoded("a", kNow, records)});
    EXPECT_TRUE(block.columns.ends_with(", mpls_label"));
    EXPECT_EQ(numbers(block,
                      "mpls_label\x0d"
                      "Array(UInt32)",
                      3),
              (std::vector<std::uint64_t>{0, 1, 1}));
    EXPECT_TRUE(block.bytes.ends_with(std::string(4, '\0')));
}

}  // namespace
}  // namespace cam::clickhouse
