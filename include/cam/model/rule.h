#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/ip_address.h"
#include "cam/model/prefix.h"

namespace cam {

/// An exporter that the operator named. Its default sampling is used only for flows that carry no rate.
struct Router {
    std::string id;  ///< made by the server
    std::string name;
    IpAddress address;
    std::uint32_t default_sampling = 0;  ///< 1 in n; 0: none is set
    WallTime created_at{};
    WallTime updated_at{};
};

enum class RuleType : std::uint8_t { kThreshold, kZscore, kAdvancedDdos };
enum class Sensitivity : std::uint8_t { kLow, kMedium, kHigh };
enum class ZscoreTarget : std::uint8_t { kBits, kPackets };
enum class RuleScope : std::uint8_t {
    kPerPrefix,  ///< each prefix alone
    kAggregate,  ///< all prefixes of the rule summed
};

/// The operator's condition on the traffic of prefixes (contract section 6). Fields of another type than
/// `type` are not set.
struct Rule {
    std::string id;  ///< made by the server
    std::string name;
    std::vector<Prefix> prefixes;
    RuleType type = RuleType::kThreshold;
    std::optional<std::uint64_t> bandwidth_threshold;  ///< bits/s
    std::optional<std::uint64_t> packet_threshold;     ///< packets/s
    std::chrono::minutes duration{1};
    std::optional<Sensitivity> zscore_sensitivity;
    std::optional<ZscoreTarget> zscore_target;
    RuleScope scope = RuleScope::kPerPrefix;
    WallTime created_at{};
    WallTime updated_at{};
};

/// Names as the API and the database write them.
[[nodiscard]] constexpr const char* name(RuleType type) {
    switch (type) {
        case RuleType::kThreshold:
            return "threshold";
        case RuleType::kZscore:
            return "zscore";
        case RuleType::kAdvancedDdos:
            return "advanced_ddos";
    }
    return "threshold";
}
[[nodiscard]] constexpr const char* name(Sensitivity sensitivity) {
    switch (sensitivity) {
        case Sensitivity::kLow:
            return "low";
        case Sensitivity::kMedium:
            return "medium";
        case Sensitivity::kHigh:
            return "high";
    }
    return "low";
}
[[nodiscard]] constexpr const char* name(ZscoreTarget target) {
    return target == ZscoreTarget::kBits ? "bits" : "packets";
}
[[nodiscard]] constexpr const char* name(RuleScope scope) {
    return scope == RuleScope::kPerPrefix ? "per_prefix" : "aggregate";
}
[[nodiscard]] std::optional<RuleType> rule_type(std::string_view text);
[[nodiscard]] std::optional<Sensitivity> sensitivity(std::string_view text);
[[nodiscard]] std::optional<ZscoreTarget> zscore_target(std::string_view text);
[[nodiscard]] std::optional<RuleScope> rule_scope(std::string_view text);

}  // namespace cam
