#include "cam/model/rule.h"

#include <initializer_list>

namespace cam {
namespace {

template <typename Enum>
std::optional<Enum> named(std::string_view text, std::initializer_list<Enum> values) {
    for (const Enum value : values) {
        if (text == name(value)) return value;
    }
    return std::nullopt;
}

}  // namespace

std::optional<RuleType> rule_type(std::string_view text) {
    return named(text, {RuleType::kThreshold, RuleType::kZscore, RuleType::kAdvancedDdos});
}

std::optional<Sensitivity> sensitivity(std::string_view text) {
    return named(text, {Sensitivity::kLow, Sensitivity::kMedium, Sensitivity::kHigh});
}

std::optional<ZscoreTarget> zscore_target(std::string_view text) {
    return named(text, {ZscoreTarget::kBits, ZscoreTarget::kPackets});
}

std::optional<RuleScope> rule_scope(std::string_view text) {
    return named(text, {RuleScope::kPerPrefix, RuleScope::kAggregate});
}

}  // namespace cam
