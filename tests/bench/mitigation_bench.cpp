// The questions behind the page about mitigation, over HTTP of the real server over a real database file of
// 100,000 events in 2,000 attacks, the largest with 25,000 events, and 30,000 messages.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <spdlog/fmt/fmt.h>

#include "app/api_backend.h"
#include "cam/api/server.h"
#include "cam/base/check.h"
#include "cam/base/time_text.h"
#include "cam/net/http_client.h"
#include "cam/store/flow_store.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"
#include "fakes/model/lasting_text.h"

namespace {

using namespace cam;
using std::chrono::milliseconds;

constexpr unsigned kEvents = 100'000;
constexpr unsigned kLargest = 25'000;
constexpr unsigned kAttacks = 2'000;
constexpr unsigned kMessages = 30'000;
constexpr unsigned kPerClaim = 10'000;

std::string attack_name(unsigned number) {
    return fmt::format("attack-{:08}-xx1g6wwhgqngq523", number);
}

/// All within the last 24 hours, as in a day of heavy attacks: a quarter of them is one attack.
MitigationEvent event(unsigned number, WallTime now) {
    const bool is_largest = number % (kEvents / kLargest) == 0;
    const unsigned attack = is_largest ? 0 : number / (kEvents / kAttacks);
    MitigationEvent made;
    made.datetime = lasting(rfc3339(now - std::chrono::hours{24} + milliseconds{std::int64_t{number} * 860}));
    made.attack_id = lasting(attack_name(attack));
    made.attack_vector = is_largest ? "SYN Flood" : "UDP Flood";
    made.rule_name = "TCP-0001";
    made.rule_id = "a1b2c3d4";
    made.source_ip = lasting(fmt::format("103.{}.{}.{}", number / 65'536, number / 256 % 256, number % 256));
    made.source_port = 1'024 + number % 60'000;
    made.destination_ip = lasting(fmt::format("185.54.8{}.{}", number % 4, attack % 250));
    made.destination_port = number % 3 == 0 ? 443 : number % 5'000;
    made.protocol = "TCP";
    made.colo_code = "SOF";
    made.colo_country = "BG";
    made.packets = 1'000 + number % 1'000;
    made.bits = *made.packets * 512;
    made.outcome = "drop";
    made.source_asn = 64'512 + number % 900;
    made.source_asn_name = "Vision Technologies Ltd.";
    made.source_country = number % 7 == 0 ? "BD" : "US";
    made.raw = lasting(
        fmt::format(R"({{"dimensions":{{"number":{},"padding":"{}"}}}})", number, std::string(550, 'x')));
    made.hash = event_hash(*made.datetime, *made.attack_id, *made.source_ip, *made.destination_ip, "443");
    return made;
}

/// The daemon's API without the rest of the daemon.
class Site {
public:
    static Site& instance() {
        static Site site;
        return site;
    }
    std::size_t ask(const std::string& path) {
        const net::HttpRequest request{.url = fmt::format("http://127.0.0.1:{}{}", server_->port(), path),
                                       .way = net::Way::kDirect};
        const auto answer = client_->perform(request);
        check(answer && answer->status == 200, path.c_str());
        return answer->body.size();
    }

private:
    Site() {
        settings_.paths.database = folder_.file("magic_transit.db");
        settings_.flow.enabled = true;
        fill();
        server_ = std::move(api::Server::start({.host = "127.0.0.1", .port = 0, .token = {}},
                                               app::api_backend(around_), null_logger()))
                      .value();
        client_ = std::move(net::CurlHttpClient::create("cam-bench")).value();
    }
    void fill() {
        const auto options = app::store_options(settings_, store::Access::kReadWrite);
        const auto store = std::move(store::SqliteStore::open(options)).value();
        for (unsigned first = 0; first < kEvents; first += kPerClaim) {
            std::vector<MitigationEvent> events;
            for (unsigned i = 0; i < kPerClaim; ++i) events.push_back(event(first + i, clock_.wall()));
            const auto claimed = store->claim(events, clock_.wall(), clock_.wall(), [](const auto&) {
                return std::vector<Message>(kMessages / (kEvents / kPerClaim),
                                            Message{MessageKind::kEvent, std::string(900, 'm')});
            });
            check(claimed && claimed->fresh.size() == kPerClaim, "claim");
        }
        watch();
    }
    /// A day of minutes of 20 prefixes, one of which covers the target of the largest attack.
    void watch() {
        const auto flows =
            std::move(store::FlowStore::open(app::store_options(settings_, store::Access::kReadWrite)))
                .value();
        Rule rule;
        rule.name = "edge";
        for (unsigned i = 0; i < 20; ++i)
            rule.prefixes.push_back(*Prefix::parse(fmt::format("185.54.{}.0/24", 80 + i)));
        rule.bandwidth_threshold = 1;
        check(flows->create_rule(rule, clock_.wall() - std::chrono::hours{30}).has_value(), "rule");
        const MinuteTime now = std::chrono::floor<std::chrono::minutes>(clock_.wall());
        for (MinuteTime minute = now - std::chrono::hours{25}; minute < now;
             minute += std::chrono::minutes{1}) {
            std::vector<PrefixMinute> traffic;
            for (const Prefix& prefix : rule.prefixes) {
                traffic.push_back({.prefix = prefix, .minute = minute});
                traffic.back().classes[0] = {.bytes = 7'500'000, .packets = 10'000, .flows = 100};
            }
            check(flows
                      ->write_minute({.minute = minute,
                                      .from = WallTime{minute},
                                      .to = WallTime{minute} + std::chrono::minutes{1},
                                      .prefixes = traffic,
                                      .contributors = {}})
                      .has_value(),
                  "minute");
        }
    }

    TempFolder folder_;
    FakeClock clock_;
    app::Settings settings_;
    MetricRegistry metrics_;
    app::Heartbeats heartbeats_{clock_};
    app::Conditions conditions_{clock_, null_logger(), {.organization = "BENCH", .geoip = std::nullopt}};
    enrich::GeoDatabases geo_{{.city = {}, .asn = {}, .scratch_folder = ""}};
    Guarded<std::string> poll_problem_;
    app::FlowBoard flow_board_;
    app::StatusBoard board_{clock_.wall()};
    api::EventBoard board_of_events_;
    app::Surroundings around_{settings_, clock_,        null_logger(), metrics_, heartbeats_,     conditions_,
                              geo_,      poll_problem_, flow_board_,   board_,   board_of_events_};
    std::unique_ptr<api::Server> server_;
    std::unique_ptr<net::CurlHttpClient> client_;
};

void ask(benchmark::State& state, const std::string& path) {
    Site& site = Site::instance();
    std::size_t bytes = site.ask(path);  // opens the connection, warms the cache
    for (auto _ : state) bytes = site.ask(path);
    state.counters["bytes"] = static_cast<double>(bytes);
}

void measure(const char* name, const std::string& path) {
    benchmark::RegisterBenchmark(name, [path](benchmark::State& state) { ask(state, path); })
        ->MeasureProcessCPUTime()
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

const bool kRegistered = [] {
    const std::string largest = attack_name(0);
    measure("status", "/status");
    measure("attacks", "/attacks");
    measure("attacks_of_an_hour", "/attacks?since=2026-01-20T08:00:00Z");
    measure("attacks_by_prefix", "/attacks?prefix=185.54.82.0/24");
    measure("attacks_timeline", "/attacks/timeline");
    measure("largest_attack", "/attacks/" + largest);
    measure("usual_attack", "/attacks/" + attack_name(777));
    measure("both_sides_of_the_largest", "/attacks/" + largest + "/both-sides");
    measure("events_first_page", "/events");
    measure("events_far_page", "/events?cursor=5000");
    measure("events_of_the_largest_attack", "/events?attack_id=" + largest);
    measure("events_by_source", "/events?source=103.0.100.7");
    measure("events_by_prefix", "/events?prefix=185.54.82.0/24");
    measure("events_by_vector_without_any", "/events?vector=none");
    measure("events_table_of_10000", "/events?format=csv&limit=10000");
    measure("one_event", "/events/50000");
    measure("deliveries", "/deliveries");
    measure("deliveries_failed", "/deliveries?state=failed");
    return true;
}();

}  // namespace
