#pragma once

#include <functional>
#include <stop_token>

#include "app/flow_board.h"
#include "app/monitor_parts.h"

namespace cam::app {

/// The flow monitor until stopped, on the calling thread (`cam-evaluate`) and on workers of its own
/// (`cam-flow-N`): listens, counts, judges. Where it cannot listen or the database does not open, it says so
/// once and tries again. `queued` is called when messages went into the outbox.
void run_flow_monitor(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
                      const std::stop_token& stop);

}  // namespace cam::app
