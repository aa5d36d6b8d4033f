#include "cam/rules/evaluator.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "rules/collected_minutes.h"
#include "rules/prefix_numbers.h"
#include "rules/watched_rule.h"

namespace cam::rules {
namespace {

using std::chrono::minutes;

/// How long after a rule was written at the latest its prefixes are counted.
constexpr minutes kTakesEffect{2};

enum class When { kPast, kNow };

bool needs_week_ago(const Rule& rule) {
    return rule.type == RuleType::kAdvancedDdos;
}

}  // namespace

struct Evaluator::State {
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

    void hand_out_resumed();
    void forget_past();
    std::vector<AlertChange> end_orphans(MinuteTime minute);
    [[nodiscard]] bool was_counted(const WatchedRule& rule, const Target& target, MinuteTime minute) const;
    template <typename Visit>
    void for_each_target(MinuteTime minute, When when, Visit visit);
};

/// Gives alerts of the last process to the targets they are about. Those that find none wait for a rule.
void Evaluator::State::hand_out_resumed() {
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
std::vector<AlertChange> Evaluator::State::end_orphans(MinuteTime minute) {
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
void Evaluator::State::forget_past() {
    collected = {};
    for (WatchedRule& rule : rules) rule.forget_past();
}

/// Whether a stored minute without traffic means that there was none. The prefixes of a rule that is younger
/// than the minute may not have been counted then; that they were is known where each of them has traffic.
bool Evaluator::State::was_counted(const WatchedRule& rule, const Target& target, MinuteTime minute) const {
    if (target.known_since || minute >= std::chrono::ceil<minutes>(rule.rule().updated_at) + kTakesEffect)
        return true;
    if (target.prefix != PrefixNumbers::kNone) return traffic.first(target.prefix) != nullptr;
    return std::all_of(rule.members().begin(), rule.members().end(),
                       [this](std::uint32_t member) { return traffic.first(member) != nullptr; });
}

/// Calls visit(rule, target, moment, sample) for the targets that do not know the minute yet.
template <typename Visit>
void Evaluator::State::for_each_target(MinuteTime minute, When when, Visit visit) {
    ClassVolumes sum;
    ClassVolumes week_sum;
    for (WatchedRule& rule : rules) {
        const Moment moment{minute, collected.oldest_of_last(rule.window(), minute), collected};
        const bool asks_week_ago = needs_week_ago(rule.rule()) && !week_ago.empty();
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

Evaluator::Evaluator() : state_(std::make_unique<State>()) {}
Evaluator::~Evaluator() = default;

std::vector<AlertChange> Evaluator::set_rules(std::vector<Rule> rules, MinuteTime now) {
    PrefixNumbers numbers;
    std::vector<WatchedRule> watched;
    watched.reserve(rules.size());
    std::unordered_map<std::string, std::size_t> by_id;
    std::vector<Alert> ended;
    std::vector<bool> goes_on(state_->rules.size());
    for (Rule& rule : rules) {
        const auto [place, is_new] = by_id.try_emplace(rule.id, watched.size());
        if (!is_new) continue;
        watched.emplace_back(std::move(rule), numbers);
        const auto before = state_->rule_by_id.find(place->first);
        if (before == state_->rule_by_id.end()) continue;
        goes_on[before->second] = true;
        watched.back().inherit(state_->rules[before->second], state_->numbers, numbers, ended);
    }
    for (std::size_t i = 0; i < state_->rules.size(); ++i) {
        if (goes_on[i]) continue;
        for (Target& target : state_->rules[i].targets()) {
            ActiveAlert* active = target.active();
            if (active == nullptr) continue;
            ended.push_back(std::move(active->alert));
            ended.back().end_reason = "rule_deleted";
        }
    }
    state_->numbers = std::move(numbers);
    state_->rules = std::move(watched);
    state_->rule_by_id = std::move(by_id);
    state_->hand_out_resumed();

    std::vector<AlertChange> changes;
    for (Alert& alert : ended) {
        alert.ended_at = std::max<WallTime>(now, alert.started_at);
        changes.push_back({AlertChange::Kind::kEnded, std::move(alert)});
    }
    return changes;
}

void Evaluator::resume(std::vector<Alert> alerts) {
    for (Alert& alert : alerts) state_->resumed.push_back(std::move(alert));
    state_->hand_out_resumed();
}

void Evaluator::warm_up(MinuteTime minute, std::span<const PrefixMinute> traffic) {
    state_->collected.add(minute);
    state_->traffic.set(traffic, state_->numbers);
    state_->week_ago.set({}, state_->numbers);
    state_->for_each_target(minute, When::kPast,
                            [](WatchedRule& rule, Target& target, const Moment& moment,
                               const Sample& sample) { rule.add(target, moment, sample); });
}

std::vector<AlertChange> Evaluator::judge(MinuteTime minute, std::span<const PrefixMinute> traffic,
                                          std::span<const PrefixMinute> week_ago) {
    if (state_->last_judged && minute <= *state_->last_judged) {
        if (*state_->last_judged - minute <= kMostSkipped) return {};
        state_->forget_past();
    }
    state_->last_judged = minute;
    state_->collected.add(minute);
    state_->traffic.set(traffic, state_->numbers);
    state_->week_ago.set(week_ago, state_->numbers);
    std::vector<AlertChange> changes = state_->end_orphans(minute);
    state_->for_each_target(
        minute, When::kNow,
        [&](WatchedRule& rule, Target& target, const Moment& moment, const Sample& sample) {
            if (auto change = rule.judge(target, moment, sample, state_->numbers))
                changes.push_back(std::move(*change));
        });
    return changes;
}

void Evaluator::adopt(const Alert& alert) {
    WatchedRule* rule = state_->find_rule(alert.rule_id);
    if (rule == nullptr) return;
    Target* target = rule->target_of(alert, state_->numbers);
    ActiveAlert* active = target == nullptr ? nullptr : target->active();
    if (active == nullptr || active->alert.started_at != alert.started_at) return;
    active->alert.id = alert.id;
    active->alert.raised_at = alert.raised_at;
}

std::vector<Alert> Evaluator::active() const {
    std::vector<Alert> alerts;
    for (const WatchedRule& rule : state_->rules) {
        for (const Target& target : rule.targets()) {
            if (const ActiveAlert* active = target.active()) alerts.push_back(active->alert);
        }
    }
    return alerts;
}

std::chrono::minutes Evaluator::past_needed() const {
    minutes most{0};
    for (const WatchedRule& rule : state_->rules) most = std::max(most, rule.past_needed());
    return most;
}

}  // namespace cam::rules
