#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <malloc.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <benchmark/benchmark.h>
#include <spdlog/fmt/fmt.h>

#include "app/composer.h"
#include "cam/base/check.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/special_purpose.h"
#include "cam/rules/event_filter.h"
#include "cam/store/sqlite_store.h"
#include "cloudflare/event_answer.h"
#include "generated_answer.h"

namespace {

using cam::MitigationEvent;
using std::chrono::duration;
using std::chrono::steady_clock;

constexpr std::size_t kRows = 10'000;
constexpr cam::WallTime kNow{std::chrono::milliseconds{1'768'863'110'000}};

/// A point in time on the wall and in this thread's share of a core, in milliseconds.
struct Moment {
    double wall;
    double cpu;
    static Moment now() {
        timespec cpu{};
        cam::check(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0, "no CPU clock");
        return {duration<double, std::milli>(steady_clock::now().time_since_epoch()).count(),
                static_cast<double>(cpu.tv_sec) * 1e3 + static_cast<double>(cpu.tv_nsec) / 1e6};
    }
};
Moment operator-(const Moment& a, const Moment& b) {
    return {a.wall - b.wall, a.cpu - b.cpu};
}

enum Stage : std::size_t { kParse, kFilter, kClaim, kCompose, kRelease, kTotal, kCheckpoint, kStages };
constexpr std::array<const char*, kStages> kNames{"parse",   "filter", "claim",     "compose",
                                                  "release", "total",  "checkpoint"};

/// What each stage took in each iteration.
class Times {
public:
    void add(Stage stage, const Moment& took) {
        wall_[stage].push_back(took.wall);
        cpu_[stage].push_back(took.cpu);
    }
    void report(benchmark::State& state) const {
        for (std::size_t stage = 0; stage < kStages; ++stage) {
            state.counters[fmt::format("{}_cpu_ms", kNames[stage])] = median(cpu_[stage]);
            state.counters[fmt::format("{}_wall_ms", kNames[stage])] = median(wall_[stage]);
        }
        state.counters["total_cpu_ms_least"] = *std::min_element(cpu_[kTotal].begin(), cpu_[kTotal].end());
        state.counters["total_wall_ms_least"] = *std::min_element(wall_[kTotal].begin(), wall_[kTotal].end());
    }

private:
    static double median(std::vector<double> values) {
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
        std::nth_element(values.begin(), middle, values.end());
        return *middle;
    }
    std::array<std::vector<double>, kStages> wall_;
    std::array<std::vector<double>, kStages> cpu_;
};

std::string file_system_of(const std::filesystem::path& folder) {
    struct statfs about {};
    if (::statfs(folder.c_str(), &about) != 0) return "unknown";
    switch (static_cast<std::uint32_t>(about.f_type)) {
        case 0xEF53:
            return "ext4";
        case 0x01021994:
            return "tmpfs";
        case 0x58465342:
            return "xfs";
        case 0x9123683E:
            return "btrfs";
        case 0x794C7630:
            return "overlay";
        default:
            return fmt::format("0x{:x}", static_cast<std::uint32_t>(about.f_type));
    }
}

/// A folder for the database under $CAM_BENCH_FOLDER, else the temporary folder; gone at the end.
class Workplace {
public:
    Workplace() {
        const char* asked = std::getenv("CAM_BENCH_FOLDER");
        const std::filesystem::path above = asked == nullptr ? std::filesystem::temp_directory_path() : asked;
        std::string made = (above / "cam-bench-XXXXXX").string();
        cam::check(::mkdtemp(made.data()) != nullptr, "no folder for the database");
        folder_ = made;
    }
    Workplace(const Workplace&) = delete;
    Workplace& operator=(const Workplace&) = delete;
    ~Workplace() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    [[nodiscard]] std::string file_system() const { return file_system_of(folder_); }
    [[nodiscard]] std::unique_ptr<cam::store::SqliteStore> store() const {
        auto store = cam::store::SqliteStore::open({.path = (folder_ / "bench.db").string()});
        cam::check(store.has_value(), "no database");
        return std::move(*store);
    }
    void remove_database() const {
        for (const char* ending : {"", "-wal", "-shm"})
            std::filesystem::remove(folder_ / (std::string{"bench.db"} + ending));
    }

private:
    std::filesystem::path folder_;
};

/// The stages behind the network, as the daemon wires them.
class Pipeline {
public:
    Pipeline()
        : geo_({.city = {CAM_TEST_DATA "/geoip/GeoIP2-City.mmdb"},
                .asn = {CAM_TEST_DATA "/geoip/GeoLite2-ASN.mmdb"},
                .scratch_folder = ""}),
          filter_({.mine = {*cam::Prefix::parse("185.54.80.0/22"), *cam::Prefix::parse("2a02:4460::/32")},
                   .cloudflare_anycast = {*cam::Prefix::parse("162.159.0.0/16"),
                                          *cam::Prefix::parse("172.64.0.0/13"),
                                          *cam::Prefix::parse("104.16.0.0/13")},
                   .min_packets = 1}),
          composer_(geo_, {.organization = "Example SOC", .aggregate_above = 3}) {
        cam::check(geo_.refresh().problems.empty(), "the GeoIP fixtures are missing");
    }

