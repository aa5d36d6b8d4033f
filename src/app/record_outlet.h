#pragma once

#include <span>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::app {

/// Where a flow worker's records go when they are not counted on the spot: a writer's queue. Never blocks on
/// the far side. Owned by the worker's thread.
class RecordOutlet {
public:
    virtual ~RecordOutlet() = default;
    /// `received`: when the datagram came.
    virtual void take(const ExporterKey& exporter, WallTime received,
                      std::span<const FlowRecord> records) = 0;
    /// Called at least five times a second: hands over what has waited long enough.
    virtual void tick(SteadyTime now) = 0;
    /// Hands over everything: the worker ends.
    virtual void flush() = 0;
};

}  // namespace cam::app
