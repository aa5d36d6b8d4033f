#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace cam::notify {

/// `15,000`.
[[nodiscard]] std::string thousands(std::uint64_t number);

/// A volume of bits in decimal units with two decimals: `9.00 M` and then `unit`, such as `9.00 Mbps`; below
/// 1000 an integer. Never prints 1000.00 of a unit that has a larger one.
[[nodiscard]] std::string volume(std::uint64_t bits, std::string_view unit);

/// A rate with one decimal, `1.2 Gbps`; nullopt if the number says nothing (zero, negative, not finite,
/// absurd).
[[nodiscard]] std::optional<std::string> rate(double megabits_per_second);

/// A volume per second that was worked out: rounded, negative or not a number counts as zero.
[[nodiscard]] std::string rounded_volume(double per_second, std::string_view unit);

/// `45%` of the whole, `<1%` for little of it; empty if there is no whole.
[[nodiscard]] std::string percent(double part, double whole);

/// Saturates: the numbers are Cloudflare's estimates and came over the wire.
[[nodiscard]] constexpr std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) noexcept {
    constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
    return a > kMax - b ? kMax : a + b;
}

}  // namespace cam::notify
