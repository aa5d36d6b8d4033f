#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include <benchmark/benchmark.h>

#include "cam/aggregate/minute_counter.h"
#include "cam/base/check.h"

namespace {

using cam::ExporterKey;
using cam::FlowField;
using cam::FlowRecord;
using cam::IpAddress;
using cam::Prefix;
using cam::aggregate::CountedMinute;
using cam::aggregate::CountingPlan;
using cam::aggregate::MinuteCounter;

constexpr std::size_t kRecordsPerDatagram = 24;
constexpr std::size_t kDatagrams = 64;
constexpr std::size_t kDatagramsPerMinute = 100'000;
constexpr cam::MinuteTime kMinute{std::chrono::minutes{29'500'000}};

IpAddress v4(std::uint32_t number) {
    return IpAddress::v4({static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
                          static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)});
}

IpAddress v6(std::uint32_t network, std::uint32_t host) {
    std::array<std::uint8_t, 16> bytes{0x2a, 0x02, 0x44, 0x60};
    for (unsigned i = 0; i < 4; ++i) {
        bytes[4 + i] = static_cast<std::uint8_t>(network >> (24U - 8 * i));
        bytes[12 + i] = static_cast<std::uint8_t>(host >> (24U - 8 * i));
    }
    return IpAddress::v6(bytes);
}

