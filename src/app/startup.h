#pragma once

#include <optional>
#include <stop_token>

#include "app/monitor_parts.h"
#include "cam/model/message.h"

namespace cam::app {

/// Gathers what the startup report says and queues it. What does not answer in time is said to be unknown;
/// takes ten seconds at most, so it runs on a thread of its own.
void queue_startup_report(const Surroundings& around, const std::optional<PollGap>& gap,
                          const std::stop_token& stop);

/// Queues the report that we stop now. Only asks the database.
void queue_shutdown_report(const Surroundings& around, store::SqliteStore& store);

}  // namespace cam::app
