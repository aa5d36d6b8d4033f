#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "app/flow_judge.h"
#include "app/flow_worker.h"
#include "fakes/app/log_book.h"
#include "fakes/app/plain_sqlite.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"
#include "simulator/flow_exporter.h"

namespace cam::app {

using namespace std::chrono_literals;
using simulator::Flow;
using simulator::FlowAddress;
using simulator::FlowFormat;

inline constexpr FlowFormat kAllFormats[] = {FlowFormat::kNetflow5, FlowFormat::kNetflow9, FlowFormat::kIpfix,
                                             FlowFormat::kSflow5};

/// What outlives a process of the flow monitor: time, files, log and the port.
struct FlowPlace {
    TempFolder folder;
    FakeClock clock;
    LogBook book;
    MetricRegistry metrics;
    enrich::GeoDatabases geo{{.city = {CAM_TEST_DATA "/geoip/GeoIP2-City.mmdb"},
                              .asn = {CAM_TEST_DATA "/geoip/GeoLite2-ASN.mmdb"},
                              .scratch_folder = folder.path()}};
    std::uint16_t port = 0;  ///< 0 until the first process has one

    [[nodiscard]] std::string database() const { return folder.file("magic_transit.db"); }
    [[nodiscard]] store::SqliteStore::Options store_options() const {
        return {.path = database(), .access = store::Access::kReadWrite, .busy = 20ms};
    }
    [[nodiscard]] std::uint64_t counted(std::string_view name, MetricRegistry::Labels labels = {}) {
        return metrics.counter(name, "", std::move(labels)).value();
    }
    [[nodiscard]] std::uint64_t datagrams() {
        std::uint64_t sum = 0;
        for (const FlowFormat format : kAllFormats) {
            sum += counted("cam_flow_datagrams_total", {{"protocol", simulator::name(format)}});
        }
        return sum;
    }
};

/// One process of the flow monitor with real files and sockets, on one thread: the test makes its rounds.
class FlowLife {
public:
    /// `before_begin` is called when the workers have their plan and the judge has not begun.
    FlowLife(FlowPlace& place, std::size_t workers, FlowJudge::Options options = {},
             const std::function<void()>& before_begin = {})
        : place_(place),
          heartbeats_(place.clock),
          conditions_(place.clock, place.book.logger(), {.organization = "TEST SOC", .geoip = std::nullopt}),
          store_(must(store::FlowStore::open(place.store_options()))),
          remembered_(must(store::SqliteStore::open(place.store_options()))),
          exchange_(must(FlowJudge::plan(*store_))) {
        static_cast<void>(place.geo.refresh());
        options.workers = workers;
        judge_.emplace(FlowJudge::Parts{.store = *store_,
                                        .remembered = *remembered_,
                                        .exchange = exchange_,
                                        .geo = place.geo,
                                        .conditions = conditions_,
                                        .clock = place.clock,
                                        .log = place.book.logger(),
                                        .metrics = place.metrics,
                                        .render = {.organization = "TEST SOC", .geoip = std::nullopt},
                                        .queued = [this] { ++queued_; }},
                       options);
        auto receivers = must(net::UdpReceiver::open({.listen = {{"127.0.0.1", place.port}}}, workers));
        place.port = receivers.front()->ports().front();
        restored_ = must(store_->decoder_state());
        for (std::size_t number = 0; number < workers; ++number)
            add_worker(number, std::move(receivers[number]));
        if (before_begin) before_begin();
        EXPECT_TRUE(judge_->begin());
    }

