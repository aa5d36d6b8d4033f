#include "flow_schema.h"
#include "flow_store_state.h"

namespace cam::store {

Result<std::optional<MinuteTime>> FlowStore::last_collected() {
    const Result<bool> there = state_->ready_to_read("flow_collected_minutes");
    if (!there) return there.error();
    if (!*there) return std::optional<MinuteTime>{};
    const auto last =
        state_->database->integer("SELECT minute FROM flow_collected_minutes ORDER BY minute DESC LIMIT 1");
    if (!last) return last.error();
    if (!*last) return std::optional<MinuteTime>{};
    return std::optional<MinuteTime>{minute_of(**last)};
}

Result<std::vector<Prefix>> FlowStore::covering(const IpAddress& address) {
    const Result<bool> there = state_->ready_to_read("flow_prefixes");
    if (!there) return there.error();
    std::vector<Prefix> found;
    if (!*there) return found;
    for (unsigned length = address.width() + 1; length-- > 0;) {
        const Prefix prefix = Prefix::covering(address, length);
        const auto id = state_->prefixes.find(*state_->database, prefix);
        if (!id) return id.error();
        if (*id) found.push_back(prefix);
    }
    return found;
}

}  // namespace cam::store
