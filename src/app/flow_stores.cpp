#include "app/flow_stores.h"

#include <utility>

namespace cam::app {

Result<FlowStores> open_flow_stores(const Surroundings& around) {
    const auto options = store_options(around.settings, store::Access::kReadWrite);
    FlowStores side;
    auto flows = store::FlowStore::open(options);
    if (!flows) return flows.error();
    side.store = std::move(*flows);
    auto remembered = store::SqliteStore::open(options);
    if (!remembered) return remembered.error();
    side.remembered = std::move(*remembered);
    return side;
}

std::vector<store::DecoderState> saved_states(const Surroundings& around, store::FlowStore& store) {
    auto states = store.decoder_state();
    if (states) return std::move(*states);
    around.log->warn("decoder state cannot be read, templates begin anew reason={}",
                     quote(states.error().detail));
    return {};
}

}  // namespace cam::app
