#pragma once

#include <vector>

#include "api/route_table.h"
#include "cam/api/server.h"

namespace cam::api {

// The table of the API; each function adds its part. A later part adds a function here and a line in
// server.cpp.

/// `/events`, `/events/{id}`.
void add_event_routes(std::vector<Route>& routes, const Backend& backend);
/// `/attacks`, `/attacks/timeline`, `/attacks/{id}`, `/attacks/{id}/both-sides`.
void add_attack_routes(std::vector<Route>& routes, const Backend& backend);
/// `/deliveries`.
void add_delivery_routes(std::vector<Route>& routes, const Backend& backend);
/// `/status`.
void add_status_routes(std::vector<Route>& routes, const Backend& backend);
/// `/preferences`.
void add_preference_routes(std::vector<Route>& routes, const Backend& backend);
/// `/healthz`, `/readyz`, `/metrics`.
void add_probe_routes(std::vector<Route>& routes, const Backend& backend);
/// `/routers`, `/routers/{id}`.
void add_router_routes(std::vector<Route>& routes, const Backend& backend);
/// `/rules`, `/rules/{id}`.
void add_rule_routes(std::vector<Route>& routes, const Backend& backend);
/// `/alerts`.
void add_alert_routes(std::vector<Route>& routes, const Backend& backend);
/// `/exporters`.
void add_exporter_routes(std::vector<Route>& routes, const Backend& backend);
/// `/` for browsers, `/assets/{name}`.
void add_page_routes(std::vector<Route>& routes);
/// `/session`. The gate must outlive the routes.
void add_session_routes(std::vector<Route>& routes, Gate& gate);
/// `/traffic`, `/traffic/prefixes`, `/traffic/contributors`.
void add_traffic_routes(std::vector<Route>& routes, const Backend& backend);
/// `/rules/preview`; before `/rules/{id}`.
void add_preview_route(std::vector<Route>& routes, const Backend& backend);
/// `/stream`.
void add_stream_route(std::vector<Route>& routes, std::function<HttpAnswer(const HttpRequest&)> open);
/// `/openapi.json`, `/docs`.
void add_description_routes(std::vector<Route>& routes);
/// `/`, which lists the table; so it comes last.
void add_index_route(std::vector<Route>& routes);

}  // namespace cam::api
