// Flow records decoded from memory by the whole Decoder into a sink that touches each record, without
// counting: items per second and core.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "cam/decode/decoder.h"
#include "unit/decode/datagram_builder.h"

namespace {

using namespace cam;
using namespace cam::decode;
using namespace cam::decode::test;

class SummingSink final : public FlowSink {
public:
    void take(const ExporterKey&, std::span<const FlowRecord> records) override {
        for (const FlowRecord& record : records) sum += record.bytes + record.destination_port;
        count += records.size();
    }
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
};

constexpr std::uint32_t kDatagrams = 64;

/// What routers send by default: twenty fields of v9.
const Fields kUsual{{8, 4},  {12, 4}, {15, 4}, {10, 4}, {14, 4}, {2, 4},  {1, 4}, {22, 4}, {21, 4}, {7, 2},
                    {11, 2}, {6, 1},  {4, 1},  {5, 1},  {16, 4}, {17, 4}, {9, 1}, {13, 1}, {61, 1}, {48, 1}};
/// The same with what IPFIX writes in eight bytes.
const Fields kUsualIpfix{{8, 4},   {12, 4},  {15, 4}, {10, 4}, {14, 4}, {2, 8},  {1, 8},
                         {152, 8}, {153, 8}, {7, 2},  {11, 2}, {6, 1},  {4, 1},  {5, 1},
                         {16, 4},  {17, 4},  {9, 1},  {13, 1}, {61, 1}, {136, 1}};
const Fields kIpv6{{27, 16}, {28, 16}, {62, 16}, {10, 4}, {14, 4}, {2, 4}, {1, 4},
                   {22, 4},  {21, 4},  {7, 2},   {11, 2}, {6, 1},  {4, 1}, {5, 1},
                   {16, 4},  {17, 4},  {29, 1},  {30, 1}, {61, 1}, {31, 4}};
/// With one field whose length is open, behind the others.
const Fields kNamed{{8, 4},   {12, 4}, {10, 4}, {14, 4}, {2, 8}, {1, 8}, {152, 8},
                    {153, 8}, {7, 2},  {11, 2}, {6, 1},  {4, 1}, {5, 1}, {371, kOpen}};

WireBytes record_of(const Fields& fields, std::uint32_t seed) {
    WireBytes out;
    for (const Field& field : fields) {
        if (field.length == kOpen) {
            out.u8(5).fill(5, 'x');
            continue;
        }
        for (std::uint16_t i = 1; i < field.length; ++i) out.u8(field.length > 4 ? 0 : seed >> (i * 3));
        out.u8(seed + field.id);
    }
    return out;
}

WireBytes records_of(const Fields& fields, std::uint32_t seed, std::size_t room) {
    WireBytes body;
    for (std::size_t size = 0; body.size() + size <= room;) {
        const WireBytes one = record_of(fields, seed += 2'654'435'761U);
        body.add(one);
        size = one.size();
    }
    return body;
}

struct Load {
    WireBytes first;  ///< templates, not measured
    std::vector<WireBytes> datagrams;
};

/// Datagrams of 1,400 bytes or less.
Load netflow9_load(const Fields& fields) {
    Load load{.first = netflow9({.sequence = 0}, {netflow9_template(256, fields)}), .datagrams = {}};
    for (std::uint32_t i = 1; i <= kDatagrams; ++i) {
        load.datagrams.push_back(netflow9({.sequence = i}, {set(256, records_of(fields, i, 1376))}));
    }
    return load;
}
Load ipfix_load(const Fields& fields) {
    Load load{.first = ipfix({.sequence = 0}, {ipfix_template(256, fields)}), .datagrams = {}};
    for (std::uint32_t i = 1; i <= kDatagrams; ++i) {
        load.datagrams.push_back(ipfix({.sequence = i}, {set(256, records_of(fields, i, 1380))}));
    }
    return load;
}
Load netflow5_load() {
    Load load{.first = netflow5({}, {}), .datagrams = {}};
    for (std::uint32_t i = 0; i < kDatagrams; ++i) {
        std::vector<Netflow5Record> records(30);
        for (std::uint32_t k = 0; k < 30; ++k) records[k].destination += i * 7 + k;
        load.datagrams.push_back(netflow5({.sequence = i * 30, .sampling = 0x4064}, records));
    }
    return load;
}
/// Rates by sampler, announced in options: looked up for each record.
Load sampled_load() {
    Load load = netflow9_load(kUsual);
    WireBytes rates;
    for (std::uint32_t sampler = 0; sampler < 256; ++sampler) rates.u32(1).u8(sampler).u32(1000);
    load.first.add(netflow9_options(257, {{1, 4}}, {{48, 1}, {34, 4}})).add(set(257, rates));
    return load;
}

void run(benchmark::State& state, const Load& load) {
    SummingSink sink;
    Decoder decoder({}, sink);
    const ExporterKey key{IpAddress::v4({192, 0, 2, 254})};
    decoder.decode(key, load.first.span(), WallTime{}, SteadyTime{});
    for (auto turn : state) {
        for (const WireBytes& datagram : load.datagrams) {
            const DecodeReport report = decoder.decode(key, datagram.span(), WallTime{}, SteadyTime{});
            benchmark::DoNotOptimize(report.flow_records);
        }
    }
    benchmark::DoNotOptimize(sink.sum);
    state.SetItemsProcessed(static_cast<std::int64_t>(sink.count));
}

BENCHMARK_CAPTURE(run, netflow5, netflow5_load());
BENCHMARK_CAPTURE(run, netflow9_20_fields, netflow9_load(kUsual));
BENCHMARK_CAPTURE(run, netflow9_sampler_look_up, sampled_load());
BENCHMARK_CAPTURE(run, netflow9_ipv6, netflow9_load(kIpv6));
BENCHMARK_CAPTURE(run, ipfix_20_fields, ipfix_load(kUsualIpfix));
BENCHMARK_CAPTURE(run, ipfix_variable_length, ipfix_load(kNamed));

}  // namespace
