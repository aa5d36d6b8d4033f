#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>

#include "app/heartbeat.h"
#include "cam/base/backoff.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/cloudflare/analytics_client.h"
#include "cam/cloudflare/window_plan.h"

namespace cam::app {

/// Gets every mitigation event of a span of time out of Cloudflare: obeys the account's limits, halves
/// windows, asks for less where Cloudflare is too slow, repeats what may succeed, waits as it is told. One
/// thread at a time; what it refers to must outlive it.
class EventFetcher {
public:
    struct Parts {
        cloudflare::AnalyticsClient& client;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        Heartbeat& heartbeat;
    };
    explicit EventFetcher(Parts parts);

    /// Until when failures may be repeated; the first attempt is always made.
    struct Patience {
        SteadyTime until;
        std::stop_token stop;
    };
    /// One answered window.
    struct Piece {
        cloudflare::EventPage page;
        WallTime answered_to;               ///< everything from the span's begin to here is answered
        std::optional<WallTime> truncated;  ///< a second with more rows than the page limit
    };
    enum class Go { kOn, kStop };
    /// Pieces come oldest first, without holes. nullopt: all of `span` was answered, or `take` said stop.
    std::optional<cloudflare::QueryFailure> fetch(const TimeWindow& span, const Patience& patience,
                                                  const std::function<Go(Piece&&)>& take);

    /// Now, by Cloudflare's clock as far as its answers told it, else by ours.
    [[nodiscard]] WallTime now() const { return parts_.clock.wall() + skew_; }
    [[nodiscard]] std::chrono::milliseconds skew() const { return skew_; }
    /// How far back this account's data go.
    [[nodiscard]] std::chrono::seconds retention() const { return limits_.not_older_than; }

private:
    using Failure = cloudflare::QueryFailure;
    enum class Adapted { kNo, kYes, kHalved, kTooOld };
    void refresh_limits(const Patience& patience);
    Adapted adapt(const Failure& failure, const TimeWindow& window, cloudflare::WindowPlan& plan);
    Adapted ask_for_less(const TimeWindow& window, cloudflare::WindowPlan& plan);
    void note_failure(const Failure& failure, const TimeWindow& window);
    void note_success(cloudflare::WindowPlan& plan);
    [[nodiscard]] std::chrono::seconds widest() const;
    std::optional<Failure> wait_before_repeat(const Failure& failure, const Patience& patience,
                                              Backoff& backoff);
    std::optional<Failure> within_budget(const Patience& patience);
    Result<cloudflare::EventPage, Failure> ask(const TimeWindow& window, const Patience& patience,
                                               cloudflare::WindowPlan& plan, Adapted& adapted);
    void note_skew(const cloudflare::EventPage& page);

    Parts parts_;
    AccountLimits limits_;
    std::optional<SteadyTime> limits_asked_;
    std::optional<SteadyTime> blocked_until_;
    std::deque<SteadyTime> asked_;  // queries of the last five minutes
    std::chrono::milliseconds skew_{0};
    std::optional<std::chrono::seconds> cautious_;  // widest window, where wider ones were not answered
    std::optional<std::chrono::seconds> too_slow_;  // narrowest window of this fetch that took too long
    int failed_fetches_ = 0;                        // in a row, in ways that may pass
    Counter& queries_;
    Counter& retries_;
    Gauge& budget_left_;
};

}  // namespace cam::app