/// /24 prefixes in a row of /16s, as an operator has them; /64 of IPv6.
struct Net {
    std::uint32_t prefixes;
    IpAddress::Family family;
    [[nodiscard]] IpAddress host(std::uint64_t lot) const {
        const auto which = static_cast<std::uint32_t>((lot >> 8U) % prefixes);
        const auto low = static_cast<std::uint32_t>(lot & 0xffU);
        return family == IpAddress::Family::kV4 ? v4(0xb936'0000U + (which << 8U) + low)
                                                : v6(which * 0x101, low);
    }
    [[nodiscard]] std::shared_ptr<const CountingPlan> plan() const {
        CountingPlan::Options options;
        for (std::uint32_t i = 0; i < prefixes; ++i) {
            const IpAddress first = host(std::uint64_t{i} << 8U);
            options.prefixes.push_back(Prefix::covering(first, family == IpAddress::Family::kV4 ? 24 : 64));
            // Every fourth lies in a longer-lived rule's prefix, too.
            if (i % 4 == 0)
                options.prefixes.push_back(
                    Prefix::covering(first, family == IpAddress::Family::kV4 ? 20 : 48));
        }
        return CountingPlan::compile(options);
    }
};

enum Traffic { kUniform, kAttack, kMiss };

std::vector<FlowRecord> make_records(const Net& net, Traffic traffic) {
    std::mt19937_64 random{1};
    std::vector<FlowRecord> records(kDatagrams * kRecordsPerDatagram);
    for (FlowRecord& record : records) {
        record.fields = {FlowField::kSource,          FlowField::kDestination, FlowField::kSourcePort,
                         FlowField::kDestinationPort, FlowField::kProtocol,    FlowField::kBytes,
                         FlowField::kPackets,         FlowField::kTcpFlags,    FlowField::kInputInterface,
                         FlowField::kSourceAs};
        record.source = v4(static_cast<std::uint32_t>(random()));
        record.source_port = static_cast<std::uint16_t>(random());
        record.destination_port = 443;
        record.source_as = static_cast<std::uint32_t>(random() % 70'000);
        record.input_interface = static_cast<std::uint32_t>(random() % 8);
        record.packets = 1 + random() % 20;
        record.bytes = record.packets * (64 + random() % 1400);
        record.sampling = *cam::SamplingRate::one_in(1000);
        record.sampling_source = cam::SamplingSource::kOptions;
        const bool attack = traffic == kAttack && random() % 10 != 0;
        record.destination = attack ? net.host(0x1234) : net.host(random());
        if (traffic == kMiss)
            record.destination = v4(0x0a00'0000U | static_cast<std::uint32_t>(random() & 0xff'ffffU));
        record.protocol = attack || random() % 2 == 0 ? 6 : 17;
        record.tcp_flags = attack ? cam::tcp::kSyn : cam::tcp::kSyn | cam::tcp::kAck | cam::tcp::kPsh;
    }
    return records;
}

/// Counting of decoded records, minutes' ends included (one per 2.4 million records).
void count(benchmark::State& state, Traffic traffic, IpAddress::Family family) {
    const Net net{.prefixes = static_cast<std::uint32_t>(state.range(0)), .family = family};
    const std::shared_ptr<const CountingPlan> plan = net.plan();
    const std::vector<FlowRecord> records = make_records(net, traffic);
    const ExporterKey exporter{v4(0xc000'0201U)};
    MinuteCounter counter({.seed = 1}, plan);
    std::size_t datagrams = 0;
    for (auto _ : state) {
        for (std::size_t i = 0; i < kDatagrams; ++i) {
            counter.count(exporter, std::span(records).subspan(i * kRecordsPerDatagram, kRecordsPerDatagram));
        }
        datagrams += kDatagrams;
        if (datagrams >= kDatagramsPerMinute) {
            datagrams = 0;
            const CountedMinute minute = counter.close(kMinute, plan);
            cam::check(traffic == kMiss || !minute.prefixes.empty(), "nothing was counted");
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records.size()));
}

BENCHMARK_CAPTURE(count, v4_uniform, kUniform, IpAddress::Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(count, v4_attack, kAttack, IpAddress::Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(count, v4_miss, kMiss, IpAddress::Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(count, v6_uniform, kUniform, IpAddress::Family::kV6)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(count, v6_attack, kAttack, IpAddress::Family::kV6)->Arg(1'000)->Arg(10'000);

/// The look-up alone.
void look_up(benchmark::State& state, IpAddress::Family family) {
    const Net net{.prefixes = static_cast<std::uint32_t>(state.range(0)), .family = family};
    const std::shared_ptr<const CountingPlan> plan = net.plan();
    const std::vector<FlowRecord> records = make_records(net, kUniform);
    for (auto _ : state) {
        for (const FlowRecord& record : records) benchmark::DoNotOptimize(plan->find(record.destination));
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records.size()));
}

BENCHMARK_CAPTURE(look_up, v4, IpAddress::Family::kV4)->Arg(1'000)->Arg(10'000);
BENCHMARK_CAPTURE(look_up, v6, IpAddress::Family::kV6)->Arg(1'000)->Arg(10'000);

/// The end of a minute in which every prefix had traffic.
void close_minute(benchmark::State& state) {
    const Net net{.prefixes = static_cast<std::uint32_t>(state.range(0)), .family = IpAddress::Family::kV4};
    const std::shared_ptr<const CountingPlan> plan = net.plan();
    std::vector<FlowRecord> records = make_records(net, kUniform);
    MinuteCounter counter({.seed = 1}, plan);
    std::uint64_t host = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (std::size_t i = 0; i < 40; ++i) {
            for (FlowRecord& record : records) record.destination = net.host(host += 256);
            counter.count(ExporterKey{v4(0xc000'0201U)}, records);
        }
        state.ResumeTiming();
        benchmark::DoNotOptimize(counter.close(kMinute, plan));
    }
}

BENCHMARK(close_minute)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

/// Explaining one prefix under attack, by one property.
void contributors(benchmark::State& state) {
    const Net net{.prefixes = 1'000, .family = IpAddress::Family::kV4};
    const std::shared_ptr<const CountingPlan> plan = net.plan();
    const std::vector<FlowRecord> records = make_records(net, kAttack);
    MinuteCounter counter({.seed = 1}, plan);
    for (std::size_t i = 0; i < 100; ++i) counter.count(ExporterKey{v4(0xc000'0201U)}, records);
    const CountedMinute minute = counter.close(kMinute, plan);
    const cam::PrefixMinute* largest = &minute.prefixes.front();
    for (const cam::PrefixMinute& each : minute.prefixes) {
        if (each.all().bytes > largest->all().bytes) largest = &each;
    }
    for (auto _ : state) {
        benchmark::DoNotOptimize(minute.sampled.contributors(*largest, cam::TrafficFacet::kSource, 10));
    }
    state.counters["sampled"] = static_cast<double>(minute.sampled.count(largest->prefix));
}

BENCHMARK(contributors)->Unit(benchmark::kMicrosecond);

}  // namespace
