#pragma once

#include <string>

#include "cam/base/log.h"
#include "cam/base/unique_fd.h"

namespace cam::app {

/// The right to deliver, which one process at a time has: a lock on a file beside the database, which the
/// kernel frees when a process dies. Owned by the thread that delivers.
class DeliveryLock {
public:
    DeliveryLock(const std::string& database, Logger log);

    enum class Right {
        kElsewhere,  ///< another process has it
        kGained,     ///< ours since this call: others may have delivered until now
        kKept,       ///< ours as before; also where the file cannot be opened, which is said once in the log
    };
    /// Never waits.
    Right take();
    /// Gives it back, so that another process can deliver.
    void release() { lock_.close(); }

private:
    std::string path_;
    Logger log_;
    UniqueFd lock_;
    bool lockless_ = false;  // said once
};

}  // namespace cam::app
