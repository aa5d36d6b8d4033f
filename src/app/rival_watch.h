#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "app/conditions.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/result.h"
#include "cam/clickhouse/plan_writer.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Notices that another daemon judges on the same ClickHouse: each writes its rules there when it starts, and
/// so a newer plan that is in force and was not written here is somebody else's. Tells the SOC once; the
/// judging goes on. An older plan, or none, is no daemon's: ClickHouse was restored or emptied. Owned by the
/// thread that evaluates.
class RivalWatch {
public:
    struct Parts {
        clickhouse::PlanWriter& writer;
        store::SqliteStore& remembered;  ///< for conditions
        Conditions& conditions;
        Clock& clock;
        Logger log;
        std::function<void()> queued;  ///< called when messages went into the outbox
    };
    explicit RivalWatch(Parts parts) : parts_(std::move(parts)) {}

    /// The plan of this process that is in force.
    void note_written(std::uint64_t generation);
    enum class Standing : std::uint8_t {
        kUnchanged,  ///< as far as is known
        kLost,       ///< twice in a row the own plan was not there: it is to be written again
    };
    /// Looks once a minute; to be called after a round in which ClickHouse answered. After an error it is
    /// looked again a minute later.
    Result<Standing> look(std::stop_token stop);

private:
    void tell_second(std::uint64_t found);

    Parts parts_;
    int missed_ = 0;  ///< looks in a row that did not find the own plan; one may have asked a late replica
    std::optional<std::uint64_t> written_;
    std::optional<SteadyTime> looked_;
};

}  // namespace cam::app
