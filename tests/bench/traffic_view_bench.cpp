// What the page asks of the stored minutes: charts of 24 hours, 7 and 30 days, parts of a range, and the
// preview of a rule over 7 days, in a file of 30 days of so many prefixes. Making that file takes minutes
// and gigabytes for 1,000 prefixes, so CAM_BENCH_PREFIXES and CAM_BENCH_DAYS say how
// much; 20 prefixes and 2 days if they do not.

#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <benchmark/benchmark.h>
#include <spdlog/fmt/fmt.h>

#include "app/rule_preview.h"
#include "app/traffic_view.h"
#include "cam/base/check.h"

namespace {

using cam::MinuteTime;
using cam::store::FlowStore;
using namespace std::chrono_literals;

const MinuteTime kFirst = std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};

cam::Prefix prefix(int number) {
    return *cam::Prefix::parse(fmt::format("10.{}.{}.0/24", number / 256, number % 256));
}

int from_environment(const char* name, int fallback) {
    const char* text = std::getenv(name);
    return text == nullptr ? fallback : std::atoi(text);
}

/// The file that all benchmarks read, made by the first; in CAM_BENCH_FOLDER or the temporary folder.
class Month {
public:
    static Month& get() {
        static Month month;
        return month;
    }
    Month(const Month&) = delete;
    Month& operator=(const Month&) = delete;
    ~Month() {
        store_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    FlowStore& store() { return *store_; }
    cam::app::TrafficHistory& history() { return *history_; }
    [[nodiscard]] MinuteTime end() const { return kFirst + minutes_; }
    [[nodiscard]] int prefixes() const { return prefixes_; }

private:
    Month()
        : prefixes_(from_environment("CAM_BENCH_PREFIXES", 20)),
          minutes_(from_environment("CAM_BENCH_DAYS", 2) * 1440) {
        const char* wanted = std::getenv("CAM_BENCH_FOLDER");
        const std::filesystem::path parent =
            wanted == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path{wanted};
        std::string name = (parent / "cam-bench-XXXXXX").string();
        cam::check(mkdtemp(name.data()) != nullptr, "no folder for the benchmark");
        folder_ = name;
        auto opened = FlowStore::open({.path = (folder_ / "bench.db").string()});
        cam::check(opened.has_value(), "no database for the benchmark");
        store_ = std::move(*opened);
        history_ = std::make_unique<cam::app::SqliteHistory>(*store_);
        for (MinuteTime minute = kFirst; minute < end(); minute += 1min) write(minute);
    }
    void write(MinuteTime minute) {
        std::vector<cam::PrefixMinute> traffic;
        std::vector<cam::Contributor> contributors;
        for (int i = 0; i < prefixes_; ++i) {
            cam::PrefixMinute one{.prefix = prefix(i), .minute = minute};
            for (const auto kind :
                 {cam::TrafficClass::kAll, cam::TrafficClass::kTcp, cam::TrafficClass::kUdp}) {
                const std::uint64_t bytes = 30'000'000 + next() % 300'000'000;
                one.classes[static_cast<std::size_t>(kind)] = {bytes, bytes / 700, bytes / 20'000};
            }
            traffic.push_back(one);
        }
        // Contributors are kept for seven days. Those of ten prefixes: a look-up passes by the others.
        for (int i = 0; minute >= end() - 7 * 24h && i < std::min(prefixes_, 10); ++i) {
            for (std::size_t j = 0; j < 80; ++j) {
                contributors.push_back({prefix(i),
                                        minute,
                                        static_cast<cam::TrafficFacet>(j % 8),
                                        fmt::format("198.51.{}.0/24", next() % 64),
                                        {next() % 10'000'000, 5'000, 50}});
            }
        }
        std::sort(contributors.begin(), contributors.end(), [](const auto& a, const auto& b) {
            return std::tie(a.prefix, a.facet, a.key) < std::tie(b.prefix, b.facet, b.key);
        });
        contributors.erase(std::unique(contributors.begin(), contributors.end(),
                                       [](const auto& a, const auto& b) {
                                           return std::tie(a.prefix, a.facet, a.key) ==
                                                  std::tie(b.prefix, b.facet, b.key);
                                       }),
                           contributors.end());
        cam::check(store_->write_minute({minute, minute, minute + 1min, traffic, contributors}).has_value(),
                   "a minute was not written");
    }
    std::uint64_t next() {
        state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        return state_ >> 33U;
    }
    int prefixes_;
    std::chrono::minutes minutes_;
    std::uint64_t state_ = 1;
    std::filesystem::path folder_;
    std::unique_ptr<FlowStore> store_;
    std::unique_ptr<cam::app::SqliteHistory> history_;
};

/// Days and minutes per point, of one prefix.
void chart(benchmark::State& state) {
    Month& month = Month::get();
    const cam::api::TrafficRange range{.from = month.end() - state.range(0) * 24h,
                                       .to = month.end(),
                                       .step = std::chrono::minutes{state.range(1)}};
    for (auto _ : state) {
        const auto points = cam::app::summed_series(month.history(), {prefix(1)}, range);
        cam::check(points.has_value(), "no series");
        benchmark::DoNotOptimize(points->data());
    }
}
BENCHMARK(chart)->Args({1, 1})->Args({7, 5})->Args({30, 30})->Unit(benchmark::kMillisecond);

/// Hours; the ten largest of each kind.
void parts(benchmark::State& state) {
    Month& month = Month::get();
    const cam::enrich::GeoDatabases geo({.city = {}, .asn = {}, .scratch_folder = {}});
    const cam::api::TrafficRange range{.from = month.end() - state.range(0) * 1h, .to = month.end()};
    for (auto _ : state) {
        const auto found = cam::app::traffic_parts(month.history(), geo, prefix(1), range, 10);
        cam::check(found.has_value(), "no parts");
        benchmark::DoNotOptimize(found->largest.data());
    }
}
BENCHMARK(parts)->Arg(1)->Arg(24)->Arg(7 * 24)->Unit(benchmark::kMillisecond);

/// 7 days of a rule with so many prefixes, type 0 threshold, 1 zscore, 2 advanced_ddos.
void preview(benchmark::State& state) {
    Month& month = Month::get();
    const cam::SystemClock clock;
    cam::Rule rule;
    rule.name = "preview";
    rule.type = static_cast<cam::RuleType>(state.range(1));
    for (int i = 0; i < std::min<int>(static_cast<int>(state.range(0)), month.prefixes()); ++i) {
        rule.prefixes.push_back(prefix(i));
    }
    if (rule.type == cam::RuleType::kThreshold) rule.bandwidth_threshold = 40'000'000;
    if (rule.type == cam::RuleType::kZscore) {
        rule.zscore_sensitivity = cam::Sensitivity::kMedium;
        rule.zscore_target = cam::ZscoreTarget::kBits;
    }
    for (auto _ : state) {
        const auto seen = cam::app::preview_rule({.history = month.history(), .alerts = month.store()}, rule,
                                                 month.end() - 7 * 24h, month.end(), clock, 600s);
        cam::check(seen.has_value(), "no preview");
        benchmark::DoNotOptimize(seen->minutes_judged);
    }
}
BENCHMARK(preview)->Args({1, 0})->Args({1, 1})->Args({1, 2})->Args({50, 0})->Unit(benchmark::kMillisecond);

}  // namespace
