#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cam::cloudflare {

/// True if `token` is a number of RFC 8259 from its first to its last character.
[[nodiscard]] bool is_json_number(std::string_view token);

/// The value of a JSON number's text if it is whole, not negative and below 2^64; `1500.0` and `1.5e3` are
/// whole.
[[nodiscard]] std::optional<std::uint64_t> whole_number(std::string_view token);

}  // namespace cam::cloudflare
