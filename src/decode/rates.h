#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "cam/model/sampling_rate.h"

namespace cam::decode {

// The ways in which exporters write "one packet in n" (RFC 5477 8.2). All give n, the nearest whole number, 0
// for "not told".

/// None for 0; beyond 32 bits, the most that can be said.
[[nodiscard]] inline std::optional<SamplingRate> rate_of(std::uint64_t one_in) noexcept {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    return SamplingRate::one_in(static_cast<std::uint32_t>(one_in < kMost ? one_in : kMost));
}

/// `part` is not 0.
[[nodiscard]] inline std::uint64_t nearest_ratio(std::uint64_t all, std::uint64_t part) noexcept {
    const std::uint64_t left = all % part;
    return all / part + (left >= part - left ? 1U : 0U);
}

/// samplingPacketInterval packets are taken, then samplingPacketSpace left out (elements 305 and 306).
[[nodiscard]] inline std::uint64_t one_in_by_space(std::uint64_t taken, std::uint64_t left_out) noexcept {
    if (taken == 0) return 0;
    std::uint64_t all = 0;
    if (__builtin_add_overflow(taken, left_out, &all)) return std::numeric_limits<std::uint64_t>::max();
    return nearest_ratio(all, taken);
}

/// samplingSize packets out of samplingPopulation (elements 309 and 310).
[[nodiscard]] inline std::uint64_t one_in_by_population(std::uint64_t size,
                                                        std::uint64_t population) noexcept {
    return size == 0 || population < size ? 0 : nearest_ratio(population, size);
}

/// samplingProbability (element 311), the bits of a float64 between 0 and 1, or of a float32 if it is of four
/// bytes (RFC 7011 6.2).
[[nodiscard]] inline std::uint64_t one_in_by_probability(std::uint64_t bits, std::size_t width) noexcept {
    const double probability = width == sizeof(float)
                                   ? double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))}
                                   : std::bit_cast<double>(bits);
    if (!(probability > 0.0 && probability <= 1.0)) return 0;
    const double one_in = std::round(1.0 / probability);
    constexpr double kMost = std::numeric_limits<std::uint32_t>::max();
    return one_in < kMost ? static_cast<std::uint64_t>(one_in) : std::numeric_limits<std::uint32_t>::max();
}

}  // namespace cam::decode
