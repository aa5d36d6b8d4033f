#pragma once

#include <chrono>
#include <optional>

#include "app/conditions.h"
#include "app/event_fetcher.h"
#include "app/poll_report.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/enrich/geo_databases.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// How many polls a process makes. One that makes a single one knows only from the database for how long
/// nobody has seen anything; one that stays sees that for itself.
enum class Polls { kOne, kMany };

/// Says what polls come to: in the log, in the metrics, and to the SOC where it must know. Owned by the
/// thread that polls; what it refers to must outlive it.
class PollTeller {
public:
    struct Parts {
        const EventFetcher& fetcher;
        store::SqliteStore& store;
        const enrich::GeoDatabases& geo;
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
    };
    struct Options {
        std::chrono::seconds poll_interval{300};
        std::chrono::milliseconds caught_up{0};  ///< how much of an outage is asked for when it ends
        Polls polls = Polls::kMany;
    };
    PollTeller(Parts parts, Options options);

    /// The poll has ended; `failure` is Cloudflare's, which becomes the report's outcome and reason. `hole`
    /// is what could not be asked any more.
    void tell(PollReport& report, const std::optional<cloudflare::QueryFailure>& failure,
              const std::optional<TimeWindow>& hole);
    /// Cloudflare's answer has told what its clock says.
    void note_clock();

private:
    void tell_failure(const PollReport& report, const cloudflare::QueryFailure& failure);
    void tell_success(const PollReport& report, const std::optional<TimeWindow>& hole);
    void tell_truncated(const PollReport& report);
    void tell_blindness(const PollReport& report, const cloudflare::QueryFailure& failure);
    [[nodiscard]] std::chrono::milliseconds blind_for();
    void count(const PollReport& report);

    Parts parts_;
    Options options_;
    std::optional<SteadyTime> failing_since_;  // polls fail and nothing new is answered
};

}  // namespace cam::app
