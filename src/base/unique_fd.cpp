#include "cam/base/unique_fd.h"

#include <unistd.h>

namespace cam {

void UniqueFd::close() noexcept {
    if (fd_ != kNone) ::close(std::exchange(fd_, kNone));
}

}  // namespace cam
