#include "cam/api/event_board.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sys/eventfd.h>

#include <openssl/rand.h>
#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& data) {
    return data.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view name(EventBoard::AlertChange change) {
    switch (change) {
        case EventBoard::AlertChange::kStarted:
            return "started";
        case EventBoard::AlertChange::kUpdated:
            return "updated";
        case EventBoard::AlertChange::kEnded:
            return "ended";
    }
    return "";
}

std::string new_run() {
    std::array<unsigned char, 6> random{};
    static_cast<void>(::RAND_bytes(random.data(), static_cast<int>(random.size())));
    return fmt::format("{:02x}", fmt::join(random, ""));
}

}  // namespace

EventBoard::EventBoard() : run_(new_run()), news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void EventBoard::publish(std::string_view type, std::string data) {
    state_.with([&](State& state) {
        state.events.push_back({++state.latest, std::string{type}, std::move(data)});
        if (state.events.size() > kKept) state.events.pop_front();
    });
    ::eventfd_write(news_.get(), 1);
}

void EventBoard::minute(MinuteTime minute) {
    publish("minute", text({{"minute", rfc3339(minute)}}));
}

void EventBoard::alert(std::string_view id, AlertChange change) {
    publish("alert", text({{"id", id}, {"change", name(change)}}));
}

void EventBoard::poll(PollOutcome outcome, WallTime at, std::uint64_t new_events) {
    publish("poll", text({{"outcome", outcome == PollOutcome::kDone ? "done" : "failed"},
                          {"at", rfc3339(at)},
                          {"new_events", new_events}}));
}

void EventBoard::delivery(std::uint64_t waiting) {
    const bool is_news =
        state_.with([&](State& state) { return std::exchange(state.waiting, waiting) != waiting; });
    if (is_news) publish("delivery", text({{"waiting", waiting}}));
}

void EventBoard::preferences() {
    publish("preferences", "{}");
}

std::optional<std::vector<EventBoard::Event>> EventBoard::after(std::uint64_t number,
                                                                std::size_t most) const {
    return state_.with([&](const State& state) -> std::optional<std::vector<Event>> {
        const std::uint64_t before_first = state.latest - state.events.size();
        if (number < before_first || number > state.latest) return std::nullopt;
        const auto first = state.events.begin() + static_cast<std::ptrdiff_t>(number - before_first);
        const auto left = static_cast<std::size_t>(state.events.end() - first);
        return std::vector<Event>(first, first + static_cast<std::ptrdiff_t>(std::min(left, most)));
    });
}

std::uint64_t EventBoard::latest() const {
    return state_.with([](const State& state) { return state.latest; });
}

}  // namespace cam::api
