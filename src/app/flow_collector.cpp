#include "app/flow_collector.h"

#include <array>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "app/clickhouse_settings.h"
#include "app/flow_listening.h"
#include "app/flow_retry.h"
#include "app/flow_stores.h"
#include "app/kafka_outlets.h"
#include "app/kafka_watch.h"
#include "app/record_pump.h"
#include "app/rule_sets.h"
#include "cam/base/check.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kRound{1'000};

/// By what the judge tells sources of records apart: the machine, the database file's process and the worker.
std::string collector_name(std::size_t worker) {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) host = {'?'};
    return fmt::format("{}:{}/{}", host.data(), ::getpid(), worker);
}

/// `cam-records`: everything between the workers' queue and ClickHouse.
class RecordThread {
public:
    static Result<std::unique_ptr<RecordThread>> start(const Surroundings& around,
                                                       const std::function<void()>& queued) {
        const Settings::Traffic::ClickHouse& settings = around.settings.traffic.clickhouse;
        auto thread = std::unique_ptr<RecordThread>(new RecordThread(around, settings.buffer_bytes));
        const clickhouse::RecordWriter::Options options = writer_options(settings);
        auto client = clickhouse::Client::open(clickhouse_options(settings, options.total));
        if (!client) return client.error();
        thread->client_ = std::move(*client);
        auto remembered = store::SqliteStore::open(store_options(around.settings, store::Access::kReadWrite));
        if (!remembered) return remembered.error();
        thread->remembered_ = std::move(*remembered);
        thread->writer_ = std::make_unique<clickhouse::RecordWriter>(*thread->client_, options);
        thread->run(queued);
        return thread;
    }
    ~RecordThread() {
        finish();
        beat_.rest();
        batches_beat_.rest();
    }
    RecordThread(const RecordThread&) = delete;
    RecordThread& operator=(const RecordThread&) = delete;
    [[nodiscard]] RecordQueue& queue() { return queue_; }
    /// The workers have ended.
    void finish() {
        thread_.request_stop();
        if (thread_.joinable()) thread_.join();
    }

private:
    RecordThread(const Surroundings& around, std::size_t queue_bytes)
        : around_(around),
          beat_(around.heartbeats.add("cam-records")),
          batches_beat_(around.heartbeats.add("cam-batches")),
          queue_(queue_bytes) {}

    void run(const std::function<void()>& queued) {
        pump_ =
            std::make_unique<RecordPump>(RecordPump::Parts{.queue = queue_,
                                                           .writer = *writer_,
                                                           .remembered = *remembered_,
                                                           .conditions = around_.conditions,
                                                           .clock = around_.clock,
                                                           .log = around_.log,
                                                           .metrics = around_.metrics,
                                                           .queued = queued,
                                                           .beat = [this] { beat_.beat(); },
                                                           .batches_beat = [this] { batches_beat_.beat(); }},
                                         RecordPump::Options{});
        thread_ = std::jthread([this](const std::stop_token& stop) {
            ::pthread_setname_np(::pthread_self(), "cam-records");
            try {
                pump_->run(stop);
                batches_beat_.rest();
                pump_->finish();
                beat_.rest();
            } catch (const std::exception& failure) {
                around_.log->critical("thread failed, the process stops thread=cam-records reason={}",
                                      quote(failure.what()));
                check(false, "exception out of a thread");
            }
        });
    }

    const Surroundings& around_;
    Heartbeat& beat_;
    Heartbeat& batches_beat_;
    RecordQueue queue_;
    std::unique_ptr<clickhouse::Client> client_;
    std::unique_ptr<store::SqliteStore> remembered_;
    std::unique_ptr<clickhouse::RecordWriter> writer_;
    std::unique_ptr<RecordPump> pump_;
    std::jthread thread_;
};

