#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "app/clickhouse_judge.h"
#include "cam/clickhouse/record_writer.h"
#include "fakes/app/log_book.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"
#include "fakes/model/flow_records.h"
#include "scale-out/engine.h"

namespace cam::app {

using namespace std::chrono_literals;

/// A real engine, a real database, and a judge whose time the test turns. Records are inserted as the own
/// collector does it, received when the test says.
class JudgeTest : public test::EngineTest {
protected:
    void SetUp() override {
        EngineTest::SetUp();
        if (!engine) return;
        static_cast<void>(geo_.refresh());
    }

    struct Life {
        std::unique_ptr<store::FlowStore> store;
        std::unique_ptr<store::SqliteStore> remembered;
        std::unique_ptr<clickhouse::Client> client;
        std::unique_ptr<Conditions> conditions;
        std::unique_ptr<ClickHouseJudge> judge;
    };
    /// A process begins; the last one, if any, was killed.
    void start(std::chrono::milliseconds call = 20s) {
        life_ = {};
        life_.store = must(store::FlowStore::open(store_options()));
        life_.remembered = must(store::SqliteStore::open(store_options()));
        clickhouse::Client::Options options = engine->options();
        options.database = database_;
        options.total = call;
        life_.client = must(clickhouse::Client::open(options));
        life_.conditions = std::make_unique<Conditions>(
            clock_, book_.logger(), notify::RenderOptions{.organization = "TEST SOC", .geoip = std::nullopt});
        clickhouse::SchemaOptions schema{.database = database_};
        schema.password = Secret{test::Engine::kPassword};
        life_.judge = std::make_unique<ClickHouseJudge>(
            ClickHouseJudge::Parts{.store = *life_.store,
                                   .remembered = *life_.remembered,
                                   .client = *life_.client,
                                   .geo = geo_,
                                   .conditions = *life_.conditions,
                                   .clock = clock_,
                                   .log = book_.logger(),
                                   .metrics = metrics_,
                                   .render = {.organization = "TEST SOC", .geoip = std::nullopt},
                                   .queued = [this] { ++queued_; },
                                   .beat = [this] { ++beats_; },
                                   .board = &board_},
            ClickHouseJudge::Options{.schema = schema, .feed = feed_});
        EXPECT_TRUE(life_.judge->begin());
        step();
    }
    void step() { life_.judge->step({}); }
    /// Time passes, and the judge makes a round.
    void pass(std::chrono::milliseconds time) {
        clock_.advance(time);
        step();
    }
    /// To so far beyond the turn of the minute that it can be judged.
    void turn_minute() {
        const WallTime now = clock_.wall();
        pass(std::chrono::floor<std::chrono::minutes>(now) + 1min + 3s - now);
    }
    [[nodiscard]] MinuteTime now() const { return std::chrono::floor<std::chrono::minutes>(clock_.wall()); }
    static Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }
    Rule add(const std::string& name, const std::vector<std::string>& prefixes, std::uint64_t bits_per_second,
             std::chrono::minutes duration = 1min) {
        Rule rule;
        rule.name = name;
        for (const std::string& one : prefixes) rule.prefixes.push_back(prefix(one));
        rule.bandwidth_threshold = bits_per_second;
        rule.duration = duration;
        return operators().create_rule(rule, clock_.wall()).value();
    }
    void list(const std::string& name, const std::string& address) {
        const Router router{
            .id = {}, .name = name, .address = IpAddress::parse(address).value(), .default_sampling = 0};
        EXPECT_TRUE(operators().create_router(router, clock_.wall()));
    }
    /// The next process has that database.
    void use_file(const std::string& path) {
        operators_.reset();
        store_override_ = path;
    }
    /// A copy of the database as an operator makes it while the judge runs.
    std::string backup(const std::string& name) {
        const std::string copy = folder_.file(name);
        const auto done = test::run({.arguments = {"sqlite3", store_options().path, ".backup '" + copy + "'"},
                                     .folder = folder_.path(),
                                     .environment = {},
                                     .program = "/usr/bin/env"});
        EXPECT_EQ(done.status, 0) << done.err;
        return copy;
    }
    store::FlowStore& operators() {
        if (!operators_) operators_ = must(store::FlowStore::open(store_options()));
        return *operators_;
    }

