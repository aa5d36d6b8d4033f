#include <stdlib.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <spdlog/fmt/fmt.h>

#include "cam/base/check.h"
#include "cam/store/flow_store.h"

namespace {

using cam::MinuteTime;
using cam::store::FlowStore;
using namespace std::chrono_literals;

const MinuteTime kFirst = std::chrono::sys_days{std::chrono::year{2026} / 1 / 20};

/// A file in a folder of its own, gone at the end.
class FlowFile {
public:
    FlowFile() {
        std::string name = (std::filesystem::temp_directory_path() / "cam-bench-XXXXXX").string();
        cam::check(mkdtemp(name.data()) != nullptr, "no folder for the benchmark");
        folder_ = name;
        auto opened = FlowStore::open({.path = (folder_ / "bench.db").string()});
        cam::check(opened.has_value(), "no database for the benchmark");
        store_ = std::move(*opened);
    }
    FlowFile(const FlowFile&) = delete;
    FlowFile& operator=(const FlowFile&) = delete;
    ~FlowFile() {
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    FlowStore& store() { return *store_; }
    /// Closes the file, which moves the WAL into it; its size in bytes.
    std::uintmax_t size() {
        store_.reset();
        return std::filesystem::file_size(folder_ / "bench.db");
    }

private:
    std::filesystem::path folder_;
    std::unique_ptr<FlowStore> store_;
};

/// Traffic as an ordinary network has it: TCP, its acknowledgements, UDP and some ICMP; numbers that differ.
struct Traffic {
    std::vector<cam::PrefixMinute> prefixes;
    std::vector<cam::Contributor> contributors;

    Traffic(MinuteTime minute, std::size_t count, std::size_t contributor_count) {
        for (std::size_t i = 0; i < count; ++i) {
            cam::PrefixMinute one{.prefix = prefix(i), .minute = minute};
            for (const cam::TrafficClass kind :
                 {cam::TrafficClass::kAll, cam::TrafficClass::kTcp, cam::TrafficClass::kTcpSyn,
                  cam::TrafficClass::kTcpAck, cam::TrafficClass::kUdp, cam::TrafficClass::kIcmp}) {
                const std::uint64_t bytes = 30'000'000 + next() % 300'000'000;
                one.classes[static_cast<std::size_t>(kind)] = {bytes, bytes / 700, bytes / 20'000};
            }
            prefixes.push_back(one);
        }
        for (std::size_t i = 0; i < contributor_count; ++i) {
            const auto facet = static_cast<cam::TrafficFacet>(i % cam::kTrafficFacetCount);
            contributors.push_back({prefix(i / 40 % count),
                                    minute,
                                    facet,
                                    fmt::format("198.51.{}.0/24", i % 256),
                                    {next() % 10'000'000, 5'000, 50}});
        }
    }

private:
    static cam::Prefix prefix(std::size_t number) {
        return *cam::Prefix::parse(fmt::format("10.{}.{}.0/24", number / 256, number % 256));
    }
    std::uint64_t next() {
        state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return state_ >> 33U;
    }
    std::uint64_t state_ = 1;
};

void write(FlowStore& store, MinuteTime minute, const Traffic& traffic) {
    const auto written = store.write_minute({minute, cam::WallTime{minute}, cam::WallTime{minute} + 1min,
                                             traffic.prefixes, traffic.contributors});
    cam::check(written.has_value(), "a minute was not written");
}

/// One minute in one transaction, the commit to disk included.
void write_minute(benchmark::State& state) {
    FlowFile file;
    const auto count = static_cast<std::size_t>(state.range(0));
    MinuteTime minute = kFirst;
    for (auto _ : state) {
        state.PauseTiming();
        const Traffic traffic(minute, count, std::min<std::size_t>(count * 10, 10'000));
        state.ResumeTiming();
        write(file.store(), minute, traffic);
        minute += 1min;
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(write_minute)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond);

/// The start of a daemon: 245 minutes of the past.
void warm_up(benchmark::State& state) {
    constexpr int kMinutes = 245;
    FlowFile file;
    const auto count = static_cast<std::size_t>(state.range(0));
    for (int i = 0; i < kMinutes; ++i)
        write(file.store(), kFirst + i * 1min, Traffic(kFirst + i * 1min, count, 0));
    const auto detail =
        state.range(1) == 0 ? cam::store::MinuteDetail::kTotals : cam::store::MinuteDetail::kClasses;
    std::size_t rows = 0;
    for (auto _ : state) {
        const cam::Status read = file.store().read_minutes(
            kFirst, kFirst + kMinutes * 1min, detail,
            [&](const cam::CollectedMinute&, auto traffic) { rows += traffic.size(); });
        cam::check(read.has_value(), "minutes were not read");
    }
    cam::check(rows == static_cast<std::size_t>(state.iterations()) * kMinutes * count, "rows were lost");
    state.SetItemsProcessed(static_cast<std::int64_t>(rows));
    state.counters["bytes_per_row"] =
        static_cast<double>(file.size()) / (kMinutes * static_cast<double>(count));
}
BENCHMARK(warm_up)
    ->Args({1'000, 0})
    ->Args({10'000, 0})
    ->Args({10'000, 1})
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

/// A day of one prefix among many, as a chart asks for it.
void read_series(benchmark::State& state) {
    FlowFile file;
    for (int i = 0; i < 1'440; ++i)
        write(file.store(), kFirst + i * 1min, Traffic(kFirst + i * 1min, 200, 0));
    const cam::Prefix prefix = *cam::Prefix::parse("10.0.100.0/24");
    for (auto _ : state) {
        const auto points = file.store().series(prefix, kFirst, kFirst + 1'440 * 1min, 5min);
        cam::check(points.has_value() && points->size() == 288, "points were lost");
    }
}
BENCHMARK(read_series)->Unit(benchmark::kMillisecond);

/// One call of prune() that has a whole step to do.
void prune_step(benchmark::State& state) {
    FlowFile file;
    int minute = 0;
    std::uint64_t rows = 0;
    for (auto _ : state) {
        state.PauseTiming();
        for (int i = 0; i < 2; ++i, ++minute) {
            write(file.store(), kFirst + minute * 1min, Traffic(kFirst + minute * 1min, 4'000, 4'000));
        }
        state.ResumeTiming();
        const auto pruned = file.store().prune({}, cam::WallTime{kFirst} + 365 * 24h);
        cam::check(pruned.has_value() && pruned->more, "there was too little to prune");
        rows += pruned->minutes + pruned->contributors;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}
BENCHMARK(prune_step)->Unit(benchmark::kMillisecond)->Iterations(20);

}  // namespace
