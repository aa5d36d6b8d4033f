#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "cam/base/byte_reader.h"
#include "decode/template_field.h"

namespace cam::decode {

/// How many bytes the next value has: `told` by the template, or written in front of it, which is then read
/// (RFC 7011 7). nullopt if that is cut. The value itself may still be cut.
[[nodiscard]] inline std::optional<std::size_t> value_length(std::uint16_t told, ByteReader& rest) noexcept {
    constexpr std::uint8_t kLongForm = 255;
    if (told != kVariableLength) return told;
    const auto brief = rest.u8();
    if (!brief) return std::nullopt;
    if (*brief < kLongForm) return *brief;
    const auto full = rest.u16();
    if (!full) return std::nullopt;
    return *full;
}

}  // namespace cam::decode