    void run(std::string body, cam::store::SqliteStore& store, Times& times) const {
        const Moment begin = Moment::now();
        std::optional answer{cam::cloudflare::parse_event_answer(std::move(body))};
        const Moment parsed = Moment::now();
        std::vector<MitigationEvent> events = sift(answer->page.events);
        const Moment filtered = Moment::now();
        Moment composing{};
        std::size_t length = 0;
        const auto claimed = store.claim(events, kNow, kNow, [&](const auto& fresh) {
            const Moment start = Moment::now();
            auto messages = composer_.compose(events, fresh, cam::GeoEdition::Type::kCommercial);
            for (const cam::Message& message : messages) length += message.text.size();
            composing = Moment::now() - start;
            return messages;
        });
        const Moment done = Moment::now();
        cam::check(claimed && claimed->fresh.size() == events.size() && length > 0, "events were lost");
        std::vector<MitigationEvent>{}.swap(events);
        answer.reset();
        const Moment end = Moment::now();
        // The daemon's next small commit moves the pages from the WAL into the database.
        cam::check(store.remember("bench", fmt::format("{}", end.wall)).has_value(), "nothing is remembered");
        times.add(kCheckpoint, Moment::now() - end);
        times.add(kParse, parsed - begin);
        times.add(kFilter, filtered - parsed);
        times.add(kClaim, done - filtered - composing);
        times.add(kCompose, composing);
        times.add(kRelease, end - done);
        times.add(kTotal, end - begin);
    }

    [[nodiscard]] const cam::enrich::GeoDatabases& geo() const { return geo_; }

private:
    [[nodiscard]] std::vector<MitigationEvent> sift(std::vector<MitigationEvent>& found) const {
        cam::rules::merge_same_identity(found);
        std::erase_if(found, [&](const MitigationEvent& event) {
            return filter_.judge(event, cam::rules::Scope::kMine) != cam::rules::Verdict::kNotify;
        });
        return std::move(found);
    }

    cam::enrich::GeoDatabases geo_;
    cam::rules::EventFilter filter_;
    cam::app::Composer composer_;
};

/// The answer of a file, so that others can be measured on the same one; else one made here.
std::string first_answer() {
    const char* given = std::getenv("CAM_BENCH_ANSWER");
    if (given == nullptr) return cam::bench::generated_answer(kRows, 0);
    std::ifstream file(given, std::ios::binary);
    cam::check(file.good(), "the answer cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// One answer, all of it new, on the way from Cloudflare's bytes to the queued message. The database holds
/// `answers_before` answers before the first measured one: none means a new file each time. With
/// `heap_given_back` the heap is returned to the system between the answers, as the daemon does after each
/// large poll.
void answer_to_message(benchmark::State& state) {
    const Pipeline pipeline;
    const Workplace place;
    Times times;
    Times warm_up;
    unsigned series = 0;
    std::unique_ptr<cam::store::SqliteStore> store = place.store();
    for (; series < static_cast<unsigned>(state.range(0)); ++series) {
        pipeline.run(cam::bench::generated_answer(kRows, series), *store, warm_up);
    }
    const bool anew = state.range(0) == 0;
    const std::string first = anew ? first_answer() : std::string{};
    for (auto _ : state) {
        state.PauseTiming();
        if (anew) {
            store.reset();
            place.remove_database();
            store = place.store();
        }
        std::string body = anew ? first : cam::bench::generated_answer(kRows, series++);
        if (state.range(1) != 0) ::malloc_trim(0);
        state.ResumeTiming();
        pipeline.run(std::move(body), *store, times);
    }
    times.report(state);
    state.SetLabel(place.file_system() + ", WAL, synchronous=FULL");
}

BENCHMARK(answer_to_message)
    ->ArgNames({"answers_before", "heap_given_back"})
    ->Args({0, 1})
    ->Args({0, 0})
    ->Args({10, 1})
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();

/// The part of composing that asks where a source is.
void place_sources(benchmark::State& state) {
    const Pipeline pipeline;
    std::string body = cam::bench::generated_answer(kRows, 0);
    const cam::cloudflare::EventAnswer answer = cam::cloudflare::parse_event_answer(std::move(body));
    for (auto _ : state) {
        for (const MitigationEvent& event : answer.page.events) {
            if (event.source && !cam::special_purpose(*event.source)) {
                benchmark::DoNotOptimize(pipeline.geo().find(*event.source));
            }
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

BENCHMARK(place_sources)->Unit(benchmark::kMillisecond);

}  // namespace
