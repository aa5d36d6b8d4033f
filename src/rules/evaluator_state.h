#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "cam/rules/evaluator.h"
#include "rules/collected_minutes.h"
#include "rules/prefix_numbers.h"
#include "rules/watched_rule.h"

namespace cam::rules {

/// Whether a minute is judged, or only learned from.
enum class When { kPast, kNow };

/// Rules, their targets and what is known of the past, up to one minute. One thread at a time.
struct EvaluatorState {
    PrefixNumbers numbers;
    std::vector<WatchedRule> rules;
    std::unordered_map<std::string, std::size_t> rule_by_id;
    CollectedMinutes collected;
    std::optional<MinuteTime> last_judged;
    std::vector<Alert> resumed;  ///< not yet given to their targets
    MinuteIndex traffic;
    MinuteIndex week_ago;

    WatchedRule* find_rule(const std::string& id) {
        const auto found = rule_by_id.find(id);
        return found == rule_by_id.end() ? nullptr : &rules[found->second];
    }

    /// As Evaluator::set_rules; returns the alerts that end.
    std::vector<Alert> set_rules(std::vector<Rule> next, MinuteTime now);
    void hand_out_resumed();
    void forget_past();
    /// As Evaluator::warm_up.
    void warm_up(MinuteTime minute, std::span<const PrefixMinute> minute_traffic);
    std::vector<AlertChange> end_orphans(MinuteTime minute);
    [[nodiscard]] bool was_counted(const WatchedRule& rule, const Target& target, MinuteTime minute) const;
    /// Calls visit(rule, target, moment, sample) for the targets that do not know the minute yet.
    template <typename Visit>
    void for_each_target(MinuteTime minute, When when, Visit visit);
};

template <typename Visit>
void EvaluatorState::for_each_target(MinuteTime minute, When when, Visit visit) {
    ClassVolumes sum;
    ClassVolumes week_sum;
    for (WatchedRule& rule : rules) {
        const Moment moment{minute, collected.oldest_of_last(rule.window(), minute), collected};
        const bool asks_week_ago = rule.rule().type == RuleType::kAdvancedDdos && !week_ago.empty();
        for (Target& target : rule.targets()) {
            if (target.newest && minute <= *target.newest) continue;
            if (when == When::kPast && !was_counted(rule, target, minute)) continue;
            target.newest = minute;
            if (!target.known_since) target.known_since = minute;
            Sample sample;
            sample.known_since = *target.known_since;
            if (target.prefix != PrefixNumbers::kNone) {
                sample.classes = traffic.first(target.prefix);
            } else {
                sum = {};
                for (const std::uint32_t member : rule.members()) {
                    const ClassVolumes* one = traffic.first(member);
                    if (one == nullptr) continue;
                    for (std::size_t c = 0; c < kTrafficClassCount; ++c) sum[c] += (*one)[c];
                }
                sample.classes = &sum;
            }
            if (asks_week_ago) {
                week_sum = {};
                if (target.prefix != PrefixNumbers::kNone) week_ago.add_largest(week_sum, target.prefix);
                for (const std::uint32_t member : rule.members()) week_ago.add_largest(week_sum, member);
                sample.week_ago = &week_sum;
            }
            visit(rule, target, moment, sample);
        }
    }
}

}  // namespace cam::rules
