#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "app/rival_watch.h"
#include "app/rule_sets.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/base/result.h"
#include "cam/clickhouse/plan_writer.h"
#include "cam/model/prefix.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Has ClickHouse count by the rules of this database. A database that is found without rules may be a lost
/// one: then the prefixes that ClickHouse counts by stay, until there are rules and a day longer, so that
/// rules which are made anew, in whatever order, find their past without a gap. Survives a restart. Owned by
/// the thread that evaluates.
class PlanKeeper {
public:
    struct Parts {
        clickhouse::PlanWriter& writer;
        RivalWatch& rival;               ///< told what was written
        store::SqliteStore& remembered;  ///< until when prefixes are kept
        Clock& clock;
        Logger log;
        Counter& plans;
        std::function<void()> beat;
    };
    explicit PlanKeeper(Parts parts) : parts_(std::move(parts)) {}

    /// Once per process, tried again until it succeeds. `found` is the generation in force.
    Status begin(const RuleSet& set, std::optional<std::uint64_t> found, const std::stop_token& stop);
    /// Makes the set's routers and prefixes, and those that are kept, what ClickHouse counts by.
    Status write(const RuleSet& set, const std::stop_token& stop);
    /// To be called now and then, with the set that was written last: writes it again when its day is over or
    /// when ClickHouse has lost it, and looks who else judges.
    Status look(const RuleSet& set, const std::stop_token& stop);

private:
    void remember_kept();
    void forget_kept();

    Parts parts_;
    std::vector<Prefix> kept_;
    std::optional<WallTime> kept_until_;  ///< none: no rules yet
};

}  // namespace cam::app
