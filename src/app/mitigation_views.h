#pragma once

#include <memory>

#include "app/monitor_parts.h"
#include "app/store_pool.h"
#include "cam/api/server.h"
#include "cam/store/flow_store.h"

namespace cam::app {

using EventPool = StorePool<store::SqliteStore>;
using FlowPool = StorePool<store::FlowStore>;

/// Connects the API's events, attacks, deliveries and status. `around` must outlive the backend; the pools
/// are owned together with the other functions of it.
void fill_mitigation(const Surroundings& around, const std::shared_ptr<EventPool>& events,
                     const std::shared_ptr<FlowPool>& flows, api::Backend& backend);
}  // namespace cam::app
