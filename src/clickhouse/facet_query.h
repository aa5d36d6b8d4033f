#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cam/model/ip_address.h"
#include "cam/model/traffic.h"

namespace cam::clickhouse {

/// A contributor's key as the query gives it.
struct FacetKey {
    IpAddress address = IpAddress::v4({});
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::string text{};
};

/// The four columns `address, first, second, key_text` of FacetKey, as expressions over `raw`.
[[nodiscard]] std::string facet_columns(TrafficFacet facet);
/// Which rows tell the property at all, as a condition over `raw`.
[[nodiscard]] std::string facet_condition(TrafficFacet facet);
/// The key in the form that TrafficFacet names.
[[nodiscard]] std::string facet_text(TrafficFacet facet, const FacetKey& key);

}  // namespace cam::clickhouse
