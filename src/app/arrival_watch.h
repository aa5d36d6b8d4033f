#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/conditions.h"
#include "app/flow_board.h"
#include "app/minute_feed.h"
#include "app/silent_routers.h"
#include "cam/base/clock.h"
#include "cam/base/metrics.h"
#include "cam/base/result.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/model/rule.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Tells the SOC what does not arrive in ClickHouse: nothing at all, or nothing of a listed router; and shows
/// the others who was heard. A router is silent when it has not been heard for ten minutes of listening: time
/// in which ClickHouse answered, minutes were not caught up, and something arrived. Owned by the thread that
/// evaluates.
class ArrivalWatch {
public:
    struct Parts {
        clickhouse::MinuteReader& reader;
        store::SqliteStore& remembered;  ///< for conditions
        Conditions& conditions;
        Clock& clock;
        MetricRegistry& metrics;
        FlowBoard* board = nullptr;    ///< shown who was heard, if there is one
        std::function<void()> queued;  ///< called when messages may have gone into the outbox
    };
    explicit ArrivalWatch(Parts parts);

    /// Whether anything arrives, as the feed saw it; `active` says in words what was crossed last.
    void note_arrival(const MinuteFeed& feed, std::chrono::minutes silence,
                      const std::function<std::vector<std::string>()>& active);
    /// Asks ClickHouse once a minute who was heard; to be called after a round in which it answered. `judged`
    /// is the next minute to be judged. After an error it is asked again a minute later.
    Status look(const std::vector<Router>& routers, MinuteTime judged, std::stop_token stop);

private:
    struct Heard {
        WallTime newest;
        std::uint64_t records = 0;          ///< in the window
        std::chrono::milliseconds quiet{};  ///< of listening since
    };
    struct Answer {
        const std::vector<clickhouse::SenderProgress>& senders;
        MinuteTime from;  ///< begin of the window
    };
    void note(const Answer& answer, const std::vector<Router>& routers, std::chrono::milliseconds since);
    void tell(const std::vector<Router>& routers, std::vector<clickhouse::SenderProgress> senders);

    Parts parts_;
    SilenceTeller teller_;
    std::map<IpAddress, Heard> heard_;
    MinuteTime heard_from_{};  ///< begin of the window that `heard_` is of
    std::chrono::milliseconds listened_{};
    std::optional<SteadyTime> looked_;
    std::optional<SteadyTime> shown_;  ///< to the board
    Gauge& exporters_;
};

}  // namespace cam::app
