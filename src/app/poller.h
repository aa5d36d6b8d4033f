#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/composer.h"
#include "app/conditions.h"
#include "app/event_fetcher.h"
#include "app/poll_report.h"
#include "app/poll_teller.h"
#include "app/preferences.h"
#include "cam/rules/event_filter.h"

namespace cam::app {

/// How far back a poll may follow the last claimed instant: `catch_up`, but never less than what the lookback
/// and two intervals of polling span, because the time since the last poll is no gap.
[[nodiscard]] std::chrono::milliseconds farthest_back(std::chrono::seconds poll_interval,
                                                      std::chrono::minutes lookback,
                                                      std::chrono::hours catch_up);

/// The gap, if polling has paused for longer than its own rhythm explains; see Poller.
[[nodiscard]] std::optional<PollGap> poll_gap(std::optional<WallTime> claimed_to, WallTime now,
                                              std::chrono::seconds poll_interval,
                                              std::chrono::minutes lookback, std::chrono::hours catch_up);

/// One poll: window, query, filter, claim with messages. Owned by the thread that polls; what it refers to
/// must outlive it.
class Poller {
public:
    struct Options {
        std::chrono::seconds poll_interval{300};
        std::chrono::minutes lookback{15};
        std::chrono::hours catch_up{24};
        rules::EventFilter::Options filter;
        Composer::Options compose;
        /// How long failures may be repeated within one poll.
        std::chrono::milliseconds patience{240'000};
        /// Events per transaction; also bounds memory. An attack that is longer is told in several messages.
        std::size_t max_claim = 50'000;
        Polls polls = Polls::kMany;
    };
    struct Parts {
        EventFetcher& fetcher;
        store::SqliteStore& store;
        enrich::GeoDatabases& geo;
        PreferenceFile preferences;
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        /// Called once before the first claim; may wait a moment (the startup report goes first).
        std::function<void()> before_first_claim;
        /// Called when messages were queued.
        std::function<void()> queued;
    };
    Poller(Parts parts, Options options);

    PollReport poll(std::stop_token stop);

private:
    struct Batch;
    std::optional<TimeWindow> choose_span(std::stop_token stop, PollReport& report);
    rules::Scope scope();
    Result<std::optional<WallTime>> progress(PollReport& report);
    void sift(cloudflare::EventPage&& page, rules::Scope scope, Batch& batch, PollReport& report);
    bool claim(Batch& batch, WallTime now, PollReport& report);

    Parts parts_;
    Options options_;
    rules::EventFilter filter_;
    Composer composer_;
    PollTeller teller_;
    std::optional<GeoEdition::Type> geoip_;
    std::optional<SteadyTime> claimed_at_;  // of this process' last claim
    std::optional<WallTime> told_gap_;      // claimed_to of the gap that was logged
    std::optional<WallTime> known_to_;      // how far this poll's span was claimed before it, if believed
    std::optional<TimeWindow> hole_;        // what could not be asked any more when polling resumed
    bool progress_unknown_ = false;         // the database holds something that is no time
    bool claimed_once_ = false;
};

}  // namespace cam::app
