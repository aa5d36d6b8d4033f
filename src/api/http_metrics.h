#pragma once

#include "cam/base/metrics.h"

namespace cam::api {

/// What became of requests and connections.
struct HttpMetrics {
    explicit HttpMetrics(MetricRegistry& registry);
    Counter& requests_ok;       ///< answered below 400
    Counter& requests_refused;  ///< 4xx, malformed ones too
    Counter& requests_failed;   ///< 5xx
    Counter& dropped_full;      ///< connections closed unread: too many
    Counter& dropped_slow;      ///< connections closed in the middle of a request
};

}  // namespace cam::api
