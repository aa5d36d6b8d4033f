// sFlow samples decoded from memory into a sink that touches each record, without counting: per second and
// core.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "cam/decode/packet_header.h"
#include "decode/sflow.h"
#include "unit/decode/packets.h"
#include "unit/decode/sflow_datagrams.h"

namespace {

using namespace cam;
using namespace cam::decode;
using namespace cam::decode::test;

class SummingSink final : public FlowSink {
public:
    void take(const ExporterKey&, std::span<const FlowRecord> records) override {
        for (const FlowRecord& record : records)
            sum += record.sampling.estimate(record.bytes) + record.destination_port;
    }
    std::uint64_t sum = 0;
};

/// 128 bytes of a frame, as agents sample it by default.
WireBytes header(const WireBytes& frame) {
    return raw_header({}, frame.size() < 128 ? WireBytes{frame}.fill(128 - frame.size()) : frame.cut(128));
}

/// A datagram of 1,400 bytes or less, its samples from as many interfaces.
std::vector<WireBytes> datagrams(const std::vector<WireBytes>& records, std::size_t samples_each) {
    constexpr std::uint32_t kDatagrams = 64;
    std::vector<WireBytes> out;
    for (std::uint32_t i = 0; i < kDatagrams; ++i) {
        std::vector<WireBytes> samples;
        for (std::uint32_t k = 0; k < samples_each; ++k) {
            samples.push_back(flow_sample({.source_index = 1 + (i * 7 + k * 13) % 48}, records));
        }
        out.push_back(sflow_datagram({.sequence = i}, samples));
    }
    return out;
}

void run(benchmark::State& state, const std::vector<WireBytes>& records, std::size_t samples_each) {
    const std::vector<WireBytes> input = datagrams(records, samples_each);
    const ExporterKey key{IpAddress::v4({192, 0, 2, 254})};
    SummingSink sink;
    RecordBatch batch{sink};
    SflowExporter exporter;
    std::uint64_t samples = 0;
    for (auto turn : state) {
        for (const WireBytes& datagram : input) {
            DecodeReport report;
            batch.begin(key, 1000, report);
            decode_sflow(ByteReader{datagram.span()}, batch, report, exporter, [] { return true; });
            batch.end();
            samples += report.flow_records;
        }
    }
    benchmark::DoNotOptimize(sink.sum);
    state.SetItemsProcessed(static_cast<std::int64_t>(samples));
}

void tcp_over_ipv4(benchmark::State& state) {
    run(state, {header(ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(tcp::kSyn))))}, 7);
}
void udp_over_ipv6_in_vlan(benchmark::State& state) {
    run(state, {header(ethernet(0x86dd, ipv6({}, udp_datagram()), {0x8100'0064}))}, 7);
}
void with_switch_router_and_gateway(benchmark::State& state) {
    const WireBytes gateway = structure(1003, WireBytes{}
                                                  .u32(1)
                                                  .add({203, 0, 113, 1})
                                                  .u32(1)
                                                  .u32(2)
                                                  .u32(3)
                                                  .u32(1)
                                                  .u32(2)
                                                  .u32(4)
                                                  .u32(64510)
                                                  .u32(64511)
                                                  .u32(64512)
                                                  .u32(64513)
                                                  .u32(0)
                                                  .u32(100));
    run(state,
        {header(ethernet(0x0800, ipv4({}, udp_datagram()))),
         structure(1001, WireBytes{}.u32(100).u32(0).u32(200).u32(0)),
         structure(1002, WireBytes{}.u32(1).add({203, 0, 113, 1}).u32(24).u32(22)), gateway},
        4);
}
void header_alone(benchmark::State& state) {
    const WireBytes frame = ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(tcp::kSyn)));
    for (auto turn : state) {
        FlowRecord record;
        decode_packet_header(ByteReader{frame.span()}, LinkType::kEthernet, record);
        benchmark::DoNotOptimize(record);
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(tcp_over_ipv4);
BENCHMARK(udp_over_ipv6_in_vlan);
BENCHMARK(with_switch_router_and_gateway);
BENCHMARK(header_alone);

}  // namespace
