#include "app/wakeup.h"

namespace cam::app {

void Wakeup::notify() {
    {
        const std::lock_guard lock(mutex_);
        notified_ = true;
    }
    wake_.notify_one();
}

void Wakeup::wait(std::chrono::milliseconds longest, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, longest, [&] { return notified_; });
    notified_ = false;
}

}  // namespace cam::app
