#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace cam {

/// UTC with milliseconds: records, messages, Cloudflare's windows.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Durations, deadlines, backoff. Never jumps.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::milliseconds>;

/// The one door to time, so that tests can turn the hands. Safe from any thread.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual WallTime wall() const = 0;
    [[nodiscard]] virtual SteadyTime steady() const = 0;
    /// Blocks until `until` has passed or `stop` is requested; true if the time has come.
    virtual bool sleep_until(SteadyTime until, std::stop_token stop) = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
public:
    [[nodiscard]] WallTime wall() const override;
    [[nodiscard]] SteadyTime steady() const override;
    bool sleep_until(SteadyTime until, std::stop_token stop) override;
};

}  // namespace cam
