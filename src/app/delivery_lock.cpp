#include "app/delivery_lock.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>

namespace cam::app {

DeliveryLock::DeliveryLock(const std::string& database, Logger log)
    : path_(database + ".delivery-lock"), log_(std::move(log)) {}

DeliveryLock::Right DeliveryLock::take() {
    if (lock_.valid()) return Right::kKept;
    UniqueFd file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!file.valid()) {
        // No lock is worse than a rare repetition is worse than silence.
        if (!lockless_) {
            log_->warn("delivery lock cannot be opened, delivering without it reason={}",
                       quote(std::generic_category().message(errno)));
        }
        lockless_ = true;
        return Right::kKept;
    }
    lockless_ = false;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return Right::kElsewhere;
    lock_ = std::move(file);
    return Right::kGained;
}

}  // namespace cam::app
