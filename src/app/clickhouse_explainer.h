#pragma once

#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/alert.h"
#include "cam/model/traffic.h"
#include "cam/notify/render.h"

namespace cam::app {

/// Asks ClickHouse what the traffic of alerts is made of. What cannot be had in time is left out: an alert
/// never waits for its explanation. Owned by the thread that evaluates.
class ClickHouseExplainer {
public:
    struct Parts {
        clickhouse::MinuteReader& reader;
        const enrich::GeoDatabases& geo;
        Clock& clock;
        Logger log;
        std::function<void()> beat;
    };
    explicit ClickHouseExplainer(Parts parts) : parts_(std::move(parts)) {}

    using Explanations = std::map<std::string, notify::AlertExplanation>;  ///< by rule and first prefix
    /// Of the alerts that will get a message of their own: the largest. `traffic` is the minute's, sorted.
    Explanations explain(const std::vector<Alert>& started, std::span<const PrefixMinute> traffic,
                         const std::stop_token& stop);
    [[nodiscard]] static std::string key(const Alert& alert);

private:
    std::vector<Contributor> contributors(const PrefixMinute& of, const std::stop_token& stop);

    Parts parts_;
    SteadyTime deadline_{};
    bool is_spent_ = false;
};

}  // namespace cam::app
