#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/traffic.h"

namespace cam::app {

/// The `most` largest contributors of each facet to one prefix' minute. The GeoIP databases add the country
/// of the sources, and their AS where the exporter told none.
[[nodiscard]] std::vector<Contributor> explain(const aggregate::CountedMinute& minute, const PrefixMinute& of,
                                               const enrich::GeoDatabases& geo, std::size_t most);

/// How many contributors of each facet an alert's message is made from.
inline constexpr std::size_t kAlertContributors = 20;
/// What is told of a prefix, in this order.
inline constexpr std::array kToldFacets{TrafficFacet::kSource,      TrafficFacet::kSourceAs,
                                        TrafficFacet::kSourcePort,  TrafficFacet::kDestinationPort,
                                        TrafficFacet::kDestination, TrafficFacet::kInterface,
                                        TrafficFacet::kExporter};
/// Sources that are looked up to find the networks and countries behind them.
inline constexpr std::size_t kSourcesLookedUp = 200;

/// Appends the countries of the sources, and their AS unless `out` has any.
void append_places(std::span<const Contributor> sources, const PrefixMinute& of,
                   const enrich::GeoDatabases& geo, std::size_t most, std::vector<Contributor>& out);

/// The same for the prefixes of a minute with the most traffic, as many as there is room for in the database.
[[nodiscard]] std::vector<Contributor> explain_largest(const aggregate::CountedMinute& minute,
                                                       const enrich::GeoDatabases& geo);

}  // namespace cam::app
