#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "cam/decode/decoder.h"
#include "unit/decode/datagram_builder.h"

namespace cam::decode::test {

class KeepingSink final : public FlowSink {
public:
    void take(const ExporterKey& exporter, std::span<const FlowRecord> records) override {
        EXPECT_FALSE(records.empty());
        kept.insert(kept.end(), records.begin(), records.end());
        exporters.insert(exporters.end(), records.size(), exporter);
    }
    std::vector<FlowRecord> kept;
    std::vector<ExporterKey> exporters;  ///< of each record
};

inline ExporterKey exporter(std::uint32_t number) {
    const auto byte = [number](unsigned shift) { return static_cast<std::uint8_t>(number >> shift); };
    return ExporterKey{IpAddress::v4({10, byte(16), byte(8), byte(0)})};
}

inline std::uint64_t dropped(const DecodeReport& report, DropReason reason) {
    return report.dropped[static_cast<std::size_t>(reason)];
}
inline std::uint64_t dropped(const DecodeReport& report) {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : report.dropped) sum += count;
    return sum;
}

/// A decoder with its sink. `kept()` are the records of the last datagram.
class DecoderTest : public testing::Test {
protected:
    explicit DecoderTest(const Decoder::Options& options = {}) : decoder_(options, sink_) {}

    DecodeReport decode(const WireBytes& datagram, const ExporterKey& from = exporter(1)) {
        sink_.kept.clear();
        sink_.exporters.clear();
        const DecodeReport report = decoder_.decode(from, datagram.span(), WallTime{}, now_);
        EXPECT_EQ(report.flow_records, sink_.kept.size());
        EXPECT_LE(report.records_from_held, report.flow_records);
        for (const ExporterKey& key : sink_.exporters) EXPECT_EQ(key, from);
        return report;
    }
    /// One v9 datagram with the next sequence number.
    DecodeReport decode9(const std::vector<WireBytes>& sets) {
        return decode(netflow9({.sequence = sequence_++}, sets));
    }
    [[nodiscard]] const std::vector<FlowRecord>& kept() const { return sink_.kept; }
    /// The one record of the last datagram.
    [[nodiscard]] FlowRecord only() const {
        EXPECT_EQ(sink_.kept.size(), 1U);
        return sink_.kept.empty() ? FlowRecord{} : sink_.kept.front();
    }
    [[nodiscard]] ExporterReport report_of(const ExporterKey& key = exporter(1)) const {
        for (const ExporterReport& report : decoder_.exporters()) {
            if (report.exporter == key) return report;
        }
        ADD_FAILURE() << "not known: " << key.text();
        return ExporterReport{key, {}, 0, 0, 0, 0, 0, 0, {}, {}};
    }

    KeepingSink sink_;
    Decoder decoder_;
    SteadyTime now_{std::chrono::hours{1}};
    std::uint32_t sequence_ = 0;
};

inline IpAddress address(const char* text) {
    return *IpAddress::parse(text);
}
/// Milliseconds since 1970.
inline std::int64_t ms(WallTime time) {
    return time.time_since_epoch().count();
}

/// Destination, bytes and packets, four bytes each: the smallest template that counts something.
inline const Fields kSmall{{12, 4}, {1, 4}, {2, 4}};
inline WireBytes small(std::uint32_t destination, std::uint32_t bytes, std::uint32_t packets) {
    return WireBytes{}.u32(destination).u32(bytes).u32(packets);
}

}  // namespace cam::decode::test
