#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cam/model/reports.h"

namespace cam::app {

/// Asks systemd (`systemctl is-active`) for the state of each unit, in the order given. Takes at most
/// `budget`; what cannot be known by then is kUnknown. A child process is used because it can be ended at the
/// deadline whatever the state of D-Bus is.
[[nodiscard]] std::vector<ServiceReport> service_states(
    const std::vector<std::pair<std::string, std::string>>& services, std::chrono::milliseconds budget);

}  // namespace cam::app
