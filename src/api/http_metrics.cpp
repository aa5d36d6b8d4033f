#include "api/http_metrics.h"

#include <string_view>

namespace cam::api {
namespace {

Counter& requests(MetricRegistry& registry, std::string_view outcome) {
    return registry.counter("cam_api_requests_total", "HTTP requests by what became of them",
                            {{"outcome", std::string{outcome}}});
}

Counter& dropped(MetricRegistry& registry, std::string_view reason) {
    return registry.counter("cam_api_connections_dropped_total",
                            "HTTP connections closed because there were too many or the client was too slow",
                            {{"reason", std::string{reason}}});
}

}  // namespace

HttpMetrics::HttpMetrics(MetricRegistry& registry)
    : requests_ok(requests(registry, "ok")),
      requests_refused(requests(registry, "refused")),
      requests_failed(requests(registry, "failed")),
      dropped_full(dropped(registry, "full")),
      dropped_slow(dropped(registry, "slow")) {}

}  // namespace cam::api
