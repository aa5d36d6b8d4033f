#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace cam::api {

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256.
[[nodiscard]] Digest digest(std::string_view text);
/// HMAC-SHA-256.
[[nodiscard]] Digest keyed_digest(std::string_view key, std::string_view text);
/// Takes the same time wherever they differ.
[[nodiscard]] bool same(const Digest& a, const Digest& b);
/// Lower-case hexadecimal digits.
[[nodiscard]] std::string hex(const Digest& bytes);

}  // namespace cam::api