/// Templates and sampling that the workers have learned.
class StateKeeper {
public:
    StateKeeper(store::FlowStore& store, const Clock& clock) : store_(store), clock_(clock) {}
    void keep(FlowExchange& exchange) {
        static_cast<void>(exchange.take_minutes());
        for (decode::Decoder::SavedState& state : exchange.take_states())
            states_.push_back({state.exporter, std::move(state.bytes)});
        if (states_.empty()) return;
        const bool is_saved = store_.save_decoder_state(states_, clock_.wall()).has_value();
        if (is_saved || states_.size() > kMost) states_.clear();  // exporters send their templates again
    }

private:
    static constexpr std::size_t kMost = 256;
    store::FlowStore& store_;
    const Clock& clock_;
    std::vector<store::DecoderState> states_;
};

/// Where the records go: into ClickHouse, or into the Kafka topic that it reads. Made before the workers,
/// ended after them.
class RecordWay {
public:
    static Result<std::unique_ptr<RecordWay>> open(const Surroundings& around, store::SqliteStore& remembered,
                                                   std::size_t workers, const std::function<void()>& queued) {
        auto way = std::unique_ptr<RecordWay>(new RecordWay);
        const Settings::Traffic::Producer& kafka = around.settings.traffic.kafka;
        if (kafka.brokers.empty()) {
            auto records = RecordThread::start(around, queued);
            if (!records) return records.error();
            way->records_ = std::move(*records);
            return way;
        }
        auto outlets = KafkaOutlets::open(kafka, workers, around.log);
        if (!outlets) return outlets.error();
        way->kafka_ = std::move(*outlets);
        way->watch_ = std::make_unique<KafkaWatch>(KafkaWatch::Parts{.outlets = *way->kafka_,
                                                                     .remembered = remembered,
                                                                     .conditions = around.conditions,
                                                                     .clock = around.clock,
                                                                     .log = around.log,
                                                                     .metrics = around.metrics,
                                                                     .queued = queued});
        return way;
    }
    std::unique_ptr<RecordOutlet> outlet(std::size_t number) {
        if (kafka_) return kafka_->take(number);
        return std::make_unique<QueueOutlet>(records_->queue(), collector_name(number));
    }
    void look() {
        if (watch_) watch_->look();
    }
    /// The workers have ended.
    void finish() {
        if (records_) records_->finish();
        look();
    }

private:
    RecordWay() = default;
    std::unique_ptr<RecordThread> records_;
    std::unique_ptr<KafkaOutlets> kafka_;
    std::unique_ptr<KafkaWatch> watch_;
};

/// One try, until stopped or until the database refuses to begin.
Status collect(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
               const std::stop_token& stop) {
    auto side = open_flow_stores(around);
    if (!side) return side.error();
    const std::vector<store::DecoderState> states = saved_states(around, *side->store);
    FlowReceivers receivers = listen_for_flows(around, *side->remembered, heartbeat, queued, stop);
    if (receivers.empty()) return Done{};
    auto way = RecordWay::open(around, *side->remembered, receivers.size(), queued);
    if (!way) return way.error();
    // Routers that the operator named are never pushed out by strangers; prefixes are ClickHouse's.
    auto set = load_rules(*side->store);
    if (!set) return set.error();
    set->rules.clear();
    const auto exchange = std::make_shared<FlowExchange>(plan_of(*set));
    FlowWorkers workers(around, std::move(receivers), *exchange, states,
                        [&](std::size_t number) { return (*way)->outlet(number); });
    around.flow_board.attach(exchange);
    StateKeeper keeper(*side->store, around.clock);
    ExporterMetrics metrics(around.metrics);
    while (!stop.stop_requested()) {
        heartbeat.beat();
        keeper.keep(*exchange);
        (*way)->look();
        metrics.show(exchange->exporters());
        around.clock.sleep_until(around.clock.steady() + kRound, stop);
    }
    workers.stop();
    (*way)->finish();
    keeper.keep(*exchange);
    around.flow_board.detach();
    return Done{};
}

}  // namespace

void run_flow_collector(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
                        const std::stop_token& stop) {
    run_with_retries(around, heartbeat, "The flow collector cannot begin", stop,
                     [&] { return collect(around, heartbeat, queued, stop); });
}

}  // namespace cam::app
