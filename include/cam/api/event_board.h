#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/guarded.h"
#include "cam/base/unique_fd.h"
#include "cam/model/traffic_series.h"

namespace cam::api {

/// What just happened, for those who watch (`GET /stream`). Whoever knows puts it here and goes on: nothing
/// blocks and nobody needs to watch. Keeps the latest, so that a short break of a connection loses nothing.
/// Safe from any thread.
class EventBoard {
public:
    static constexpr std::size_t kKept = 512;

    enum class AlertChange { kStarted, kUpdated, kEnded };
    enum class PollOutcome { kDone, kFailed };

    /// One thing that happened. Numbers begin with 1 and leave none out.
    struct Event {
        std::uint64_t number;
        std::string type;
        std::string data;  ///< a JSON object in one line
    };

    EventBoard();

    /// The minute is judged and can be read.
    void minute(MinuteTime minute);
    void alert(std::string_view id, AlertChange change);
    void poll(PollOutcome outcome, WallTime at, std::uint64_t new_events);
    /// So many messages wait for Telegram now. The same number again is no news.
    void delivery(std::uint64_t waiting);
    void preferences();

    /// What came after the event of that number, at most `most`, oldest first. nullopt: some of it is not
    /// kept any more, or the number is yet to come.
    [[nodiscard]] std::optional<std::vector<Event>> after(std::uint64_t number, std::size_t most) const;
    /// The number of the latest event; 0 before the first.
    [[nodiscard]] std::uint64_t latest() const;
    /// Another text in each process: numbers of another run mean nothing in this one.
    [[nodiscard]] const std::string& run() const noexcept { return run_; }
    /// Readable (an eventfd) from each event until somebody reads it. For one reader. -1 if the machine had
    /// none to give: then look now and then.
    [[nodiscard]] int news() const noexcept { return news_.get(); }

private:
    struct State {
        std::deque<Event> events;
        std::uint64_t latest = 0;
        std::optional<std::uint64_t> waiting;
    };
    void publish(std::string_view type, std::string data);

    std::string run_;
    UniqueFd news_;
    Guarded<State> state_;
};

}  // namespace cam::api
