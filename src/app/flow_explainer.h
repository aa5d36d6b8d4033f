#pragma once

#include <cstddef>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/traffic.h"

namespace cam::app {

/// The `most` largest contributors of each facet to one prefix' minute. The GeoIP databases add the country
/// of the sources, and their AS where the exporter told none.
[[nodiscard]] std::vector<Contributor> explain(const aggregate::CountedMinute& minute, const PrefixMinute& of,
                                               const enrich::GeoDatabases& geo, std::size_t most);

/// The same for the prefixes of a minute with the most traffic, as many as there is room for in the database.
[[nodiscard]] std::vector<Contributor> explain_largest(const aggregate::CountedMinute& minute,
                                                       const enrich::GeoDatabases& geo);

}  // namespace cam::app
