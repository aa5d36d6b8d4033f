#pragma once

#include <cstddef>
#include <string_view>

namespace cam {

/// How many bytes must be added, taken away or replaced to turn one text into the other (Levenshtein): which
/// known name a mistyped one meant. Takes time proportional to the product of the lengths.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace cam
