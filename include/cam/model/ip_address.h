#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cam {

/// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (`::ffff:1.2.3.4`, RFC 4291 2.5.5.2) becomes the IPv4
/// address it stands for, so that one host is one value. Immutable.
class IpAddress {
public:
    enum class Family : std::uint8_t { kV4, kV6 };

    /// Reads the usual text forms. No zone, no port, no brackets, no surrounding blanks.
    static std::optional<IpAddress> parse(std::string_view text);
    /// From the wire: four bytes in network order.
    static IpAddress v4(std::array<std::uint8_t, 4> bytes) noexcept {
        // In words, so that the compiler keeps it in a register: flow records make millions of these.
        const std::array<std::uint32_t, 4> words{std::bit_cast<std::uint32_t>(bytes), 0, 0, 0};
        return IpAddress{Family::kV4, std::bit_cast<std::array<std::uint8_t, 16>>(words)};
    }
    /// From the wire: sixteen bytes in network order.
    static IpAddress v6(const std::array<std::uint8_t, 16>& bytes) noexcept {
        const auto words = std::bit_cast<std::array<std::uint32_t, 4>>(bytes);
        constexpr std::uint32_t kMapped =
            std::endian::native == std::endian::little ? 0xffff0000U : 0x0000ffffU;
        if (words[0] != 0 || words[1] != 0 || words[2] != kMapped) return {Family::kV6, bytes};
        return v4(std::bit_cast<std::array<std::uint8_t, 4>>(words[3]));
    }

    [[nodiscard]] Family family() const noexcept { return family_; }
    /// 32 or 128.
    [[nodiscard]] unsigned width() const noexcept { return family_ == Family::kV4 ? 32U : 128U; }
    /// Network order; an IPv4 address fills the first four bytes, the rest is zero.
    [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }
    /// Bit `index` counted from the most significant; `index` < width().
    [[nodiscard]] bool bit(unsigned index) const noexcept {
        return ((bytes_[index / 8] >> (7U - index % 8)) & 1U) != 0;
    }
    /// The canonical text (RFC 5952 for IPv6).
    [[nodiscard]] std::string text() const;

    // clang-tidy 14 means the 0 in code that the compiler makes.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

private:
    IpAddress(Family family, const std::array<std::uint8_t, 16>& bytes) : family_(family), bytes_(bytes) {}
    Family family_;
    std::array<std::uint8_t, 16> bytes_;
};

}  // namespace cam

template <>
struct std::hash<cam::IpAddress> {
    std::size_t operator()(const cam::IpAddress& address) const noexcept;
};
