#include "app/rule_sets.h"

#include <algorithm>
#include <utility>

namespace cam::app {

Result<RuleSet> load_rules(store::FlowStore& store) {
    // The number first: what changes in between is then loaded once more, not missed.
    const auto generation = store.generation();
    if (!generation) return generation.error();
    auto rules = store.rules();
    if (!rules) return rules.error();
    auto routers = store.routers();
    if (!routers) return routers.error();
    return RuleSet{*generation, std::move(*rules), std::move(*routers)};
}

FlowPlan plan_of(const RuleSet& set) {
    aggregate::CountingPlan::Options options{.prefixes = prefixes_of(set.rules), .default_sampling = {}};
    FlowPlan plan{.counting = nullptr, .generation = set.generation, .routers = {}};
    for (const Router& router : set.routers) {
        plan.routers.emplace_back(router.address);
        if (const auto rate = SamplingRate::one_in(router.default_sampling)) {
            options.default_sampling.emplace_back(ExporterKey{router.address}, *rate);
        }
    }
    plan.counting = aggregate::CountingPlan::compile(options);
    return plan;
}

std::vector<Prefix> prefixes_of(const std::vector<Rule>& rules) {
    std::vector<Prefix> all;
    for (const Rule& rule : rules) all.insert(all.end(), rule.prefixes.begin(), rule.prefixes.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
}

bool needs_classes(const std::vector<Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(),
                       [](const Rule& rule) { return rule.type == RuleType::kAdvancedDdos; });
}

}  // namespace cam::app
