#include "app/flow_monitor.h"

#include <algorithm>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include <pthread.h>

#include <spdlog/fmt/fmt.h>

#include "app/flow_judge.h"
#include "app/flow_metrics.h"
#include "app/flow_worker.h"
#include "cam/base/backoff.h"
#include "cam/net/udp_receiver.h"
#include "cam/store/flow_store.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRound{1'000};
constexpr std::size_t kMostWorkers = 4;

/// One core in two, unless the settings say: the others are for the kernel and for everything else.
std::size_t worker_count(const Settings::Flow& flow) {
    if (flow.workers > 0) return flow.workers;
    return std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, kMostWorkers);
}

using Receivers = std::vector<std::unique_ptr<net::UdpReceiver>>;

/// Tries until it listens; empty if stopped before.
Receivers listen(const Surroundings& around, store::SqliteStore& remembered, Heartbeat& heartbeat,
                 const std::function<void()>& queued, const std::stop_token& stop) {
    const net::UdpReceiver::Options options = receiver_options(around.settings.flow);
    Backoff backoff({.first = seconds{2}, .most = seconds{60}});
    while (!stop.stop_requested()) {
        auto receivers = net::UdpReceiver::open(options, worker_count(around.settings.flow));
        if (receivers) {
            around.conditions.clear(Condition::kFlowListener, "Flows are received again", &remembered);
            return std::move(*receivers);
        }
        around.conditions.raise(
            Condition::kFlowListener,
            {.state = receivers.error().code == ErrorCode::kBusy ? "taken" : "refused",
             .headline = "Flows cannot be received",
             .details = {receivers.error().detail, "tried again; traffic is unknown until then"},
             .tell = Tell::kLogAndSoc},
            &remembered);
        queued();
        sleep_beating(around.clock, around.clock.steady() + backoff.next(), stop, heartbeat);
    }
    return {};
}

void log_listening(const Surroundings& around, const Receivers& receivers) {
    std::string ports;
    for (const std::uint16_t port : receivers.front()->ports()) {
        ports += fmt::format("{}{}", ports.empty() ? "" : ",", port);
    }
    const std::size_t granted = receivers.front()->granted_buffer_bytes();
    around.log->info("flow monitor listening ports={} workers={} receive_buffer_bytes={}", ports,
                     receivers.size(), granted);
    if (granted < around.settings.flow.receive_buffer_bytes) {
        around.log->warn(
            "receive buffer capped by the kernel asked={} granted={} remedy=\"raise net.core.rmem_max\"",
            around.settings.flow.receive_buffer_bytes, granted);
    }
    if (!receivers.front()->is_spread_by_address()) {
        around.log->warn(
            "kernel spreads datagrams by port too; set flow.workers to 1 if templates go missing");
    }
}

/// The threads that receive. They end, and hand over their last minute, when this does.
class Workers {
public:
    Workers(const Surroundings& around, Receivers receivers, FlowExchange& exchange,
            const std::vector<store::DecoderState>& states) {
        const FlowMetrics metrics(around.metrics);
        const std::size_t count = receivers.size();
        const bool is_spread = receivers.front()->is_spread_by_address();
        for (std::size_t number = 0; number < count; ++number) {
            std::vector<decode::Decoder::SavedState> own;
            for (const store::DecoderState& state : states) {
                const auto owner = net::UdpReceiver::worker_of(state.exporter.address(), count);
                if (!is_spread || owner == number) own.push_back({state.exporter, state.bytes});
            }
            Heartbeat& heartbeat = around.heartbeats.add(fmt::format("cam-flow-{}", number));
            workers_.push_back(
                std::make_unique<FlowWorker>(FlowWorker::Parts{.number = number,
                                                               .receiver = std::move(receivers[number]),
                                                               .exchange = exchange,
                                                               .clock = around.clock,
                                                               .metrics = metrics,
                                                               .heartbeat = heartbeat}));
            workers_.back()->restore(own);
        }
        for (std::size_t number = 0; number < count; ++number) {
            threads_.emplace_back([this, number, log = around.log](const std::stop_token& stop) {
                ::pthread_setname_np(::pthread_self(), fmt::format("cam-flow-{}", number).c_str());
                run(*workers_[number], log, stop);
            });
        }
    }

