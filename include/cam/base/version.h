#pragma once

#include <string_view>

namespace cam {

/// The program's version, such as `2.0.0`; CMakeLists.txt is its only source.
[[nodiscard]] std::string_view version() noexcept;

}  // namespace cam
