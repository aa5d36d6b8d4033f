#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include "app/poller.h"
#include "fakes/app/cloudflare_site.h"
#include "fakes/app/plain_sqlite.h"
#include "fakes/base/temp_folder.h"

namespace cam::app {

using namespace std::chrono_literals;
using nlohmann::json;
using simulator::Fault;
using simulator::Target;
using Outcome = PollReport::Outcome;

/// What one process has of its own; a second one on the same files is a restart.
struct Process {
    struct Make {
        CloudflareSite& site;
        const TempFolder& folder;
        Poller::Options options;
        enrich::GeoDatabases::Options geo;
        std::function<void()> before_first_claim{};
        std::function<void()> queued{};
    };
    explicit Process(Make make)
        : conditions(make.site.clock, make.site.book.logger(),
                     {.organization = "TEST SOC", .geoip = std::nullopt}),
          fetcher(make.site.fetcher_parts()),
          store(open(make.folder)),
          geo(std::move(make.geo)),
          poller({.fetcher = fetcher,
                  .store = *store,
                  .geo = geo,
                  .preferences = PreferenceFile(make.folder.file("dashboard_prefs.json")),
                  .conditions = conditions,
                  .clock = make.site.clock,
                  .log = make.site.book.logger(),
                  .metrics = make.site.metrics,
                  .before_first_claim = std::move(make.before_first_claim),
                  .queued = std::move(make.queued)},
                 std::move(make.options)) {}
    static std::unique_ptr<store::SqliteStore> open(const TempFolder& folder) {
        auto opened = store::SqliteStore::open({.path = folder.file("magic_transit.db"),
                                                .access = store::Access::kReadWrite,
                                                .busy = std::chrono::milliseconds{50}});
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().detail);
        return std::move(opened).value();
    }

    Conditions conditions;
    EventFetcher fetcher;
    std::unique_ptr<store::SqliteStore> store;
    enrich::GeoDatabases geo;
    Poller poller;
};

class PollerTest : public testing::Test {
protected:
    void SetUp() override {
        prefer(R"({"my_prefixes_only": true})");
        options_.filter.mine = {*Prefix::parse("185.54.80.0/22"), *Prefix::parse("2a02:4460::/32")};
        options_.filter.cloudflare_anycast = {*Prefix::parse("162.159.0.0/16")};
        options_.compose = {.organization = "TEST SOC", .aggregate_above = 3};
        options_.patience = 0ms;  // one attempt, unless a test wants more
    }
    void prefer(const std::string& text) const { folder_.write("dashboard_prefs.json", text); }
    /// A new process on the same files.
    void restart() {
        process_.reset();
        process_ = std::make_unique<Process>(
            Process::Make{site_, folder_, options_, geo_, before_first_claim_, queued_});
    }
    Process& process() {
        if (!process_) restart();
        return *process_;
    }
    PollReport poll(std::stop_token stop = {}) {
        Process& running = process();
        site_.world.set_now(true_time());
        return running.poller.poll(std::move(stop));
    }
    /// The time at Cloudflare: what our steady clock says, whatever was done to the wall clock.
    [[nodiscard]] WallTime true_time() const {
        return FakeClock::kStart + (site_.clock.steady() - steady_start_);
    }
    /// An event of now, by true time.
    void add(const json& changes = json::object()) { add_at(true_time() - 10s, changes); }
    void add_at(WallTime at, const json& changes = json::object()) {
        site_.world.add_event(CloudflareSite::event(at, changes));
    }
    [[nodiscard]] std::optional<WallTime> claimed_to() { return *process().store->claimed_to(); }
    /// The messages that wait in the outbox, oldest first; they are taken out.
    std::vector<std::string> told(std::optional<MessageKind> kind = std::nullopt) {
        std::vector<std::string> texts;
        store::SqliteStore& store = *process().store;
        while (true) {
            const auto next = store.next_message();
            EXPECT_TRUE(next) << next.error().detail;
            if (!next || !*next) return texts;
            if (!kind || (*next)->message.kind == *kind) texts.push_back((*next)->message.text);
            EXPECT_TRUE(store.mark_delivered((*next)->id, site_.clock.wall(), 1));
        }
    }
    [[nodiscard]] std::uint64_t polls(const char* outcome) {
        return site_.metrics.counter("cam_polls_total", "", {{"outcome", outcome}}).value();
    }
    [[nodiscard]] std::uint64_t events(const char* result) {
        return site_.metrics.counter("cam_events_total", "", {{"result", result}}).value();
    }
    static bool has(const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    }
    [[nodiscard]] std::string database() const { return folder_.file("magic_transit.db"); }

    TempFolder folder_;
    CloudflareSite site_;
    const SteadyTime steady_start_ = site_.clock.steady();
    Poller::Options options_;
    enrich::GeoDatabases::Options geo_{.city = {CAM_TEST_DATA "/geoip/GeoIP2-City.mmdb"},
                                       .asn = {CAM_TEST_DATA "/geoip/GeoLite2-ASN.mmdb"},
                                       .scratch_folder = folder_.path()};
    std::function<void()> before_first_claim_;
    std::function<void()> queued_;
    std::unique_ptr<Process> process_;
};

}  // namespace cam::app
