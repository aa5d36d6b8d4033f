#pragma once

#include <cerrno>

#include "cam/base/result.h"

namespace cam {

/// What an errno of socket, bind or listen means for whoever wanted to listen. A pure function.
[[nodiscard]] constexpr ErrorCode listen_error(int fault) noexcept {
    switch (fault) {
        case EADDRINUSE:
            return ErrorCode::kBusy;
        case EADDRNOTAVAIL:
        case EAFNOSUPPORT:
        case EINVAL:
            return ErrorCode::kInvalid;
        case EACCES:
        case EPERM:
            return ErrorCode::kRefused;
        default:
            return ErrorCode::kInternal;
    }
}

}  // namespace cam
