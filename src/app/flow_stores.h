#pragma once

#include <memory>
#include <vector>

#include "app/monitor_parts.h"
#include "cam/store/flow_store.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// A thread's own connections to the database, for flows and for what is remembered of conditions.
struct FlowStores {
    std::unique_ptr<store::FlowStore> store;
    std::unique_ptr<store::SqliteStore> remembered;
};

[[nodiscard]] Result<FlowStores> open_flow_stores(const Surroundings& around);
/// What decoders knew when the last process ended; nothing if it cannot be read, which the log says.
[[nodiscard]] std::vector<store::DecoderState> saved_states(const Surroundings& around,
                                                            store::FlowStore& store);

}  // namespace cam::app
