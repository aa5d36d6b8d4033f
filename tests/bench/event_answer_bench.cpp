#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

#include "cam/base/check.h"
#include "cloudflare/event_answer.h"
#include "generated_answer.h"

namespace {

/// Reading an answer into events, hashes included.
void read_answer(benchmark::State& state) {
    const auto rows = static_cast<std::size_t>(state.range(0));
    std::string body = cam::bench::generated_answer(rows, 0);
    for (auto _ : state) {
        const cam::cloudflare::EventAnswer answer = cam::cloudflare::parse_event_answer(body);
        cam::check(answer.page.events.size() == rows, "rows were lost");
        benchmark::DoNotOptimize(answer.page.events.data());
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

BENCHMARK(read_answer)->Arg(100)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
