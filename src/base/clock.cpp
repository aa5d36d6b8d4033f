#include "cam/base/clock.h"

namespace cam {

WallTime SystemClock::wall() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now());
}

bool SystemClock::sleep_until(SteadyTime until, std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_until(lock, stop, until, [] { return false; });
    return !stop.stop_requested();
}

}  // namespace cam
