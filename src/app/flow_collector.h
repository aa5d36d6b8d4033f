#pragma once

#include <functional>
#include <stop_token>

#include "app/monitor_parts.h"

namespace cam::app {

/// The own collector with ClickHouse as the store, until stopped, on the calling thread (`cam-collect`), on
/// workers (`cam-flow-N`) and on a thread that writes (`cam-records`): listens, decodes, writes every record
/// to ClickHouse. Where it cannot listen or the database does not open, it says so once and tries again.
void run_flow_collector(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
                        const std::stop_token& stop);

}  // namespace cam::app
