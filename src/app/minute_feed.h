#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/model/traffic.h"

namespace cam::app {

/// Says which of ClickHouse's minutes is to be judged next, when it is complete, and which of those that were
/// handed out have changed since. A minute is complete when every source of records (a collector's worker, a
/// partition of a topic) that sent anything lately has sent something `settle` after its end; a source that
/// stays behind is waited for `patience` after the others. While nothing at all arrives, minutes wait: they
/// are handed out, in order, when something does. One thread at a time.
class MinuteFeed {
public:
    struct Options {
        /// Of what a source received in a minute, all has arrived when so much of the next one has.
        std::chrono::seconds settle{2};
        std::chrono::seconds patience{30};
        /// The same for minutes that lie further back than `reach`: after them nothing can be corrected.
        std::chrono::minutes patience_with_the_past{5};
        /// How far behind the last minute a change is looked for, and how often.
        std::chrono::minutes reach{15};
        std::chrono::seconds look_every{10};
        std::size_t most_at_once = 4;
        /// After so long without anything the SOC is to know.
        std::chrono::minutes silence{3};
    };
    /// Both outlive the feed.
    MinuteFeed(clickhouse::MinuteReader& reader, Clock& clock, Options options);

    /// `first` is the next minute to be handed out.
    void begin_at(MinuteTime first);
    /// That much of a minute before the first one is known.
    void note(const clickhouse::MinuteVersion& version) { known_[version.minute] = version.records; }
    struct Next {
        clickhouse::ReadMinute minute;
        /// Nothing was received in it; or it lies beside such a minute, and nothing was received in ten
        /// seconds or more towards that: the way to ClickHouse was cut within it. It is neither traffic nor
        /// silence.
        bool is_whole = true;
    };
    /// The next minute if it is complete.
    Result<std::optional<Next>> next(std::stop_token stop);
    /// Minutes within reach that were handed out, or left out, and have changed since; oldest first, at most
    /// `most_at_once`. Looks every few seconds only.
    Result<std::vector<clickhouse::ReadMinute>> changed(std::stop_token stop);

    [[nodiscard]] MinuteTime upcoming() const { return next_; }
    /// Nothing has arrived for long; cannot be known while ClickHouse does not answer.
    [[nodiscard]] bool is_silent() const;
    /// Receive time of the newest record that was seen; none: nothing yet.
    [[nodiscard]] std::optional<WallTime> newest() const { return newest_; }

private:
    void note_progress(const std::vector<clickhouse::CollectorProgress>& sources);
    Result<bool> is_whole(MinuteTime minute, const std::stop_token& stop);
    [[nodiscard]] bool is_complete(const std::vector<clickhouse::CollectorProgress>& sources) const;

    clickhouse::MinuteReader& reader_;
    Clock& clock_;
    Options options_;
    MinuteTime next_;
    std::map<MinuteTime, SteadyTime> passed_;    ///< when the first source was beyond the minute
    std::map<MinuteTime, std::uint64_t> known_;  ///< records of the minutes within reach
    std::optional<WallTime> newest_;
    SteadyTime newest_changed_;
    std::optional<SteadyTime> looked_;
};

}  // namespace cam::app
