#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cam/base/clock.h"

namespace cam::app {

/// The pulse of one loop. Safe from any thread.
class Heartbeat {
public:
    Heartbeat(std::string loop, const Clock& clock) : loop_(std::move(loop)), clock_(clock) { beat(); }
    /// The loop advances.
    void beat() noexcept {
        last_.store(clock_.steady().time_since_epoch().count(), std::memory_order_relaxed);
    }
    /// The loop has ended on purpose and is not expected to beat.
    void rest() noexcept { last_.store(kResting, std::memory_order_relaxed); }
    [[nodiscard]] const std::string& loop() const { return loop_; }
    [[nodiscard]] bool silent(SteadyTime now, std::chrono::milliseconds longest) const noexcept {
        const auto last = last_.load(std::memory_order_relaxed);
        return last != kResting && now.time_since_epoch().count() - last > longest.count();
    }

private:
    static constexpr std::int64_t kResting = -1;
    std::string loop_;
    const Clock& clock_;
    std::atomic<std::int64_t> last_{0};
};

/// Sleeps until `until` in slices, so that the pulse goes on; false if asked to stop.
bool sleep_beating(Clock& clock, SteadyTime until, const std::stop_token& stop, Heartbeat& heartbeat);

/// All loops of the process. Safe from any thread.
class Heartbeats {
public:
    explicit Heartbeats(const Clock& clock) : clock_(clock) {}
    /// The returned pulse lives as long as this object.
    Heartbeat& add(std::string loop);
    /// Names of the loops that have been silent for longer than `longest`.
    [[nodiscard]] std::vector<std::string> silent(std::chrono::milliseconds longest) const;
    void clear();

private:
    const Clock& clock_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Heartbeat>> beats_;
};

}  // namespace cam::app
