#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <spdlog/fmt/fmt.h>

#include "cam/api/server.h"
#include "cam/base/check.h"
#include "cam/net/http_client.h"

namespace {

std::vector<cam::Rule> rules(std::size_t count) {
    std::vector<cam::Rule> made(count);
    for (std::size_t i = 0; i < count; ++i) {
        made[i].id = fmt::format("rule-{}", i);
        made[i].name = fmt::format("customer {}", i);
        made[i].bandwidth_threshold = 1'000'000'000;
        for (std::size_t part = 0; part < 4; ++part) {
            made[i].prefixes.push_back(
                *cam::Prefix::parse(fmt::format("10.{}.{}.{}/26", i / 256 % 256, i % 256, part * 64)));
        }
    }
    return made;
}

/// One client that reads over a kept connection. The backend has its data in memory: what is measured is
/// HTTP and JSON.
void read_over_http(benchmark::State& state, const std::string& path, std::size_t count) {
    const std::vector<cam::Rule> kept = rules(count);
    cam::api::Backend backend;
    backend.rules = [&kept](const cam::ListQuery& asked) {
        const auto end =
            kept.begin() + std::min<std::ptrdiff_t>(std::ssize(kept), asked.limit.value_or(1'000'000));
        return cam::Result{std::vector<cam::Rule>(kept.begin(), end)};
    };
    backend.rule = [&kept](std::string_view) { return cam::Result{kept.front()}; };
    auto server =
        cam::api::Server::start({.host = "127.0.0.1", .port = 0, .token = {}}, backend, cam::null_logger());
    cam::check(server.has_value(), "no server");
    auto client = cam::net::CurlHttpClient::create("cam-bench");
    cam::check(client.has_value(), "no client");
    const cam::net::HttpRequest request{.url = fmt::format("http://127.0.0.1:{}{}", (*server)->port(), path),
                                        .way = cam::net::Way::kDirect};
    std::size_t bytes = 0;
    for (auto _ : state) {
        const auto answer = (*client)->perform(request);
        cam::check(answer && answer->status == 200, "no answer");
        bytes += answer->body.size();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void get_health(benchmark::State& state) {
    read_over_http(state, "/healthz", 1);
}
void get_one_rule(benchmark::State& state) {
    read_over_http(state, "/rules/rule-0", 1);
}
void get_all_rules(benchmark::State& state) {
    read_over_http(state, "/rules", static_cast<std::size_t>(state.range(0)));
}
void get_hundred_of_many_rules(benchmark::State& state) {
    read_over_http(state, "/rules?limit=100", static_cast<std::size_t>(state.range(0)));
}

BENCHMARK(get_health)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(get_one_rule)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(get_all_rules)
    ->Arg(10)
    ->Arg(1'000)
    ->Arg(10'000)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(get_hundred_of_many_rules)
    ->Arg(10'000)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
