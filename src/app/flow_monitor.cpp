#include "app/flow_monitor.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/flow_judge.h"
#include "app/flow_listening.h"
#include "app/flow_stores.h"
#include "cam/base/backoff.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRound{1'000};

/// One try, until stopped or until the database refuses to begin.
Status monitor(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
               const std::stop_token& stop) {
    auto side = open_flow_stores(around);
    if (!side) return side.error();
    const std::vector<store::DecoderState> states = saved_states(around, *side->store);
    FlowReceivers receivers = listen_for_flows(around, *side->remembered, heartbeat, queued, stop);
    if (receivers.empty()) return Done{};
    auto plan = FlowJudge::plan(*side->store);
    if (!plan) return plan.error();
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
    FlowWorkers workers(around, std::move(receivers), *exchange, states);
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
