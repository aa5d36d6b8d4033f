#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/prefix.h"
#include "cam/model/rule.h"
#include "cam/model/traffic.h"

namespace cam {

/// What was measured against what.
enum class AlertMetric : std::uint8_t { kBitsPerSecond, kPacketsPerSecond, kFlowsPerSecond, kZscore };

[[nodiscard]] constexpr const char* name(AlertMetric metric) {
    switch (metric) {
        case AlertMetric::kBitsPerSecond:
            return "bits_per_second";
        case AlertMetric::kPacketsPerSecond:
            return "packets_per_second";
        case AlertMetric::kFlowsPerSecond:
            return "flows_per_second";
        case AlertMetric::kZscore:
            return "zscore";
    }
    return "bits_per_second";
}

/// Why a rule holds in a minute: `value` reached `threshold`.
struct Crossing {
    AlertMetric metric = AlertMetric::kBitsPerSecond;
    double value = 0;
    double threshold = 0;
    TrafficClass traffic_class = TrafficClass::kAll;  ///< other than kAll only for advanced_ddos
    std::optional<double> baseline = std::nullopt;  ///< in the unit of the traffic; none for threshold rules
    std::optional<double> spread = std::nullopt;    ///< standard deviation around `baseline`; only for zscore
    std::optional<ZscoreTarget> zscore_target =
        std::nullopt;  ///< unit of `baseline` and `spread`; only for zscore
    friend bool operator==(const Crossing&, const Crossing&) = default;
};

struct TrafficRate {
    double bits_per_second = 0;
    double packets_per_second = 0;
};

/// A rule that is or was crossed by the traffic of one prefix, or of all its prefixes summed. Holds what the
/// rule said at the start, so that the story stays true when the rule is changed or deleted.
struct Alert {
    std::string id;  ///< made by the server
    std::string rule_id;
    std::string rule_name;
    RuleType type = RuleType::kThreshold;
    std::vector<Prefix> prefixes;  ///< one, or those of an aggregate rule
    RuleScope scope = RuleScope::kPerPrefix;
    WallTime started_at{};  ///< start of the first minute that crossed
    WallTime raised_at{};   ///< when it was judged and told
    std::optional<WallTime>
        ended_at;            ///< start of the first minute that no longer crosses; none while active
    Crossing crossing;       ///< at the start
    TrafficRate peak;        ///< each on its own
    TrafficRate current;     ///< of the latest minute judged
    std::string end_reason;  ///< empty while active: `below`, `rule_deleted`, `rule_changed`
};

/// Which alerts a reader wants, newest first.
struct AlertQuery {
    std::optional<bool> active;
    std::optional<std::string> rule_id;
    std::optional<WallTime> since;  ///< started_at at or after
    std::uint32_t limit = 100;
};

}  // namespace cam
