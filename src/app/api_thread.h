#pragma once

#include <stop_token>

#include "app/monitor_parts.h"

namespace cam::app {

/// Keeps the HTTP API up until asked to stop: a taken or missing address is reported once and tried again for
/// ever. Runs on the thread `cam-http`.
void serve_api(const Surroundings& around, Heartbeat& heartbeat, const std::stop_token& stop);

}  // namespace cam::app
