#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "app/heartbeat.h"
#include "app/monitor_parts.h"

namespace cam::app {

/// Calls `run` until it ends well or `stop` is asked for. Each failure is raised as Condition::kFlowStore
/// under `headline`, and `run` is called again after a backoff of 2 to 60 seconds.
void run_with_retries(const Surroundings& around, Heartbeat& heartbeat, const std::string& headline,
                      const std::stop_token& stop, const std::function<Status()>& run);

}  // namespace cam::app
