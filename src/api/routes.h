#pragma once

#include <vector>

#include "api/router.h"
#include "cam/api/server.h"

namespace cam::api {

// The table of the API; each function adds its part. A later part adds a function here and a line in
// server.cpp.

/// `/events`.
void add_event_routes(std::vector<Route>& routes, const Backend& backend);
/// `/preferences`.
void add_preference_routes(std::vector<Route>& routes, const Backend& backend);
/// `/healthz`, `/readyz`, `/metrics`.
void add_probe_routes(std::vector<Route>& routes, const Backend& backend);
/// `/`, which lists the table; so it comes last.
void add_index_route(std::vector<Route>& routes);

}  // namespace cam::api
