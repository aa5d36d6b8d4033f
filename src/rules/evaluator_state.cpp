#include "rules/evaluator_state.h"

#include <algorithm>
#include <utility>

namespace cam::rules {
namespace {

using std::chrono::minutes;

/// How long after a rule was written at the latest its prefixes are counted.
constexpr minutes kTakesEffect{2};

}  // namespace

/// Gives alerts of the last process to the targets they are about. Those that find none wait for a rule.
void EvaluatorState::hand_out_resumed() {
    std::erase_if(resumed, [this](Alert& alert) {
        WatchedRule* rule = find_rule(alert.rule_id);
        Target* target = rule == nullptr ? nullptr : rule->target_of(alert, numbers);
        if (target == nullptr) return false;
        if (alert.ended_at) {
            target->told().ended.push_back(
                {std::chrono::floor<minutes>(alert.started_at), std::chrono::ceil<minutes>(*alert.ended_at)});
            return true;
        }
        if (target->active() != nullptr) return true;
        target->told().active = ActiveAlert{alert, holding_of(alert.crossing)};
        return true;
    });
}

/// Alerts whose rule, or prefix of it, was gone when the process came back.
std::vector<AlertChange> EvaluatorState::end_orphans(MinuteTime minute) {
    std::vector<AlertChange> changes;
    for (Alert& alert : std::exchange(resumed, {})) {
        if (alert.ended_at) continue;
        alert.ended_at = std::max<WallTime>(minute, alert.started_at);
        alert.end_reason = find_rule(alert.rule_id) == nullptr ? "rule_deleted" : "rule_changed";
        changes.push_back({AlertChange::Kind::kEnded, std::move(alert)});
    }
    return changes;
}

/// The clock was turned back: what was learned lies in the future now. Alerts go on.
void EvaluatorState::forget_past() {
    collected = {};
    for (WatchedRule& rule : rules) rule.forget_past();
}

/// Whether a stored minute without traffic means that there was none. The prefixes of a rule that is younger
/// than the minute may not have been counted then; that they were is known where each of them has traffic.
bool EvaluatorState::was_counted(const WatchedRule& rule, const Target& target, MinuteTime minute) const {
    if (target.known_since || minute >= std::chrono::ceil<minutes>(rule.rule().updated_at) + kTakesEffect)
        return true;
    if (target.prefix != PrefixNumbers::kNone) return traffic.first(target.prefix) != nullptr;
    return std::all_of(rule.members().begin(), rule.members().end(),
                       [this](std::uint32_t member) { return traffic.first(member) != nullptr; });
}

std::vector<Alert> EvaluatorState::set_rules(std::vector<Rule> next, MinuteTime now) {
    PrefixNumbers new_numbers;
    std::vector<WatchedRule> watched;
    watched.reserve(next.size());
    std::unordered_map<std::string, std::size_t> by_id;
    std::vector<Alert> ended;
    std::vector<bool> goes_on(rules.size());
    for (Rule& rule : next) {
        const auto [place, is_new] = by_id.try_emplace(rule.id, watched.size());
        if (!is_new) continue;
        watched.emplace_back(std::move(rule), new_numbers);
        const auto before = rule_by_id.find(place->first);
        if (before != rule_by_id.end()) {
            goes_on[before->second] = true;
            watched.back().inherit(rules[before->second], numbers, new_numbers, ended);
        }
        watched.back().judge_new_targets_from(now);
    }
    for (std::size_t i = 0; i < rules.size(); ++i) {
        if (goes_on[i]) continue;
        for (Target& target : rules[i].targets()) {
            ActiveAlert* active = target.active();
            if (active == nullptr) continue;
            ended.push_back(std::move(active->alert));
            ended.back().end_reason = "rule_deleted";
        }
    }
    numbers = std::move(new_numbers);
    rules = std::move(watched);
    rule_by_id = std::move(by_id);
    hand_out_resumed();
    for (Alert& alert : ended) alert.ended_at = std::max<WallTime>(now, alert.started_at);
    return ended;
}

void EvaluatorState::warm_up(MinuteTime minute, std::span<const PrefixMinute> minute_traffic) {
    collected.add(minute);
    traffic.set(minute_traffic, numbers);
    week_ago.set({}, numbers);
    for_each_target(minute, When::kPast,
                    [](WatchedRule& rule, Target& target, const Moment& moment, const Sample& sample) {
                        rule.add(target, moment, sample);
                    });
}

}  // namespace cam::rules
