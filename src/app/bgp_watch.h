#pragma once

#include <optional>
#include <stop_token>

#include "app/heartbeat.h"
#include "app/monitor_parts.h"
#include "cam/model/reports.h"

namespace cam::app {

/// Asks Cloudflare which BGP prefixes are advertised, for 8 s at most, and puts the answer on the status
/// board. None: Cloudflare did not tell; the board keeps what it had.
std::optional<BgpStatus> ask_bgp(const Surroundings& around, const std::stop_token& stop);

enum class BgpFirst { kNow, kLater };
/// Asks every 15 minutes until stopped.
void watch_bgp(const Surroundings& around, BgpFirst first, Heartbeat& heartbeat, const std::stop_token& stop);

}  // namespace cam::app
