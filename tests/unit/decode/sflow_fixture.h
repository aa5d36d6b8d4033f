#pragma once

#include <vector>

#include <gtest/gtest.h>

#include "decode/sflow.h"
#include "unit/decode/decoder_fixture.h"
#include "unit/decode/packets.h"
#include "unit/decode/sflow_datagrams.h"

namespace cam::decode::test {

/// Decodes datagrams of one exporter.
class SflowTest : public testing::Test {
protected:
    DecodeReport decode(const WireBytes& datagram, std::size_t budget = 1000) {
        sink_.kept.clear();
        DecodeReport report;
        batch_.begin(key_, budget, report);
        decode_sflow(ByteReader{datagram.span()}, batch_, report, exporter_, [] { return true; });
        batch_.end();
        EXPECT_EQ(report.flow_records, sink_.kept.size());
        return report;
    }
    DecodeReport decode_samples(const std::vector<WireBytes>& samples) {
        return decode(sflow_datagram({.sequence = ++sequence_}, samples));
    }
    /// The one record of a datagram with one compact sample of these records.
    FlowRecord only(const std::vector<WireBytes>& records) {
        const DecodeReport report = decode_samples({flow_sample({}, records)});
        EXPECT_EQ(report.flow_records, 1U);
        EXPECT_EQ(dropped(report), 0U);
        return sink_.kept.empty() ? FlowRecord{} : sink_.kept.front();
    }
    static WireBytes tcp_header() {
        return raw_header({}, ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(tcp::kSyn))));
    }

    KeepingSink sink_;
    RecordBatch batch_{sink_};
    SflowExporter exporter_;
    ExporterKey key_{IpAddress::v4({192, 0, 2, 254})};
    std::uint32_t sequence_ = 100;
};

}  // namespace cam::decode::test