    static FlowRecord record(const std::string& destination, std::uint64_t bytes, std::uint64_t packets) {
        const bool is_v4 = destination.find(':') == std::string::npos;
        return test::flow(test::address(destination), {.bytes = bytes,
                                                       .packets = packets,
                                                       .one_in = std::nullopt,
                                                       .source = is_v4 ? "103.118.76.1" : "2a0b:f4c2::1",
                                                       .source_port = std::uint16_t{53},
                                                       .destination_port = std::uint16_t{443}});
    }
    /// Received by that collector at that time; written later, with write().
    void receive(WallTime at, const FlowRecord& one, const std::string& collector = "here/0",
                 const std::string& exporter = "127.0.0.11") {
        auto& encoder = encoders_.try_emplace(collector, collector).first->second;
        encoder.add(ExporterKey{IpAddress::parse(exporter).value()}, at, std::span(&one, 1));
    }
    void write() {
        clickhouse::Client::Options options = engine->options();
        options.database = database_;
        const auto writing = must(clickhouse::Client::open(options));
        clickhouse::RecordWriter writer(*writing, {});
        for (auto& [_, encoder] : encoders_) writer.add(encoder.take(), SteadyTime{});
        writer.close_batch();
        while (writer.counts().rows_waiting > 0) {
            const Status written = writer.write(SteadyTime{1h}, {});
            ASSERT_TRUE(written) << written.error().detail;
        }
    }
    /// A minute of so many Mbit/s to the target, and a record that shows the collector to be beyond it.
    void minute_of(double mbps, const std::string& destination = "185.54.82.4") {
        const MinuteTime minute = now();
        const auto bytes = static_cast<std::uint64_t>(mbps * 7.5e6);
        if (bytes > 0) receive(minute + 5s, record(destination, bytes, bytes / 750));
        receive(minute + 6s, record("203.0.113.9", 40, 1));  // to nobody's prefix
        receive(minute + 1min + 2s, record("203.0.113.9", 40, 1));
        write();
        turn_minute();
    }
    [[nodiscard]] std::vector<Alert> active() { return operators().active_alerts().value(); }
    [[nodiscard]] std::vector<Alert> alerts() {
        return operators().alerts({.active = {}, .rule_id = {}, .since = {}, .limit = 1'000}).value();
    }
    [[nodiscard]] std::uint64_t windows(const char* result) {
        return metrics_.counter("cam_flow_windows_total", "", {{"result", result}}).value();
    }
    /// The messages that wait in the outbox, oldest first; they are taken out.
    std::vector<std::string> told() {
        std::vector<std::string> texts;
        auto store = must(store::SqliteStore::open(store_options()));
        while (true) {
            const auto next = store->next_message();
            EXPECT_TRUE(next);
            if (!next || !*next) return texts;
            texts.push_back((*next)->message.text);
            EXPECT_TRUE(store->mark_delivered((*next)->id, clock_.wall(), 1));
        }
    }
    static std::size_t count(const std::vector<std::string>& texts, std::string_view part) {
        return static_cast<std::size_t>(
            std::count_if(texts.begin(), texts.end(),
                          [&](const std::string& text) { return text.find(part) != std::string::npos; }));
    }
    [[nodiscard]] store::SqliteStore::Options store_options() const {
        const std::string file = store_override_.empty() ? folder_.file("magic_transit.db") : store_override_;
        return {.path = file, .access = store::Access::kReadWrite, .busy = 20ms};
    }
    template <typename T>
    static T must(Result<T> result) {
        EXPECT_TRUE(result) << (result ? "" : result.error().detail);
        return std::move(result).value();
    }

    TempFolder folder_;
    // Half a day ago: nothing is too old for the tables, and nothing lies in the future.
    FakeClock clock_{WallTime{std::chrono::floor<std::chrono::minutes>(SystemClock{}.wall())} -
                     std::chrono::hours{12} + 10s};
    LogBook book_;
    MetricRegistry metrics_;
    enrich::GeoDatabases geo_{{.city = {CAM_TEST_DATA "/geoip/GeoIP2-City.mmdb"},
                               .asn = {CAM_TEST_DATA "/geoip/GeoLite2-ASN.mmdb"},
                               .scratch_folder = folder_.path()}};
    std::string store_override_;  ///< another file; empty: the usual one
    std::string database_ = "flows";
    MinuteFeed::Options feed_{};
    FlowBoard board_;
    Life life_;
    std::map<std::string, clickhouse::RecordEncoder> encoders_;
    int queued_ = 0;
    int beats_ = 0;

private:
    std::unique_ptr<store::FlowStore> operators_;
};

}  // namespace cam::app
