#pragma once

#include <array>
#include <string_view>

namespace cam::simulator {

/// A place where Cloudflare scrubs.
struct Colo {
    std::string_view code;
    std::string_view city;
    std::string_view country;
};

inline constexpr std::array<Colo, 6> kColos{{{"SOF", "Sofia", "BG"},
                                             {"AMS", "Amsterdam", "NL"},
                                             {"FRA", "Frankfurt", "DE"},
                                             {"ZRH", "Zurich", "CH"},
                                             {"MXP", "Milan", "IT"},
                                             {"IAD", "Ashburn", "US"}}};

}  // namespace cam::simulator
