#pragma once

#include <string>

#include "cam/base/clock.h"

namespace cam::store {

/// A new id: 32 hexadecimal digits, of which the first twelve are the milliseconds of `now` and the rest is
/// random, so that ids sort by time and nobody can guess one. Safe from any thread.
[[nodiscard]] std::string make_id(WallTime now);

}  // namespace cam::store
