#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "app/conditions.h"
#include "app/kafka_outlets.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Counts what the producers do, and tells once when Kafka takes nothing for a minute or when records are
/// lost. Owned by the thread that collects.
class KafkaWatch {
public:
    struct Parts {
        const KafkaOutlets& outlets;
        store::SqliteStore& remembered;  ///< for conditions
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        std::function<void()> queued;
    };
    explicit KafkaWatch(Parts parts);
    /// To be called about once a second.
    void look();

private:
    void note_counts(const KafkaStanding& now);
    void tell_losses(std::uint64_t lost);
    void tell_trouble(const KafkaStanding& now);

    Parts parts_;
    KafkaStanding noted_;
    std::uint64_t lost_ = 0;
    std::optional<SteadyTime> lost_at_;
    std::optional<SteadyTime> failing_since_;
    Counter& acknowledged_;
    Counter& dropped_;
    Counter& failed_;
    Gauge& waiting_;
};

}  // namespace cam::app
