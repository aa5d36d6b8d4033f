// Datagrams in memory to counted minutes, as a flow worker does it: decoding by the whole Decoder, look-up
// among prefixes, counting, minutes' ends. Records per second and core; the argument is how many prefixes are
// looked up.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/generated_flows.h"
#include "cam/aggregate/minute_counter.h"
#include "cam/base/check.h"
#include "cam/decode/decoder.h"

namespace {

using namespace cam;
using bench::Family;
using simulator::FlowFormat;

constexpr std::size_t kDatagrams = 256;
constexpr std::uint64_t kRecordsPerMinute = 12'000'000;
constexpr MinuteTime kMinute{std::chrono::minutes{29'500'000}};

class Counting final : public decode::FlowSink {
public:
    explicit Counting(aggregate::MinuteCounter& counter) : counter_(counter) {}
    void take(const ExporterKey& exporter, std::span<const FlowRecord> records) override {
        counter_.count(exporter, records);
    }

private:
    aggregate::MinuteCounter& counter_;
};

std::shared_ptr<const aggregate::CountingPlan> plan_of(std::uint32_t prefixes, Family family) {
    aggregate::CountingPlan::Options options;
    for (std::uint32_t i = 0; i < prefixes; ++i) {
        const auto high = static_cast<std::uint8_t>(i / 256);
        const auto low = static_cast<std::uint8_t>(i % 256);
        if (family == Family::kV4) {
            options.prefixes.push_back(Prefix::covering(IpAddress::v4({10, high, low, 0}), 24));
        } else {
            options.prefixes.push_back(
                Prefix::covering(IpAddress::v6({0x20, 0x01, 0x0d, 0xb8, 0, high, 0, low}), 64));
        }
    }
    return aggregate::CountingPlan::compile(options);
}

struct Load {
    std::vector<std::string> datagrams;
    std::size_t records = 0;
};

/// Datagrams of about 1,400 bytes; templates, and the rate of the sampler that each record names, in the
/// first.
Load load_of(FlowFormat format, std::uint64_t prefixes, Family family) {
    std::size_t records = 24;
    if (format == FlowFormat::kNetflow5) records = 30;
    if (format == FlowFormat::kSflow5) records = 8;
    std::mt19937 random(1);
    const auto flows = bench::generate_flows(random, kDatagrams * records, prefixes, family);
    simulator::FlowEncoder encoder(
        {.format = format, .sampling = 100, .records_per_datagram = records, .templates_every = 0});
    return {.datagrams = encoder.encode(flows, 1'800'000'000), .records = flows.size()};
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void run(benchmark::State& state, FlowFormat format, Family family) {
    const auto prefixes = static_cast<std::uint32_t>(state.range(0));
    const auto plan = plan_of(prefixes, family);
    const Load load = load_of(format, prefixes, family);
    aggregate::MinuteCounter counter({.seed = 1}, plan);
    Counting counting(counter);
    decode::Decoder decoder({}, counting);
    const ExporterKey exporter{IpAddress::v4({192, 0, 2, 254})};
    std::uint64_t records = 0;
    std::uint64_t of_minute = 0;
    for (auto turn : state) {
        std::uint64_t decoded = 0;
        for (const std::string& datagram : load.datagrams) {
            decoded += decoder.decode(exporter, bytes_of(datagram), WallTime{}, SteadyTime{}).flow_records;
        }
        check(decoded == load.records, "not every record was decoded");
        records += decoded;
        of_minute += decoded;
        if (of_minute < kRecordsPerMinute) continue;
        of_minute = 0;
        const aggregate::CountedMinute minute = counter.close(kMinute, plan);
        check(minute.records_without_prefix == 0, "a record was counted for no prefix");
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(records));
}

BENCHMARK_CAPTURE(run, netflow5, FlowFormat::kNetflow5, Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(run, netflow9, FlowFormat::kNetflow9, Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(run, netflow9_ipv6, FlowFormat::kNetflow9, Family::kV6)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(run, ipfix, FlowFormat::kIpfix, Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(run, ipfix_ipv6, FlowFormat::kIpfix, Family::kV6)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(run, sflow5, FlowFormat::kSflow5, Family::kV4)->Arg(1'000)->Arg(10'000);

}  // namespace
