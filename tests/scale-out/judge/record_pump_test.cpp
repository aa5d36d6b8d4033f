// From the flow workers' queue into ClickHouse: nothing counted twice, nothing lost unsaid.

#include <atomic>
#include <random>
#include <thread>

#include "app/record_pump.h"
#include "cam/clickhouse/schema.h"
#include "judge_fixture.h"

namespace cam::app {
namespace {

class RecordPumpTest : public JudgeTest {
protected:
    void SetUp() override {
        JudgeTest::SetUp();
        if (!engine) return;
        clickhouse::SchemaOptions schema;
        schema.password = Secret{test::Engine::kPassword};
        ASSERT_TRUE(clickhouse::migrate(*client, schema, {}));
        remembered_ = must(store::SqliteStore::open(store_options()));
    }
    void begin(clickhouse::RecordWriter::Options options, std::size_t queue_bytes = 64 << 20,
               std::chrono::milliseconds call = 2s) {
        clickhouse::Client::Options to = engine->options();
        to.total = call;
        options.total = call;
        writing_ = must(clickhouse::Client::open(to));
        queue_ = std::make_unique<RecordQueue>(queue_bytes);
        writer_ = std::make_unique<clickhouse::RecordWriter>(*writing_, options);
        conditions_ = std::make_unique<Conditions>(
            clock_, book_.logger(), notify::RenderOptions{.organization = "TEST SOC", .geoip = std::nullopt});
        pump_ = std::make_unique<RecordPump>(RecordPump::Parts{.queue = *queue_,
                                                               .writer = *writer_,
                                                               .remembered = *remembered_,
                                                               .conditions = *conditions_,
                                                               .clock = clock_,
                                                               .log = book_.logger(),
                                                               .metrics = metrics_,
                                                               .queued = [] {},
                                                               .beat = [] {},
                                                               .batches_beat = [this] { ++batches_beats_; }},
                                             RecordPump::Options{});
    }
    /// A worker takes so many records.
    void take(QueueOutlet& outlet, int count) {
        for (int i = 0; i < count; ++i) {
            FlowRecord one = record("185.54.82.4", random_() % 1'000'000, random_() % 1'000);
            one.source_port = static_cast<std::uint16_t>(random_());  // so that it cannot be compressed away
            one.destination_port = static_cast<std::uint16_t>(random_());
            outlet.take(ExporterKey{IpAddress::parse("127.0.0.11").value()}, clock_.wall(),
                        std::span(&one, 1));
        }
        outlet.flush();
    }
    void rounds(int count) {
        for (int i = 0; i < count; ++i) {
            clock_.advance(2s);
            pump_->step(0ms, {});
        }
    }
    [[nodiscard]] std::uint64_t rows(const char* result) {
        return metrics_.counter("cam_clickhouse_rows_total", "", {{"result", result}}).value();
    }
    std::string stored() { return ask("SELECT count() FROM flows.raw"); }
    /// How many records `raw` holds, and every table that its views fill.
    std::vector<std::uint64_t> counted() {
        std::vector<std::uint64_t> out;
        for (const char* what : {"count() FROM flows.raw",  //
                                 "sum(records) FROM flows.prefix_minutes WHERE prefix_id = 0",
                                 "sum(records) FROM flows.collector_minutes",
                                 "sum(flows) FROM flows.interface_minutes WHERE direction = 'in'",
                                 "sum(flows) FROM flows.prefix_days WHERE prefix_id = 0"}) {
            out.push_back(std::stoull(ask(std::string{"SELECT "} + what)));
        }
        return out;
    }

    std::mt19937 random_{7};
    std::unique_ptr<store::SqliteStore> remembered_;
    std::unique_ptr<clickhouse::Client> writing_;
    std::unique_ptr<RecordQueue> queue_;
    std::unique_ptr<clickhouse::RecordWriter> writer_;
    std::unique_ptr<Conditions> conditions_;
    std::unique_ptr<RecordPump> pump_;
    std::atomic<int> batches_beats_ = 0;
};

TEST_F(RecordPumpTest, WhatWorkersTakeIsStoredOnceOverARestartOfTheServer) {
    begin({});
    QueueOutlet first(*queue_, "here/0");
    QueueOutlet second(*queue_, "here/1");
    take(first, 3'000);
    take(second, 2'000);
    rounds(2);
    EXPECT_EQ(stored(), "5000");
    engine->kill();
    take(first, 1'500);
    rounds(40);
    EXPECT_EQ(rows("written"), 5'000U);
    const auto texts = told();
    EXPECT_EQ(count(texts, "Flow records cannot be written to ClickHouse"), 1U);
    EXPECT_EQ(texts.size(), 1U) << "told once";
    EXPECT_EQ(metrics_.gauge("cam_clickhouse_waiting_rows", "").value(), 1'500);
    engine->start();
    rounds(12);
    EXPECT_EQ(stored(), "6500");
    EXPECT_EQ(rows("written"), 6'500U);
    EXPECT_EQ(rows("dropped"), 0U);
    EXPECT_EQ(count(told(), "written to ClickHouse again"), 1U);
}

TEST_F(RecordPumpTest, WhileOneBatchIsSentTheNextOneIsMade) {
    begin({.batch_rows = 1'000}, 64 << 20, 60s);
    QueueOutlet outlet(*queue_, "here/0");
    std::jthread pumping([this](const std::stop_token& stop) { pump_->run(stop); });
    engine->pause();
    for (int i = 0; i < 2; ++i) take(outlet, 500);
    // The first batch is on its way: taken from those that wait to be sent, and not answered.
    EXPECT_TRUE(test::eventually(
        [this] { return writer_->counts().rows_waiting == 1'000 && writer_->due() == SteadyTime::max(); }));
    const int beats = batches_beats_;
    for (int i = 0; i < 18; ++i) take(outlet, 500);
    EXPECT_TRUE(test::eventually([this] { return writer_->counts().rows_waiting == 10'000; }));
    EXPECT_EQ(queue_->bytes(), 0U);
    EXPECT_TRUE(test::eventually([this] { return writer_->due() == SteadyTime::min(); }))
        << "a closed batch waits";
    EXPECT_TRUE(test::eventually([&] { return batches_beats_ > beats + 1; }));
    EXPECT_EQ(writer_->counts().batches_written, 0U);
    EXPECT_EQ(writer_->counts().failures, 0U) << "all in one call";
    engine->go_on();
    EXPECT_TRUE(test::eventually([this] { return rows("written") >= 9'000; }));
    pumping.request_stop();
    pumping.join();
    pump_->finish();
    EXPECT_EQ(rows("written"), 10'000U);
    EXPECT_EQ(stored(), "10000");
}

TEST_F(RecordPumpTest, AServerThatHangsInTheMiddleCountsNothingTwice) {
    begin({});
    QueueOutlet outlet(*queue_, "here/0");
    take(outlet, 1'000);
    engine->pause();
    rounds(2);
    EXPECT_EQ(rows("written"), 0U);
    engine->go_on();
    rounds(12);
    EXPECT_EQ(stored(), "1000");
    EXPECT_EQ(ask("SELECT sum(records) FROM flows.prefix_minutes WHERE prefix_id = 0"), "1000");
    EXPECT_EQ(rows("written"), 1'000U);
}

TEST_F(RecordPumpTest, WhatWasWrittenUnansweredBeforeAKillCountsOnce) {
    begin({});
    QueueOutlet outlet(*queue_, "here/0");
    take(outlet, 1'000);
    engine->pause();
    rounds(2);  // the batch lies before the server, the call has given up
    ASSERT_EQ(rows("written"), 0U);
    engine->go_on();
    ASSERT_TRUE(test::eventually([this] { return stored() == "1000"; }));
    engine->kill();
    engine->start();
    EXPECT_EQ(stored(), "1000");
    rounds(12);
    EXPECT_EQ(rows("written"), 1'000U);
    EXPECT_EQ(counted(), std::vector<std::uint64_t>(5, 1'000));
}

/// A server without a cluster notes a token some 0.4 ms before it shows the part: killed in between, it
/// refuses the batch for ever that it has not. That is rare, and one batch in one table.
TEST_F(RecordPumpTest, AServerKilledAmidItsWritesRepeatsNothing) {
    constexpr int kBatches = 20;
    constexpr std::uint64_t kRows = 40'000;
    constexpr std::uint64_t kAll = kBatches * kRows;
    begin({.batch_rows = kRows});
    clickhouse::RecordEncoder encoder("here/0");
    for (int batch = 0; batch < kBatches; ++batch) {
        for (std::uint64_t i = 0; i < kRows; ++i) {
            const FlowRecord one = record("185.54.82.4", random_() % 1'000'000, random_() % 1'000);
            encoder.add(ExporterKey{IpAddress::parse("127.0.0.11").value()}, clock_.wall(),
                        std::span(&one, 1));
        }
        writer_->add(encoder.take(), SteadyTime{});
    }
    std::atomic<int> attempts = 0;
    std::atomic<bool> is_done = false;
    const std::jthread writing([&](const std::stop_token& stop) {
        while (writer_->counts().rows_waiting > 0 && !stop.stop_requested()) {
            ++attempts;
            if (!writer_->write(SteadyTime{1h}, stop)) test::pause(20ms);
        }
        is_done = true;
    });
    int kills = 0;
    for (; kills < 5 && !is_done; ++kills) {
        const int seen = attempts;
        test::eventually([&] { return attempts > seen + 1 || is_done; });
        test::pause(std::chrono::milliseconds{random_() % 300});
        engine->kill();
        engine->start();
    }
    EXPECT_GT(kills, 2);
    ASSERT_TRUE(test::eventually([&] { return is_done.load(); }));
    EXPECT_EQ(writer_->counts().rows_written, kAll);
    for (const std::uint64_t records : counted()) {
        EXPECT_TRUE(records == kAll || records == kAll - kRows) << records;
    }
}

TEST_F(RecordPumpTest, WhatTheBufferCannotKeepIsCountedAndTold) {
    begin({.batch_rows = 1'000, .buffer_bytes = 64 << 10}, 4 << 20);
    engine->kill();
    QueueOutlet outlet(*queue_, "here/0");
    for (int i = 0; i < 40; ++i) {
        take(outlet, 2'000);
        rounds(1);
    }
    const std::uint64_t dropped = rows("dropped");
    EXPECT_GT(dropped, 0U);
    EXPECT_EQ(count(told(), "Flow records are lost on the way to ClickHouse"), 1U);
    engine->start();
    rounds(200);
    EXPECT_EQ(rows("written") + rows("dropped"), 80'000U);
    EXPECT_EQ(stored(), std::to_string(rows("written")));
    EXPECT_EQ(count(told(), "written to ClickHouse again"), 1U) << "five minutes after the last loss";
}

TEST_F(RecordPumpTest, OnStopWhatWaitsIsWrittenOrSaid) {
    begin({.batch_age = 1h});
    QueueOutlet outlet(*queue_, "here/0");
    take(outlet, 700);
    pump_->finish();
    EXPECT_EQ(stored(), "700");
    take(outlet, 300);
    engine->kill();
    const auto before = SystemClock{}.steady();
    pump_->finish();
    EXPECT_LT(SystemClock{}.steady() - before, 5s);
    EXPECT_EQ(rows("dropped"), 300U);
    EXPECT_EQ(book_.count("flow records dropped, the process ends before ClickHouse takes them rows=300"),
              1U);
}

}  // namespace
}  // namespace cam::app
