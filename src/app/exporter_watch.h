#pragma once

#include <vector>

#include "app/conditions.h"
#include "app/flow_exchange.h"
#include "app/flow_metrics.h"
#include "app/silent_routers.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/model/rule.h"
#include "cam/store/flow_store.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// When the own workers heard each exporter.
[[nodiscard]] HeardAgo heard_ago(const std::vector<decode::ExporterReport>& exporters, SteadyTime now);

/// Shows in /metrics what is known of the exporters, tells the SOC once when a listed router has fallen
/// silent and when it is back, and keeps the saved state of those that still send. Owned by the thread that
/// evaluates.
class ExporterWatch {
public:
    struct Parts {
        store::FlowStore& store;
        store::SqliteStore& remembered;  ///< for conditions
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
    };
    explicit ExporterWatch(Parts parts);

    /// While the database refuses, each further try would wait for the same lock, on the caller's time.
    enum class Database { kWorks, kRefuses };
    /// To be called about once a second; looks every few.
    void look(const FlowExchange& exchange, const std::vector<Router>& routers, Database database);

private:
    void keep_seen(const std::vector<decode::ExporterReport>& exporters);

    Parts parts_;
    ExporterMetrics metrics_;
    SilenceTeller teller_;
    SteadyTime started_;
    SteadyTime looked_{};
    SteadyTime kept_ = started_;
};

}  // namespace cam::app
