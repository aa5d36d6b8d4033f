#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/traffic_history.h"
#include "cam/api/traffic.h"
#include "cam/base/result.h"
#include "cam/enrich/geo_databases.h"

namespace cam::app {

/// Prefixes times minutes that one chart or preview reads at most: 8 µs and 270 bytes each (a preview).
inline constexpr std::int64_t kMostMinutesRead = 600'000;

/// Those of the prefixes that lie in no other of them: together they hold each packet once.
[[nodiscard]] std::vector<Prefix> outermost(std::vector<Prefix> prefixes);

/// The traffic of these prefixes together, each packet once; peaks are of the sum. kInvalid: too much is
/// asked for.
[[nodiscard]] Result<std::vector<TrafficPoint>> summed_series(TrafficHistory& history,
                                                              const std::vector<Prefix>& prefixes,
                                                              const api::TrafficRange& range);

/// The minute, or the latest one that is stored within the hour before `now`.
[[nodiscard]] Result<std::optional<api::TrafficMinute>> stored_minute(TrafficHistory& history,
                                                                      std::optional<MinuteTime> minute,
                                                                      WallTime now);

/// What the range was made of. The names of AS come from the networks that are among the sources.
[[nodiscard]] Result<api::TrafficParts> traffic_parts(TrafficHistory& history,
                                                      const enrich::GeoDatabases& geo, const Prefix& prefix,
                                                      const api::TrafficRange& range, std::size_t most);

}  // namespace cam::app