    void stop() {
        for (std::jthread& thread : threads_) thread.request_stop();
        threads_.clear();
    }

private:
    static void run(FlowWorker& worker, const Logger& log, const std::stop_token& stop) {
        try {
            const Status status = worker.run(stop);
            if (!status) log->error("flow worker ended reason={}", quote(status.error().detail));
            check(status.has_value(), "a flow worker cannot receive");
        } catch (const std::exception& failure) {
            log->critical("thread failed, the process stops thread=cam-flow reason={}",
                          quote(failure.what()));
            check(false, "exception out of a thread");
        }
    }

    std::vector<std::unique_ptr<FlowWorker>> workers_;
    std::vector<std::jthread> threads_;
};

/// The thread's own connections to the database.
struct FlowSide {
    std::unique_ptr<store::FlowStore> store;
    std::unique_ptr<store::SqliteStore> remembered;
};

Result<FlowSide> open_stores(const Surroundings& around) {
    const auto options = store_options(around.settings, store::Access::kReadWrite);
    FlowSide side;
    auto flows = store::FlowStore::open(options);
    if (!flows) return flows.error();
    side.store = std::move(*flows);
    auto remembered = store::SqliteStore::open(options);
    if (!remembered) return remembered.error();
    side.remembered = std::move(*remembered);
    return side;
}

/// One try, until stopped or until the database refuses to begin.
Status monitor(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
               const std::stop_token& stop) {
    auto side = open_stores(around);
    if (!side) return side.error();
    auto states = side->store->decoder_state();
    if (!states) {
        around.log->warn("decoder state cannot be read, templates begin anew reason={}",
                         quote(states.error().detail));
        states = std::vector<store::DecoderState>{};
    }
    Receivers receivers = listen(around, *side->remembered, heartbeat, queued, stop);
    if (receivers.empty()) return Done{};
    auto plan = FlowJudge::plan(*side->store);
    if (!plan) return plan.error();
    log_listening(around, receivers);
    const auto exchange = std::make_shared<FlowExchange>(std::move(*plan));
    FlowJudge judge({.store = *side->store,
                     .remembered = *side->remembered,
                     .exchange = *exchange,
                     .geo = around.geo,
                     .conditions = around.conditions,
                     .clock = around.clock,
                     .log = around.log,
                     .metrics = around.metrics,
                     .render = render_options(around.settings),
                     .queued = queued,
                     .events = &around.events},
                    {.workers = receivers.size()});
    Workers workers(around, std::move(receivers), *exchange, *states);
    around.flow_board.attach(exchange);
    // Receiving has begun; the past is read meanwhile.
    Status begun = judge.begin();
    while (begun && !stop.stop_requested()) {
        heartbeat.beat();
        judge.step();
        exchange->wait(kRound, stop);
    }
    workers.stop();
    if (begun) judge.end();
    around.flow_board.detach();
    return begun;
}

}  // namespace

net::UdpReceiver::Options receiver_options(const Settings::Flow& flow) {
    net::UdpReceiver::Options options{.listen = {}, .receive_buffer_bytes = flow.receive_buffer_bytes};
    for (const ListenAddress& address : flow.listen) {
        options.listen.push_back({address.host == "localhost" ? "127.0.0.1" : address.host, address.port});
    }
    return options;
}

void run_flow_monitor(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
                      const std::stop_token& stop) {
    Backoff backoff({.first = seconds{2}, .most = seconds{60}});
    while (!stop.stop_requested()) {
        const Status status = monitor(around, heartbeat, queued, stop);
        if (status) break;
        around.conditions.raise(Condition::kFlowStore,
                                {.state = "unreadable",
                                 .headline = "The flow monitor cannot begin",
                                 .details = {status.error().detail, "tried again"},
                                 .tell = Tell::kLogAndSoc},
                                nullptr);
        sleep_beating(around.clock, around.clock.steady() + backoff.next(), stop, heartbeat);
    }
    heartbeat.rest();
}

}  // namespace cam::app
