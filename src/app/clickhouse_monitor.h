#pragma once

#include <functional>
#include <stop_token>

#include "app/monitor_parts.h"

namespace cam::app {

/// Judges on ClickHouse until stopped, on the calling thread (`cam-evaluate`). Where the database does not
/// open it says so once and tries again. `queued` is called when messages went into the outbox.
void run_clickhouse_monitor(const Surroundings& around, Heartbeat& heartbeat,
                            const std::function<void()>& queued, const std::stop_token& stop);

}  // namespace cam::app
