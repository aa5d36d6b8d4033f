#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cam {

/// A part of a list that is in the order in which its things were made.
struct ListQuery {
    std::optional<std::string> after;    ///< begins behind the thing with this id
    std::optional<std::uint32_t> limit;  ///< so many at most
};

}  // namespace cam
