#include "app/flow_monitor.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/flow_judge.h"
#include "app/flow_listening.h"
#include "app/flow_retry.h"
#include "app/flow_stores.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;

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
    run_with_retries(around, heartbeat, "The flow monitor cannot begin", stop,
                     [&] { return monitor(around, heartbeat, queued, stop); });
}

}  // namespace cam::app
