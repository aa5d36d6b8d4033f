#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "cam/base/byte_reader.h"

namespace cam::decode {

/// Bytes whose number is part of the type: one check when they are taken, and the compiler checks each read.
template <std::size_t Size>
using FixedBytes = std::span<const std::uint8_t, Size>;

/// The next `Size` bytes of `reader`; nullopt, and nothing read, if fewer are left. Inlined by force: a third
/// of the time of a sample went into the calls.
template <std::size_t Size>
[[gnu::always_inline]] inline std::optional<FixedBytes<Size>> take(ByteReader& reader) noexcept {
    if (reader.remaining() < Size) return std::nullopt;
    const FixedBytes<Size> taken = reader.rest().template first<Size>();
    reader.skip(Size);
    return taken;
}

template <std::size_t At, std::size_t Size>
std::uint8_t u8_at(FixedBytes<Size> bytes) noexcept {
    return bytes.template subspan<At, 1>().front();
}
template <std::size_t At, std::size_t Size>
std::uint16_t u16_at(FixedBytes<Size> bytes) noexcept {
    return ByteReader{bytes.template subspan<At, 2>()}.u16().value_or(0);
}
template <std::size_t At, std::size_t Size>
std::uint32_t u32_at(FixedBytes<Size> bytes) noexcept {
    return ByteReader{bytes.template subspan<At, 4>()}.u32().value_or(0);
}
template <std::size_t At, std::size_t Count, std::size_t Size>
std::array<std::uint8_t, Count> array_at(FixedBytes<Size> bytes) noexcept {
    std::array<std::uint8_t, Count> out;
    std::ranges::copy(bytes.template subspan<At, Count>(), out.begin());
    return out;
}

}  // namespace cam::decode
