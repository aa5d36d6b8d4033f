#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cam/base/clock.h"

namespace cam {

/// Where a source is and whose network it is in, as far as the GeoIP databases know.
struct Place {
    std::optional<std::string> city;
    std::optional<std::string> country;
    std::optional<std::string> country_code;  ///< ISO 3166-1 alpha-2
    std::optional<std::uint32_t> asn;
    std::optional<std::string> organization;
};

/// Which GeoIP database answers now.
struct GeoEdition {
    enum class Type { kCommercial, kFree };
    Type type;
    WallTime built;  ///< the database's own build time, not the file's
    std::string path;
};

}  // namespace cam
