#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cam/model/prefix.h"

namespace cam::store {

/// A JSON array of texts, such as `["185.54.80.0/22","2a02:4460::/32"]`, which SQLite's json_each reads.
[[nodiscard]] std::string prefix_list(std::span<const Prefix> prefixes);
/// nullopt if it is anything else.
[[nodiscard]] std::optional<std::vector<Prefix>> parse_prefix_list(std::string_view json);

}  // namespace cam::store
