#pragma once

#include <chrono>
#include <mutex>
#include <stop_token>
#include <vector>

#include "cam/base/clock.h"

namespace cam {

/// A clock whose hands move only when told, and when somebody sleeps: then both go straight to the end of the
/// sleep. Safe from any thread.
class FakeClock final : public Clock {
public:
    static constexpr WallTime kStart =
        std::chrono::sys_days{std::chrono::year{2026} / 1 / 20} + std::chrono::hours{9};

    explicit FakeClock(WallTime wall = kStart) : wall_(wall) {}

    [[nodiscard]] WallTime wall() const override {
        const std::lock_guard lock(mutex_);
        return wall_;
    }
    [[nodiscard]] SteadyTime steady() const override {
        const std::lock_guard lock(mutex_);
        return steady_;
    }
    bool sleep_until(SteadyTime until, std::stop_token stop) override {
        if (stop.stop_requested()) return false;
        const std::lock_guard lock(mutex_);
        if (until <= steady_) return true;
        sleeps_.push_back(until - steady_);
        wall_ += until - steady_;
        steady_ = until;
        return true;
    }

    /// Time passes: both hands move.
    void advance(std::chrono::milliseconds by) {
        const std::lock_guard lock(mutex_);
        wall_ += by;
        steady_ += by;
    }
    /// Somebody sets the machine's time; no time passes.
    void turn_wall(std::chrono::milliseconds by) {
        const std::lock_guard lock(mutex_);
        wall_ += by;
    }
    /// How long each sleep was, oldest first; those that ended at once are left out.
    [[nodiscard]] std::vector<std::chrono::milliseconds> sleeps() const {
        const std::lock_guard lock(mutex_);
        return sleeps_;
    }

private:
    mutable std::mutex mutex_;
    WallTime wall_;
    SteadyTime steady_{std::chrono::hours{1}};
    std::vector<std::chrono::milliseconds> sleeps_;
};

}  // namespace cam