    /// Each worker and the judge make a round; all datagrams that wait are taken.
    void round() {
        for (const auto& worker : workers_) EXPECT_TRUE(worker->step(0ms));
        judge_->step();
    }
    /// One worker only.
    void step(std::size_t worker) { EXPECT_TRUE(workers_[worker]->step(0ms)); }
    void judge() { judge_->step(); }
    /// Takes datagrams until so many were counted in all.
    void take(std::uint64_t datagrams) {
        for (int tries = 0; tries < 1'000 && place_.datagrams() < datagrams; ++tries) {
            for (const auto& worker : workers_) EXPECT_TRUE(worker->step(1ms));
        }
        EXPECT_EQ(place_.datagrams(), datagrams);
    }
    /// As on SIGTERM.
    void end() {
        std::stop_source stopped;
        stopped.request_stop();
        for (const auto& worker : workers_) EXPECT_TRUE(worker->run(stopped.get_token()));
        workers_.clear();
        judge_->end();
    }

    [[nodiscard]] store::FlowStore& store() { return *store_; }
    [[nodiscard]] store::SqliteStore& remembered() { return *remembered_; }
    [[nodiscard]] FlowExchange& exchange() { return exchange_; }
    [[nodiscard]] Conditions& conditions() { return conditions_; }
    [[nodiscard]] int queued() const { return queued_; }

private:
    template <typename T>
    static T must(Result<T> result) {
        EXPECT_TRUE(result) << (result ? "" : result.error().detail);
        return std::move(result).value();
    }
    void add_worker(std::size_t number, std::unique_ptr<net::UdpReceiver> receiver) {
        Heartbeat& heartbeat = heartbeats_.add("cam-flow");
        workers_.push_back(
            std::make_unique<FlowWorker>(FlowWorker::Parts{.number = number,
                                                           .receiver = std::move(receiver),
                                                           .exchange = exchange_,
                                                           .clock = place_.clock,
                                                           .metrics = FlowMetrics(place_.metrics),
                                                           .heartbeat = heartbeat}));
        std::vector<decode::Decoder::SavedState> states;
        for (const store::DecoderState& state : restored_) states.push_back({state.exporter, state.bytes});
        workers_.back()->restore(states);
    }

    FlowPlace& place_;
    Heartbeats heartbeats_;
    Conditions conditions_;
    std::unique_ptr<store::FlowStore> store_;
    std::unique_ptr<store::SqliteStore> remembered_;
    FlowExchange exchange_;
    std::optional<FlowJudge> judge_;
    std::vector<store::DecoderState> restored_;
    std::vector<std::unique_ptr<FlowWorker>> workers_;
    int queued_ = 0;
};

/// A flow monitor, its operator and the routers that send to it.
class FlowTest : public testing::Test {
protected:
    static Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
    /// A rule on these prefixes, crossed by `bits_per_second` in each of `duration` minutes.
    static Rule rule(const std::string& name, std::vector<std::string> prefixes,
                     std::uint64_t bits_per_second, std::chrono::minutes duration = 1min) {
        Rule made;
        made.name = name;
        for (const std::string& one : prefixes) made.prefixes.push_back(prefix(one));
        made.bandwidth_threshold = bits_per_second;
        made.duration = duration;
        return made;
    }
    /// The operator, by the API's own connection.
    store::FlowStore& operators() {
        if (!operators_) operators_ = std::move(store::FlowStore::open(place_.store_options())).value();
        return *operators_;
    }
    Rule add(const Rule& made) { return operators().create_rule(made, place_.clock.wall()).value(); }

