#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "cam/base/byte_reader.h"

namespace cam::decode {

/// `Size` bytes that were taken from a reader, or none: one check when they are taken, and the compiler
/// checks each read. One pointer, so that it travels in a register: an optional span costs a sampled packet a
/// third of its time. Does not own the bytes. Immutable.
template <std::size_t Size>
class FixedBytes {
public:
    FixedBytes() = default;
    explicit FixedBytes(std::span<const std::uint8_t, Size> bytes) noexcept : first_(bytes.data()) {}

    /// False: there were not enough bytes, and nothing may be read.
    explicit operator bool() const noexcept { return first_ != nullptr; }

    template <std::size_t At>
    [[nodiscard]] std::uint8_t u8() const noexcept {
        return part<At, 1>().front();
    }
    template <std::size_t At>
    [[nodiscard]] std::uint16_t u16() const noexcept {
        return ByteReader{part<At, 2>()}.u16().value_or(0);
    }
    template <std::size_t At>
    [[nodiscard]] std::uint32_t u32() const noexcept {
        return ByteReader{part<At, 4>()}.u32().value_or(0);
    }
    template <std::size_t At, std::size_t Count>
    [[nodiscard]] std::array<std::uint8_t, Count> array() const noexcept {
        std::array<std::uint8_t, Count> out;
        std::memcpy(out.data(), part<At, Count>().data(), Count);
        return out;
    }
    template <std::size_t At, std::size_t Count>
    [[nodiscard]] FixedBytes<Count> sub() const noexcept {
        return FixedBytes<Count>{part<At, Count>()};
    }

private:
    template <std::size_t At, std::size_t Count>
    [[nodiscard]] std::span<const std::uint8_t, Count> part() const noexcept {
        return std::span<const std::uint8_t, Size>{first_, Size}.template subspan<At, Count>();
    }
    const std::uint8_t* first_ = nullptr;
};

/// The next `Size` bytes of `reader`; none, and nothing read, if fewer are left.
template <std::size_t Size>
[[nodiscard]] FixedBytes<Size> take(ByteReader& reader) noexcept {
    if (reader.remaining() < Size) return {};
    const FixedBytes<Size> taken{reader.rest().template first<Size>()};
    reader.skip(Size);
    return taken;
}

}  // namespace cam::decode
