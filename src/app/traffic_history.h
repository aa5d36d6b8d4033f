#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "app/settings.h"
#include "cam/base/result.h"
#include "cam/clickhouse/client.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/traffic.h"
#include "cam/model/traffic_series.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// Stored minutes of traffic, in whichever store they lie. Errors are those of that store. One thread at a
/// time.
class TrafficHistory {
public:
    virtual ~TrafficHistory() = default;
    /// A chart's points from `from` until before `to`, each of `step`, the last perhaps shorter. kInvalid: no
    /// step, or more than 10,000 points.
    virtual Result<std::vector<TrafficPoint>> series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                     std::chrono::minutes step) = 0;
    /// Which minutes from `from` until before `to` were collected, oldest first.
    virtual Result<std::vector<CollectedMinute>> collected_minutes(MinuteTime from, MinuteTime to) = 0;
    /// The traffic of one minute, at least its totals; nullopt if it was not collected.
    virtual Result<std::optional<std::vector<PrefixMinute>>> minute(MinuteTime minute) = 0;
    /// What the traffic from `from` until before `to` was made of, summed: the `most` largest of each facet.
    virtual Result<std::vector<Contributor>> contributors(const Prefix& prefix, MinuteTime from,
                                                          MinuteTime to, std::size_t most) = 0;
};

/// Of the daemon's own database.
class SqliteHistory final : public TrafficHistory {
public:
    /// `store` outlives it.
    explicit SqliteHistory(store::FlowStore& store) : store_(store) {}
    Result<std::vector<TrafficPoint>> series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                             std::chrono::minutes step) override;
    Result<std::vector<CollectedMinute>> collected_minutes(MinuteTime from, MinuteTime to) override;
    Result<std::optional<std::vector<PrefixMinute>>> minute(MinuteTime minute) override;
    Result<std::vector<Contributor>> contributors(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                  std::size_t most) override;

private:
    store::FlowStore& store_;
};

/// Of ClickHouse. A minute in which anything was received counts as collected, and as whole.
class ClickHouseHistory final : public TrafficHistory {
public:
    /// Does not connect yet. A call takes ten seconds at most. `geo`, which outlives it, tells the countries
    /// of the sources, and their AS where the exporters told none.
    static Result<std::unique_ptr<ClickHouseHistory>> open(const Settings::Traffic::ClickHouse& settings,
                                                           const enrich::GeoDatabases& geo);
    Result<std::vector<TrafficPoint>> series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                             std::chrono::minutes step) override;
    Result<std::vector<CollectedMinute>> collected_minutes(MinuteTime from, MinuteTime to) override;
    Result<std::optional<std::vector<PrefixMinute>>> minute(MinuteTime minute) override;
    Result<std::vector<Contributor>> contributors(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                  std::size_t most) override;

private:
    ClickHouseHistory(std::unique_ptr<clickhouse::Client> client, const enrich::GeoDatabases& geo)
        : client_(std::move(client)), reader_(*client_), geo_(geo) {}

    std::unique_ptr<clickhouse::Client> client_;
    clickhouse::MinuteReader reader_;
    const enrich::GeoDatabases& geo_;
};

}  // namespace cam::app