    FlowLife& start(std::size_t workers = 1, FlowJudge::Options options = {},
                    const std::function<void()>& before_begin = {}) {
        life_.reset();
        life_ = std::make_unique<FlowLife>(place_, workers, options, before_begin);
        return *life_;
    }
    void end() {
        life_->end();
        life_.reset();
    }
    static Flow flow(const std::string& destination, std::uint32_t packets = 10,
                     std::uint32_t bytes = 1'000) {
        Flow made;
        const bool is_v6 = destination.find(':') != std::string::npos;
        made.source = FlowAddress::of(is_v6 ? "2a0b:f4c2::1" : "103.118.76.1");
        made.destination = FlowAddress::of(destination);
        made.source_port = 53;
        made.destination_port = 443;
        made.packets = packets;
        made.bytes = bytes;
        return made;
    }
    /// Sends as the router `source` and takes what was sent.
    void send(const std::string& source, FlowFormat format, std::uint32_t sampling,
              const std::vector<Flow>& flows, bool announces = true) {
        auto& exporter = exporters_[{source, format}];
        if (!exporter) {
            exporter = std::make_unique<simulator::FlowExporter>(
                simulator::FlowExporter::Options{.encoding = {.format = format,
                                                              .sampling = sampling,
                                                              .announces_sampling = announces,
                                                              .templates_every = templates_every_},
                                                 .source = source,
                                                 .port = place_.port});
        }
        for (std::size_t first = 0; first < flows.size(); first += kAtOnce) {
            const std::size_t size = std::min(kAtOnce, flows.size() - first);
            sent_ += exporter->send(std::span(flows).subspan(first, size));
            if (life_) life_->take(sent_);
        }
    }
    /// v9, unsampled, from one router: enough for `bits_per_second` over a whole minute.
    void flood(const std::string& destination, std::uint64_t bits_per_second) {
        send("127.0.0.11", FlowFormat::kNetflow9, 1,
             {flow(destination, 1'000, static_cast<std::uint32_t>(bits_per_second * 60 / 8))});
    }
    void pass(std::chrono::milliseconds time) {
        place_.clock.advance(time);
        life_->round();
    }
    /// To a little after the turn of the minute: it is closed and judged.
    void turn_minute() {
        const WallTime now = place_.clock.wall();
        pass(std::chrono::floor<std::chrono::minutes>(now) + 1min - now + 10ms);
    }
    /// Rules that changed are read, for the next minute.
    void follow_rules() {
        const WallTime now = place_.clock.wall();
        const auto into = now - std::chrono::floor<std::chrono::minutes>(now);
        if (into < 2s) pass(2s - into);
        pass(6s);
    }
    static MinuteTime minute(int number) {
        return std::chrono::floor<std::chrono::minutes>(FakeClock::kStart) + std::chrono::minutes{number};
    }
    /// All that is stored of a prefix.
    Volume stored(const std::string& of, int from = -60, int to = 24 * 60) {
        Volume sum;
        EXPECT_TRUE(
            operators().read_minutes(minute(from), minute(to), store::MinuteDetail::kTotals,
                                     [&](const CollectedMinute&, std::span<const PrefixMinute> traffic) {
                                         for (const PrefixMinute& one : traffic) {
                                             if (one.prefix == prefix(of)) sum += one.all();
                                         }
                                     }));
        return sum;
    }
    [[nodiscard]] std::vector<CollectedMinute> collected() {
        return operators().collected_minutes(minute(-60), minute(24 * 60)).value();
    }
    [[nodiscard]] std::uint64_t minutes(const char* result) {
        return place_.counted("cam_flow_windows_total", {{"result", result}});
    }
    /// The messages that wait in the outbox, oldest first; they are taken out.
    std::vector<std::string> told() {
        std::vector<std::string> texts;
        auto store = std::move(store::SqliteStore::open(place_.store_options())).value();
        while (true) {
            const auto next = store->next_message();
            EXPECT_TRUE(next) << next.error().detail;
            if (!next || !*next) return texts;
            texts.push_back((*next)->message.text);
            EXPECT_TRUE(store->mark_delivered((*next)->id, place_.clock.wall(), 1));
        }
    }
    static std::size_t count(const std::vector<std::string>& texts, std::string_view part) {
        return static_cast<std::size_t>(
            std::count_if(texts.begin(), texts.end(),
                          [&](const std::string& text) { return text.find(part) != std::string::npos; }));
    }

    static constexpr std::size_t kAtOnce = 24;  // what a small receive buffer holds
    FlowPlace place_;
    std::uint64_t sent_ = 0;
    std::uint32_t templates_every_ = 20;
    std::unique_ptr<FlowLife> life_;

private:
    std::unique_ptr<store::FlowStore> operators_;
    std::map<std::pair<std::string, FlowFormat>, std::unique_ptr<simulator::FlowExporter>> exporters_;
};

}  // namespace cam::app
