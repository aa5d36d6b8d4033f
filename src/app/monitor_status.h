#pragma once

#include <functional>
#include <optional>

#include "app/monitor_parts.h"
#include "app/store_pool.h"
#include "cam/api/server.h"
#include "cam/model/monitor_status.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// Whether the API may say that all is well, and why not.
[[nodiscard]] api::Readiness readiness(const Surroundings& around);

/// Puts together what the parts of the daemon know. Never fails: what cannot be read is empty. Asks nobody
/// outside. Safe from any thread; `around` must outlive it.
class StatusView {
public:
    explicit StatusView(const Surroundings& around) : around_(around) {}

    /// `group` counts attacks since a time; what it says is remembered for a few seconds.
    [[nodiscard]] MonitorStatus status(StorePool<store::SqliteStore>& events,
                                       StorePool<store::FlowStore>& flows,
                                       const std::function<Result<AttackPage>(WallTime since)>& group);

private:
    struct Counted {
        SteadyTime at{};
        std::uint64_t attacks = 0;
    };
    void add_database(StorePool<store::SqliteStore>& events, MonitorStatus& status) const;
    void add_flow(StorePool<store::FlowStore>& flows, MonitorStatus& status) const;
    std::optional<std::uint64_t> attacks_of_a_day(
        const std::function<Result<AttackPage>(WallTime since)>& group);

    const Surroundings& around_;
    Guarded<std::optional<Counted>> counted_;
};

}  // namespace cam::app
