#include "notify/amounts.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <spdlog/fmt/fmt.h>

namespace cam::notify {

std::string thousands(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) {
        at -= 3;
        digits.insert(at, 1, ',');
    }
    return digits;
}

std::string volume(std::uint64_t bits, std::string_view unit) {
    struct Scale {
        std::uint64_t one;
        char prefix;
    };
    static constexpr std::array kScales = std::to_array<Scale>(
        {{1'000, 'K'}, {1'000'000, 'M'}, {1'000'000'000, 'G'}, {1'000'000'000'000, 'T'}});
    if (bits < kScales.front().one) return fmt::format("{} {}", bits, unit);
    for (const Scale& scale : kScales) {
        // Hundredths of the unit, rounded half up, in integers: no volume is out of a double's exactness.
        const std::uint64_t tenth_of_hundredth = scale.one / 1000;
        const std::uint64_t thousandths = bits / tenth_of_hundredth;
        const std::uint64_t hundredths = thousandths / 10 + (thousandths % 10 >= 5 ? 1 : 0);
        if (hundredths < 100'000 || scale.prefix == kScales.back().prefix)
            return fmt::format("{}.{:02} {}{}", hundredths / 100, hundredths % 100, scale.prefix, unit);
    }
    return {};  // not reached: the last scale always answers
}

std::optional<std::string> rate(double megabits_per_second) {
    static constexpr double kAbsurd = 1e12;  // a million Tbit/s
    if (!std::isfinite(megabits_per_second) || megabits_per_second <= 0 || megabits_per_second >= kAbsurd)
        return std::nullopt;
    double tenths = megabits_per_second * 1e4;  // of a Kbit/s
    static constexpr std::array<std::string_view, 4> kUnits{"Kbps", "Mbps", "Gbps", "Tbps"};
    std::size_t unit = 0;
    while (unit + 1 < kUnits.size() && std::round(tenths) >= 10'000) {
        tenths /= 1000;
        ++unit;
    }
    const double rounded = std::round(tenths);
    if (rounded < 1) return std::nullopt;
    return fmt::format("{:.1f} {}", rounded / 10, kUnits[unit]);
}

std::string rounded_volume(double per_second, std::string_view unit) {
    if (!(per_second > 0)) return volume(0, unit);
    constexpr double kMost = 9e18;  // llround takes it
    return volume(static_cast<std::uint64_t>(std::llround(std::min(per_second, kMost))), unit);
}

std::string percent(double part, double whole) {
    if (!(whole > 0) || !(part >= 0)) return {};
    const double share = std::min(100.0, std::round(part / whole * 100));
    return share < 1 && part > 0 ? "<1%" : fmt::format("{:.0f}%", share);
}

}  // namespace cam::notify
