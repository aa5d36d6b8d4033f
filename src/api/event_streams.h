#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "api/http_message.h"
#include "cam/api/event_board.h"
#include "cam/base/clock.h"
#include "cam/base/guarded.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/base/result.h"
#include "cam/base/unique_fd.h"

namespace cam::api {

/// Sends what a board says to those who watch it, as server-sent events (HTML Living Standard, 9.2). All of
/// them together have one thread (`cam-http-stream`) and none of those that answer requests. Bounded: so many
/// streams, and so much that waits for one of them; who takes less than is sent is dropped and may come back.
/// Safe from any thread.
class EventStreams {
public:
    struct Limits {
        std::size_t streams = 32;
        std::size_t backlog_bytes = std::size_t{64} * 1024;  ///< besides the kernel's buffer, the same again
        std::chrono::milliseconds heartbeat{15'000};
        std::chrono::milliseconds stuck{10'000};  ///< with something to send, and nothing taken of it
    };

    /// The board and the registry must outlive it.
    static Result<std::unique_ptr<EventStreams>> start(EventBoard& board, Limits limits,
                                                       MetricRegistry& metrics, Logger log);
    /// Ends all streams at once.
    ~EventStreams();
    EventStreams(const EventStreams&) = delete;
    EventStreams& operator=(const EventStreams&) = delete;

    /// The head of a stream, which takes the connection over when it is sent; 503 if there are too many.
    /// `still_open` is asked about once a second whether the stream may go on.
    HttpAnswer open(const HttpRequest& request, std::function<bool()> still_open);

private:
    /// One of the bounded number of streams; its end frees the place.
    using Place = std::shared_ptr<void>;
    struct Stream {
        UniqueFd fd;
        Place place;
        std::function<bool()> still_open;
        std::string out;         ///< waits to be sent
        std::uint64_t seen = 0;  ///< the last event that went into `out`
        SteadyTime progress{};   ///< something was sent, or nothing waited
        SteadyTime spoke{};      ///< something was put into `out`
    };
    enum class Health { kGood, kGone, kSlow, kClosed };

    EventStreams(EventBoard& board, Limits limits, MetricRegistry& metrics, Logger log);
    Place take_place();
    void run();
    void admit(UniqueFd fd, const Place& place, std::function<bool()> still_open,
               const std::optional<std::string>& last_id);
    void greet(Stream& stream, const std::optional<std::string>& last_id) const;
    void add_event(Stream& stream, const EventBoard::Event& event) const;
    void fill(Stream& stream, SteadyTime now) const;
    Health serve(Stream& stream, short events, SteadyTime now) const;
    static Health flush(Stream& stream, SteadyTime now);
    void count(Health why);

    EventBoard& board_;
    Limits limits_;
    Logger log_;
    SystemClock clock_;
    Gauge& open_;
    Counter& refused_;
    Counter& slow_;
    UniqueFd stop_signal_;
    UniqueFd arrival_signal_;
    std::shared_ptr<std::atomic<std::size_t>> places_;  ///< taken; places given back late outlive us
    Guarded<std::vector<Stream>> arrivals_;
    std::vector<Stream> streams_;  ///< of the thread
    std::jthread thread_;          ///< last: uses all of the above
};

}  // namespace cam::api
