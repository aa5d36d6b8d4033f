#pragma once

#include <utility>

#include "app/mitigation_views.h"
#include "app/monitor_parts.h"
#include "app/traffic_history.h"

namespace cam::app {

/// What `use` makes of a connection to the database and of the minutes of traffic, which lie there or in
/// ClickHouse as the settings say. `use` takes `store::FlowStore&` and `TrafficHistory&` and returns a
/// Result.
template <typename Use>
auto with_history(const Surroundings& around, FlowPool& flows, Use&& use)
    -> decltype(use(std::declval<store::FlowStore&>(), std::declval<TrafficHistory&>())) {
    using Answer = decltype(use(std::declval<store::FlowStore&>(), std::declval<TrafficHistory&>()));
    return flows.with([&](store::FlowStore& store) -> Answer {
        const Settings::Traffic& traffic = around.settings.traffic;
        if (!traffic.on_clickhouse()) {
            SqliteHistory history(store);
            return use(store, history);
        }
        const auto history = ClickHouseHistory::open(traffic.clickhouse, around.geo);
        if (!history) return history.error();
        return use(store, **history);
    });
}

}  // namespace cam::app
