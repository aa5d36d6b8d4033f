#include "cam/rules/evaluator.h"

#include <algorithm>
#include <utility>

#include "cam/base/check.h"
#include "rules/correcting.h"
#include "rules/evaluator_state.h"

namespace cam::rules {

using std::chrono::minutes;

struct Evaluator::State : EvaluatorState {
    std::optional<Correcting> correcting;
};

Evaluator::Evaluator(Options options) : state_(std::make_unique<State>()) {
    if (options.correctable > minutes{0}) state_->correcting.emplace(options.correctable);
}
Evaluator::~Evaluator() = default;

std::vector<AlertChange> Evaluator::set_rules(std::vector<Rule> rules, MinuteTime now) {
    if (state_->correcting) state_->correcting->set_rules(rules, now);
    std::vector<AlertChange> changes;
    for (Alert& alert : state_->set_rules(std::move(rules), now)) {
        if (state_->correcting) state_->correcting->forget(alert);
        changes.push_back({AlertChange::Kind::kEnded, std::move(alert)});
    }
    return changes;
}

void Evaluator::resume(std::vector<Alert> alerts) {
    if (state_->correcting) state_->correcting->resume(alerts);
    for (Alert& alert : alerts) state_->resumed.push_back(std::move(alert));
    state_->hand_out_resumed();
}

void Evaluator::warm_up(MinuteTime minute, std::span<const PrefixMinute> traffic) {
    state_->warm_up(minute, traffic);
    if (state_->correcting) state_->correcting->warm_up(minute, traffic);
}

std::vector<AlertChange> Evaluator::judge(MinuteTime minute, std::span<const PrefixMinute> traffic,
                                          std::span<const PrefixMinute> week_ago) {
    if (state_->last_judged && minute <= *state_->last_judged) {
        if (*state_->last_judged - minute <= kMostSkipped) return {};
        state_->forget_past();
        if (state_->correcting) state_->correcting->forget_past();
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
    if (state_->correcting) state_->correcting->keep(minute, traffic, week_ago, changes);
    return changes;
}

std::vector<AlertChange> Evaluator::correct(std::span<const CorrectedMinute> corrected) {
    check(state_->correcting.has_value(), "an evaluator that keeps nothing cannot correct");
    return state_->correcting->correct(corrected, *state_);
}

void Evaluator::add_judged(MinuteTime minute, std::span<const PrefixMinute> traffic,
                           std::span<const PrefixMinute> week_ago) {
    check(state_->correcting.has_value(), "an evaluator that keeps nothing cannot judge again");
    state_->correcting->add_judged(minute, traffic, week_ago);
    state_->collected.add(minute);
    state_->last_judged = minute;
}

std::vector<AlertChange> Evaluator::judge_again() {
    return state_->correcting->judge_again(*state_);
}

std::optional<MinuteTime> Evaluator::correctable_after() const {
    return state_->correcting ? state_->correcting->settled_to() : std::nullopt;
}

void Evaluator::adopt(const Alert& alert) {
    if (state_->correcting) state_->correcting->adopt(alert);
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
