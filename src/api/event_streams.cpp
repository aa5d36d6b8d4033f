#include "api/event_streams.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <exception>
#include <system_error>
#include <utility>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "cam/base/version.h"

namespace cam::api {
namespace {

/// How often the thread looks at what nothing wakes it for: heartbeats, sessions that ended.
constexpr std::chrono::milliseconds kLook{1'000};
constexpr std::size_t kEventsAtOnce = 64;
constexpr std::chrono::seconds kComeBack{5};

void clear(int signal) {
    eventfd_t count = 0;
    ::eventfd_read(signal, &count);
}

/// The event's number in an id of this run, `<run>-<number>`.
std::optional<std::uint64_t> number_of(std::string_view id, std::string_view run) {
    if (!id.starts_with(run) || id.substr(run.size(), 1) != "-") return std::nullopt;
    id.remove_prefix(run.size() + 1);
    std::uint64_t number = 0;
    const auto [end, fault] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (fault != std::errc{} || end != id.data() + id.size()) return std::nullopt;
    return number;
}

/// Whether the client is still there; it has nothing to say, and what it says is not kept.
bool is_there(int socket) {
    std::array<char, 512> piece;
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), MSG_DONTWAIT);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

}  // namespace

Result<std::unique_ptr<EventStreams>> EventStreams::start(EventBoard& board, Limits limits,
                                                          MetricRegistry& metrics, Logger log) {
    std::unique_ptr<EventStreams> streams{new EventStreams(board, limits, metrics, std::move(log))};
    if (!streams->stop_signal_.valid() || !streams->arrival_signal_.valid()) {
        return Error{ErrorCode::kInternal,
                     fmt::format("cannot make an eventfd: {}", std::system_category().message(errno))};
    }
    try {
        streams->thread_ = std::jthread([&self = *streams] { self.run(); });
    } catch (const std::system_error& fault) {
        return Error{ErrorCode::kInternal, fmt::format("cannot start a thread: {}", fault.what())};
    }
    return streams;
}

EventStreams::EventStreams(EventBoard& board, Limits limits, MetricRegistry& metrics, Logger log)
    : board_(board),
      limits_(limits),
      log_(std::move(log)),
      open_(metrics.gauge("cam_api_streams", "Clients that watch GET /stream")),
      refused_(
          metrics.counter("cam_api_streams_refused_total", "Streams refused because there were too many")),
      slow_(
          metrics.counter("cam_api_streams_dropped_total", "Streams ended because the client was too slow")),
      stop_signal_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      arrival_signal_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      places_(std::make_shared<std::atomic<std::size_t>>(0)) {}

EventStreams::~EventStreams() {
    ::eventfd_write(stop_signal_.get(), 1);
    if (thread_.joinable()) thread_.join();
    open_.set(0);
}

EventStreams::Place EventStreams::take_place() {
    if (places_->fetch_add(1) >= limits_.streams) {
        places_->fetch_sub(1);
        return nullptr;
    }
    // The second owner of the count: an answer may give its place back after we are gone.
    return {this, [places = places_](void*) { places->fetch_sub(1); }};
}

HttpAnswer EventStreams::open(const HttpRequest& request, std::function<bool()> still_open) {
    Place place = take_place();
    if (!place) {
        refused_.add();
        HttpAnswer answer = failure(503, fmt::format("{} clients watch already", limits_.streams));
        answer.headers.emplace_back("Retry-After", fmt::format("{}", kComeBack.count()));
        return answer;
    }
    return {.status = 200,
            .content_type = "text/event-stream",
            .body = {},
            // Proxies that collect answers before they hand them on would show nothing for minutes.
            .headers = {{"X-Accel-Buffering", "no"}},
            .take_over = [this, place = std::move(place), may_go_on = std::move(still_open),
                          last_id = request.last_event_id](UniqueFd fd) {
                admit(std::move(fd), place, may_go_on, last_id);
            }};
}

void EventStreams::admit(UniqueFd fd, const Place& place, std::function<bool()> still_open,
                         const std::optional<std::string>& last_id) {
    // The kernel would take megabytes for a client that reads nothing.
    const int bytes = static_cast<int>(limits_.backlog_bytes);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    Stream stream{.fd = std::move(fd), .place = place, .still_open = std::move(still_open), .out = {}};
    stream.progress = stream.spoke = clock_.steady();
    greet(stream, last_id);
    arrivals_.with([&](auto& arrivals) { arrivals.push_back(std::move(stream)); });
    ::eventfd_write(arrival_signal_.get(), 1);
}

void EventStreams::greet(Stream& stream, const std::optional<std::string>& last_id) const {
    const std::string about =
        nlohmann::ordered_json{{"version", version()}, {"heartbeat_ms", limits_.heartbeat.count()}}.dump();
    stream.out = fmt::format("retry: {}\n\n", std::chrono::milliseconds{kComeBack}.count());
    const auto seen = last_id ? number_of(*last_id, board_.run()) : std::nullopt;
    if (seen && board_.after(*seen, 0)) {
        stream.seen = *seen;
        stream.out += fmt::format("event: hello\ndata: {}\n\n", about);
        return;
    }
    stream.seen = board_.latest();
    stream.out += fmt::format("id: {}-{}\nevent: hello\ndata: {}\n\n", board_.run(), stream.seen, about);
    if (last_id) stream.out += "event: resync\ndata: {}\n\n";
}

void EventStreams::add_event(Stream& stream, const EventBoard::Event& event) const {
    stream.out +=
        fmt::format("id: {}-{}\nevent: {}\ndata: {}\n\n", board_.run(), event.number, event.type, event.data);
    stream.seen = event.number;
}

/// Takes what is new into `out`, as far as that has room.
void EventStreams::fill(Stream& stream, SteadyTime now) const {
    while (stream.out.size() < limits_.backlog_bytes) {
        const auto events = board_.after(stream.seen, kEventsAtOnce);
        if (!events) {  // more happened than is kept since it took something
            stream.seen = board_.latest();
            stream.out += fmt::format("id: {}-{}\nevent: resync\ndata: {{}}\n\n", board_.run(), stream.seen);
            stream.spoke = now;
            return;
        }
        if (events->empty()) break;
        for (const EventBoard::Event& event : *events) add_event(stream, event);
        stream.spoke = now;
    }
    if (now - stream.spoke < limits_.heartbeat) return;
    stream.out += ":\n\n";
    stream.spoke = now;
}

EventStreams::Health EventStreams::flush(Stream& stream, SteadyTime now) {
    while (!stream.out.empty()) {
        const ssize_t sent =
            ::send(stream.fd.get(), stream.out.data(), stream.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Health::kGood : Health::kGone;
        stream.out.erase(0, static_cast<std::size_t>(sent));
        stream.progress = now;
    }
    stream.progress = now;
    return Health::kGood;
}

EventStreams::Health EventStreams::serve(Stream& stream, short events, SteadyTime now) const {
    if ((events & (POLLHUP | POLLERR | POLLNVAL)) != 0) return Health::kGone;
    if ((events & POLLIN) != 0 && !is_there(stream.fd.get())) return Health::kGone;
    if (!stream.still_open()) return Health::kClosed;
    fill(stream, now);
    const Health health = flush(stream, now);
    if (health != Health::kGood) return health;
    const bool is_slow = stream.out.size() >= limits_.backlog_bytes || now - stream.progress >= limits_.stuck;
    return is_slow ? Health::kSlow : Health::kGood;
}

void EventStreams::count(Health why) {
    if (why != Health::kSlow) return;
    slow_.add();
    log_->debug("api stream dropped reason=slow");
}

void EventStreams::run() {
    ::pthread_setname_np(::pthread_self(), "cam-http-stream");
    std::vector<pollfd> sockets;
    for (;;) {
        sockets = {
            {stop_signal_.get(), POLLIN, 0}, {arrival_signal_.get(), POLLIN, 0}, {board_.news(), POLLIN, 0}};
        const std::size_t own = sockets.size();
        for (const Stream& stream : streams_) {
            const bool waits = !stream.out.empty();
            sockets.push_back({stream.fd.get(), static_cast<short>(waits ? POLLIN | POLLOUT : POLLIN), 0});
        }
        const int timeout = streams_.empty() ? -1 : static_cast<int>(kLook.count());
        if (::poll(sockets.data(), sockets.size(), timeout) < 0 && errno != EINTR) {
            ::poll(sockets.data(), 1, static_cast<int>(kLook.count()));  // the machine has no memory for more
        }
        if (sockets[0].revents != 0) return;
        if (sockets[1].revents != 0) clear(arrival_signal_.get());
        if (sockets[2].revents != 0) clear(board_.news());
        const SteadyTime now = clock_.steady();
        for (std::size_t i = 0; i < streams_.size(); ++i) {
            const Health health = serve(streams_[i], sockets[own + i].revents, now);
            if (health == Health::kGood) continue;
            count(health);
            streams_[i].fd.close();
        }
        std::erase_if(streams_, [](const Stream& stream) { return !stream.fd.valid(); });
        for (Stream& stream : arrivals_.with([](auto& all) { return std::exchange(all, {}); })) {
            if (serve(stream, 0, now) == Health::kGood) streams_.push_back(std::move(stream));
        }
        open_.set(static_cast<double>(streams_.size()));
    }
}

}  // namespace cam::api
