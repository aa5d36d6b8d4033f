#include "cam/base/version.h"

namespace cam {

std::string_view version() noexcept {
    return CAM_VERSION;
}

}  // namespace cam
