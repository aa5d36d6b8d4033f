#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace cam {

/// One packet in n was seen. Zero cannot be built, so nobody divides by it or erases traffic with it.
/// Immutable.
class SamplingRate {
public:
    /// nullopt for 0, which the wire uses for "not sampled" as well as for "not told".
    static constexpr std::optional<SamplingRate> one_in(std::uint32_t n) noexcept {
        if (n == 0) return std::nullopt;
        return SamplingRate{n};
    }
    static constexpr SamplingRate every() noexcept { return SamplingRate{1}; }

    [[nodiscard]] constexpr std::uint32_t n() const noexcept { return n_; }
    /// Saturates: both factors came off the wire.
    [[nodiscard]] constexpr std::uint64_t estimate(std::uint64_t observed) const noexcept {
        std::uint64_t product = 0;  // a multiplication is much faster than the division that would foresee it
        if (__builtin_mul_overflow(observed, std::uint64_t{n_}, &product)) {
            return std::numeric_limits<std::uint64_t>::max();
        }
        return product;
    }
    friend constexpr bool operator==(SamplingRate, SamplingRate) = default;

private:
    explicit constexpr SamplingRate(std::uint32_t n) noexcept : n_(n) {}
    std::uint32_t n_;
};

/// Where a rate came from; in the order in which they win (contract section 6).
enum class SamplingSource : std::uint8_t {
    kRecord,         ///< a field of the flow record itself
    kOptions,        ///< the exporter's options data, by sampler, interface or domain
    kSflowSample,    ///< the sFlow sample
    kHeader,         ///< NetFlow v5's header
    kRouterDefault,  ///< the operator's setting for the router
    kNone,           ///< nobody told: 1
};
inline constexpr std::size_t kSamplingSourceCount = 6;

[[nodiscard]] constexpr const char* name(SamplingSource source) {
    switch (source) {
        case SamplingSource::kRecord:
            return "record";
        case SamplingSource::kOptions:
            return "options";
        case SamplingSource::kSflowSample:
            return "sflow_sample";
        case SamplingSource::kHeader:
            return "header";
        case SamplingSource::kRouterDefault:
            return "router_default";
        case SamplingSource::kNone:
            return "none";
    }
    return "none";
}

}  // namespace cam
