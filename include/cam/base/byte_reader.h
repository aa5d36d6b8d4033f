#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace cam {

/// Reads bytes that a stranger sent, in network order, and never past their end: each read says nullopt
/// instead. A length carves a reader of its own (`sub`), so that an inner parser cannot see past its set.
/// Does not own the bytes. A value type; one thread at a time.
class ByteReader {
public:
    constexpr ByteReader() = default;
    explicit constexpr ByteReader(std::span<const std::uint8_t> bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] constexpr std::size_t remaining() const noexcept { return rest_.size(); }
    [[nodiscard]] constexpr bool empty() const noexcept { return rest_.empty(); }
    /// Everything that is not read yet.
    [[nodiscard]] constexpr std::span<const std::uint8_t> rest() const noexcept { return rest_; }

    std::optional<std::uint8_t> u8() noexcept { return number<std::uint8_t>(); }
    std::optional<std::uint16_t> u16() noexcept { return number<std::uint16_t>(); }
    std::optional<std::uint32_t> u32() noexcept { return number<std::uint32_t>(); }
    std::optional<std::uint64_t> u64() noexcept { return number<std::uint64_t>(); }

    /// An unsigned number of 0 to 8 bytes (reduced-size encoding, RFC 7011 6.2); zero bytes are 0.
    std::optional<std::uint64_t> unsigned_of(std::size_t size) noexcept {
        if (size > sizeof(std::uint64_t) || size > rest_.size()) return std::nullopt;
        std::uint64_t value = 0;
        for (const std::uint8_t byte : rest_.first(size)) value = value << 8U | byte;
        rest_ = rest_.subspan(size);
        return value;
    }

    template <std::size_t Size>
    std::optional<std::array<std::uint8_t, Size>> bytes() noexcept {
        if (rest_.size() < Size) return std::nullopt;
        std::array<std::uint8_t, Size> out;
        std::memcpy(out.data(), rest_.data(), Size);
        rest_ = rest_.subspan(Size);
        return out;
    }

    /// The next `size` bytes as a reader of their own; this one goes on behind them.
    std::optional<ByteReader> sub(std::size_t size) noexcept {
        if (size > rest_.size()) return std::nullopt;
        const ByteReader carved{rest_.first(size)};
        rest_ = rest_.subspan(size);
        return carved;
    }
    /// False, and nothing skipped, if fewer than `size` are left.
    bool skip(std::size_t size) noexcept {
        if (size > rest_.size()) return false;
        rest_ = rest_.subspan(size);
        return true;
    }

private:
    template <typename Number>
    std::optional<Number> number() noexcept {
        if (rest_.size() < sizeof(Number)) return std::nullopt;
        Number value;
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_ = rest_.subspan(sizeof value);
        if constexpr (std::endian::native == std::endian::little) {
            if constexpr (sizeof(Number) == 2) value = __builtin_bswap16(value);
            if constexpr (sizeof(Number) == 4) value = __builtin_bswap32(value);
            if constexpr (sizeof(Number) == 8) value = __builtin_bswap64(value);
        }
        return value;
    }

    std::span<const std::uint8_t> rest_;
};

}  // namespace cam
