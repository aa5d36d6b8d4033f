#pragma once

#include "app/monitor_parts.h"
#include "cam/api/server.h"

namespace cam::app {

/// What the HTTP API shows and changes, connected to the rooms behind. `around` must outlive it.
[[nodiscard]] api::Backend api_backend(const Surroundings& around);

}  // namespace cam::app
