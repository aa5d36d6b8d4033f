#pragma once

#include <cstdint>
#include <vector>

#include "app/flow_exchange.h"
#include "cam/base/result.h"
#include "cam/model/rule.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// Rules and routers as they were stored at one time.
struct RuleSet {
    std::int64_t generation = 0;
    std::vector<Rule> rules;
    std::vector<Router> routers;
};

[[nodiscard]] Result<RuleSet> load_rules(store::FlowStore& store);
/// What flow workers count by.
[[nodiscard]] FlowPlan plan_of(const RuleSet& set);
/// The prefixes of all rules, each once, sorted.
[[nodiscard]] std::vector<Prefix> prefixes_of(const std::vector<Rule>& rules);
/// Whether a rule looks at more than the sum of all traffic, and a week back.
[[nodiscard]] bool needs_classes(const std::vector<Rule>& rules);

}  // namespace cam::app
