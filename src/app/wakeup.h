#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace cam::app {

/// Wakes a thread from others. Safe from any thread.
class Wakeup {
public:
    void notify();
    /// Returns at a notify, a stop or after `longest`; which of them is not told.
    void wait(std::chrono::milliseconds longest, const std::stop_token& stop);

private:
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool notified_ = false;
};

}  // namespace cam::app
