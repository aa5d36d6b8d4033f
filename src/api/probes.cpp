#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/routes.h"

namespace cam::api {

void add_probe_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back(
        {.method = "GET", .path = "/healthz", .access = Access::kOpen, .answer = [](const HttpRequest&) {
             return success({{"status", "ok"}});
         }});
    routes.push_back(
        {.method = "GET", .path = "/readyz", .answer = [&backend](const HttpRequest&) {
             const Readiness now = backend.readiness();
             const nlohmann::ordered_json result = {{"ready", now.ready}, {"reasons", now.reasons}};
             if (now.ready) return success(result);
             return now.reasons.empty() ? envelope(503, result, {"not ready"})
                                        : envelope(503, result, now.reasons);
         }});
    routes.push_back({.method = "GET", .path = "/metrics", .answer = [&backend](const HttpRequest&) {
                          return HttpAnswer{.status = 200,
                                            .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                            .body = backend.metrics_text(),
                                            .headers = {}};
                      }});
}

}  // namespace cam::api
