#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cam/model/alert.h"
#include "cam/model/prefix.h"
#include "cam/model/traffic.h"
#include "cam/model/traffic_series.h"

namespace cam::api {

/// A chart's range: from `from` until before `to`, in points of `step`.
struct TrafficRange {
    MinuteTime from;
    MinuteTime to;
    std::chrono::minutes step{1};
};

/// One minute of all prefixes that had traffic in it.
struct TrafficMinute {
    MinuteTime minute;
    std::vector<PrefixMinute> prefixes;
};

/// What a range of a prefix was made of.
struct TrafficParts {
    Volume all;                                   ///< of the prefix in the range
    std::vector<Contributor> largest;             ///< by facet, the largest first
    std::map<std::string, std::string> as_names;  ///< by AS number in text, as far as GeoIP knows them
};

/// What a rule would have done, had it been there.
struct RulePreview {
    struct Suggestion {
        std::optional<std::uint64_t> bits_per_second;
        std::optional<std::uint64_t> packets_per_second;
        std::string reasoning;
    };
    MinuteTime from;
    MinuteTime to;
    std::uint64_t minutes_judged = 0;          ///< whole minutes that are stored
    std::vector<Alert> alerts;                 ///< newest first, ids empty
    std::uint64_t alerts_left_out = 0;         ///< older ones beyond the bound
    std::vector<Prefix> without_traffic = {};  ///< of the rule; perhaps nobody counted them
    Suggestion suggestion;
};

}  // namespace cam::api
