#include "app/heartbeat.h"

#include <algorithm>

namespace cam::app {

bool sleep_beating(Clock& clock, SteadyTime until, const std::stop_token& stop, Heartbeat& heartbeat) {
    constexpr std::chrono::seconds kSlice{20};
    while (true) {
        heartbeat.beat();
        const SteadyTime now = clock.steady();
        if (now >= until) return !stop.stop_requested();
        if (!clock.sleep_until(std::min(until, now + kSlice), stop)) return false;
    }
}

Heartbeat& Heartbeats::add(std::string loop) {
    const std::lock_guard lock(mutex_);
    beats_.push_back(std::make_unique<Heartbeat>(std::move(loop), clock_));
    return *beats_.back();
}

std::vector<std::string> Heartbeats::silent(std::chrono::milliseconds longest) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (const auto& beat : beats_) {
        if (beat->silent(clock_.steady(), longest)) out.push_back(beat->loop());
    }
    return out;
}

void Heartbeats::clear() {
    const std::lock_guard lock(mutex_);
    beats_.clear();
}

}  // namespace cam::app
