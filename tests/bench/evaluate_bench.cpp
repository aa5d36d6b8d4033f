#include <malloc.h>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "cam/base/check.h"
#include "cam/rules/evaluator.h"

// One minute of all rules. `state_bytes` is what the evaluator holds after four hours of traffic to every
// prefix, by the allocator's own count.
namespace {

using cam::MinuteTime;
using cam::Prefix;
using cam::PrefixMinute;
using cam::Rule;
using cam::rules::Evaluator;
using std::chrono::minutes;

std::vector<Prefix> prefixes(std::size_t count) {
    std::vector<Prefix> all;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string text = std::to_string(10 + i / 65536) + "." + std::to_string(i / 256 % 256) + "." +
                                 std::to_string(i % 256) + ".0/24";
        all.push_back(*Prefix::parse(text));
    }
    return all;
}

Rule rule_of(cam::RuleType type) {
    Rule rule;
    rule.type = type;
    switch (type) {
        case cam::RuleType::kThreshold:
            rule.bandwidth_threshold = 1'000'000'000;
            rule.packet_threshold = 1'000'000;
            rule.duration = minutes{5};
            break;
        case cam::RuleType::kZscore:
            rule.zscore_sensitivity = cam::Sensitivity::kMedium;
            rule.zscore_target = cam::ZscoreTarget::kBits;
            break;
        case cam::RuleType::kAdvancedDdos:
            break;
    }
    return rule;
}

/// Rules of ten prefixes each.
std::vector<Rule> rules(cam::RuleType type, const std::vector<Prefix>& all) {
    std::vector<Rule> made;
    for (std::size_t i = 0; i < all.size(); i += 10) {
        made.push_back(rule_of(type));
        made.back().id = std::to_string(i);
        made.back().prefixes.assign(all.begin() + static_cast<std::ptrdiff_t>(i),
                                    all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), i + 10)));
    }
    return made;
}

std::vector<PrefixMinute> traffic(const std::vector<Prefix>& all, unsigned seed) {
    std::vector<PrefixMinute> rows;
    for (const Prefix& prefix : all) {
        seed = seed * 1664525U + 1013904223U;
        const std::uint64_t packets = 600'000 + (seed >> 20U);
        PrefixMinute row{prefix, {}, {}};
        for (std::size_t c = 0; c < 6; ++c) row.classes[c] = {packets * 700, packets, 600};
        rows.push_back(row);
    }
    return rows;
}

void judge_minute(benchmark::State& state) {
    const auto type = static_cast<cam::RuleType>(state.range(0));
    const std::vector<Prefix> all = prefixes(static_cast<std::size_t>(state.range(1)));
    const std::vector<PrefixMinute> odd = traffic(all, 1);
    const std::vector<PrefixMinute> even = traffic(all, 2);
    state.SetLabel(name(type));

    const std::size_t before = mallinfo2().uordblks;
    Evaluator evaluator;
    MinuteTime minute{minutes{std::int64_t{29'000'000}}};
    evaluator.set_rules(rules(type, all), minute);
    for (int i = 0; i < 255; ++i, minute += minutes{1}) evaluator.warm_up(minute, i % 2 == 0 ? even : odd);
    evaluator.warm_up(minute, {});
    const std::size_t held = mallinfo2().uordblks - before;
    state.counters["state_bytes"] = static_cast<double>(held);
    cam::check(held < all.size() * 1536 + 100'000, "the evaluator holds more than 1.5 KiB per prefix");

    for (auto _ : state) {
        minute += minutes{1};
        const auto& now = minute.time_since_epoch().count() % 2 == 0 ? even : odd;
        const auto changes = evaluator.judge(minute, now, now);
        cam::check(changes.empty(), "ordinary traffic raised an alert");
    }
    state.SetItemsProcessed(state.iterations() * state.range(1));
}

BENCHMARK(judge_minute)->ArgsProduct({{0, 1, 2}, {1'000, 10'000, 50'000}})->Unit(benchmark::kMillisecond);

/// A new set of rules while the old one is full of past.
void replace_rules(benchmark::State& state) {
    const std::vector<Prefix> all = prefixes(static_cast<std::size_t>(state.range(0)));
    const std::vector<Rule> wanted = rules(cam::RuleType::kZscore, all);
    Evaluator evaluator;
    MinuteTime minute{minutes{std::int64_t{29'000'000}}};
    evaluator.set_rules(wanted, minute);
    evaluator.judge(minute, traffic(all, 1), {});
    for (auto _ : state) benchmark::DoNotOptimize(evaluator.set_rules(wanted, minute));
}

BENCHMARK(replace_rules)->Arg(10'000)->Arg(50'000)->Unit(benchmark::kMillisecond);

}  // namespace
