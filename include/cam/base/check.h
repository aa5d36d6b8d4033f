#pragma once

#include <string_view>

namespace cam {

/// Stops the process with `what` on standard error if `holds` is false. For bugs only, never for input; stays
/// on in release builds. Safe from any thread.
void check(bool holds, std::string_view what);

}  // namespace cam
