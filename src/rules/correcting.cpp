#include "rules/correcting.h"

#include <algorithm>
#include <utility>

namespace cam::rules {
namespace {

using std::chrono::minutes;

bool is_same_target(const Alert& a, const Alert& b) {
    return a.rule_id == b.rule_id && a.scope == b.scope && a.prefixes == b.prefixes;
}

bool is_active_in(const std::optional<MinuteTime>& ended_in, MinuteTime raised_in, MinuteTime minute) {
    return raised_in <= minute && (!ended_in || minute < *ended_in);
}

/// Marks the prefixes whose figures differ. Both are sorted.
void mark_changes(const std::vector<PrefixMinute>& before, const std::vector<PrefixMinute>& after,
                  const PrefixNumbers& numbers, std::vector<bool>& changed) {
    const auto mark = [&](const Prefix& prefix) {
        const std::uint32_t number = numbers.find(prefix);
        if (number != PrefixNumbers::kNone) changed[number] = true;
    };
    auto old = before.begin();
    for (const PrefixMinute& one : after) {
        for (; old != before.end() && old->prefix < one.prefix; ++old) mark(old->prefix);
        const bool is_known = old != before.end() && old->prefix == one.prefix;
        if (!is_known || old->classes != one.classes) mark(one.prefix);
        if (is_known) ++old;
    }
    for (; old != before.end(); ++old) mark(old->prefix);
}

}  // namespace

void Correcting::set_rules(const std::vector<Rule>& rules, MinuteTime now) {
    static_cast<void>(settled_.set_rules(rules, now));
}

void Correcting::resume(const std::vector<Alert>& alerts) {
    for (const Alert& alert : alerts) {
        settled_.resumed.push_back(alert);
        // A minute's judgement raises an alert at its end.
        Told told{alert, std::chrono::floor<minutes>(alert.raised_at) - minutes{1}, std::nullopt};
        if (alert.ended_at) {
            const minutes noticed{alert.type == RuleType::kAdvancedDdos ? kQuietMinutes - 1 : 0};
            told.ended_in = std::chrono::floor<minutes>(*alert.ended_at) + noticed;
        }
        told_.push_back(std::move(told));
    }
    settled_.hand_out_resumed();
}

void Correcting::warm_up(MinuteTime minute, std::span<const PrefixMinute> traffic) {
    settled_.warm_up(minute, traffic);
}

void Correcting::adopt(const Alert& alert) {
    for (Told& told : told_) {
        if (!is_same_target(told.alert, alert) || told.alert.started_at != alert.started_at) continue;
        told.alert.id = alert.id;
        told.alert.raised_at = alert.raised_at;
    }
}

void Correcting::forget_past() {
    settled_.forget_past();
    settled_to_.reset();
    kept_.clear();
    std::erase_if(told_, [](const Told& told) { return told.ended_in.has_value(); });
}

void Correcting::forget(const Alert& alert) {
    std::erase_if(told_,
                  [&](const Told& told) { return !told.ended_in && is_same_target(told.alert, alert); });
}

std::optional<MinuteTime> Correcting::settled_to() const {
    if (settled_to_) return settled_to_;
    return kept_.empty() ? std::nullopt : std::optional{kept_.front().minute - minutes{1}};
}

void Correcting::keep(MinuteTime minute, std::span<const PrefixMinute> traffic,
                      std::span<const PrefixMinute> week_ago, const std::vector<AlertChange>& changes) {
    for (const AlertChange& change : changes) note(change, minute);
    kept_.push_back({minute, PackedMinute(traffic), PackedMinute(week_ago)});
    while (kept_.front().minute <= minute - reach_) {
        settle(kept_.front());
        kept_.pop_front();
    }
}

void Correcting::note(const AlertChange& change, MinuteTime minute) {
    if (change.kind == AlertChange::Kind::kUpdated) return;
    if (change.kind == AlertChange::Kind::kStarted) {
        told_.push_back({change.alert, minute, std::nullopt});
        return;
    }
    for (Told& told : told_) {
        if (told.ended_in || !is_same_target(told.alert, change.alert)) continue;
        told.alert = change.alert;
        told.ended_in = minute;
    }
}

/// Nobody can correct the minute any more.
void Correcting::settle(const KeptMinute& kept) {
    settled_.collected.add(kept.minute);
    Replayed nothing;
    replay(kept, settled_, stories(settled_), [&](const Target&) -> Replayed& { return nothing = {}; });
    settled_to_ = kept.minute;
    std::erase_if(told_, [&](const Told& told) { return told.ended_in && *told.ended_in <= kept.minute; });
}

Correcting::Stories Correcting::stories(EvaluatorState& state) const {
    Stories all;
    for (std::size_t i = 0; i < told_.size(); ++i) {
        WatchedRule* rule = state.find_rule(told_[i].alert.rule_id);
        const Target* target = rule == nullptr ? nullptr : rule->target_of(told_[i].alert, state.numbers);
        if (target != nullptr) all[target].push_back(i);
    }
    return all;
}

template <typename Found>
void Correcting::replay(const KeptMinute& kept, EvaluatorState& state, const Stories& stories,
                        Found found) const {
    const std::vector<PrefixMinute> traffic = kept.traffic.unpacked(kept.minute);
    const std::vector<PrefixMinute> week_ago = kept.week_ago.unpacked(kept.minute);
    state.traffic.set(traffic, state.numbers);
    state.week_ago.set(week_ago, state.numbers);
    state.for_each_target(kept.minute, When::kNow,
                          [&](WatchedRule& rule, Target& target, const Moment& moment, const Sample& sample) {
                              const auto told = stories.find(&target);
                              step(rule, target, moment, sample, state.numbers,
                                   told == stories.end() ? nullptr : &told->second, found(target));
                          });
    state.traffic.set({}, state.numbers);
    state.week_ago.set({}, state.numbers);
}

void Correcting::step(WatchedRule& rule, Target& target, const Moment& moment, const Sample& sample,
                      const PrefixNumbers& numbers, const std::vector<std::size_t>* told,
                      Replayed& found) const {
    if (moment.minute < target.judged_from) return rule.add(target, moment, sample);
    std::optional<AlertChange> change = rule.judge(target, moment, sample, numbers);
    if (told != nullptr) {
        for (const std::size_t index : *told) {
            const Told& one = told_[index];
            if (is_active_in(one.ended_in, one.raised_in, moment.minute))
                return impose(one, target, moment, change, found);
            if (one.ended_in == moment.minute) return WatchedRule::close(target, moment.minute);
        }
    }
    take_missed(target, std::move(change), told, moment.minute, found);
}

/// In this minute the alert was active, as the SOC was told.
void Correcting::impose(const Told& told, Target& target, const Moment& moment,
                        const std::optional<AlertChange>& change, Replayed& found) const {
    ActiveAlert* active = target.active();
    if (active == nullptr) {
        if (change && change->kind == AlertChange::Kind::kEnded) found.over = change->alert;
        if (moment.minute == told.raised_in)
            target.told().active = ActiveAlert{told.alert, holding_of(told.alert.crossing)};
        return;
    }
    found.over.reset();
    if (!found.missed.empty() && !found.missed.back().ended_in) found.missed.pop_back();  // it is that one
    Alert& alert = active->alert;
    alert.id = told.alert.id;
    alert.started_at = told.alert.started_at;
    alert.raised_at = told.alert.raised_at;
    alert.crossing = told.alert.crossing;
    raise(alert.peak, told.alert.peak);
}

/// In this minute the SOC knew of no alert.
void Correcting::take_missed(Target& target, std::optional<AlertChange> change,
                             const std::vector<std::size_t>* told, MinuteTime minute, Replayed& found) const {
    if (!change) return;
    if (change->kind == AlertChange::Kind::kStarted) {
        Alert& alert = target.active()->alert;
        if (told != nullptr) {
            for (const std::size_t index : *told) {
                const Told& one = told_[index];
                if (one.ended_in && *one.ended_in <= minute && one.alert.ended_at)
                    alert.started_at = std::max(alert.started_at, *one.alert.ended_at);
            }
        }
        found.missed.push_back({alert, minute, std::nullopt});
    } else if (!found.missed.empty() && !found.missed.back().ended_in) {
        found.missed.back().alert = change->alert;
        if (change->kind == AlertChange::Kind::kEnded) found.missed.back().ended_in = minute;
    }
}

/// True if the minute lies within reach; then it stands as it is now, and what differs is marked.
bool Correcting::take_over(const CorrectedMinute& corrected, EvaluatorState& live, Touched& touched) {
    const MinuteTime minute = corrected.minute;
    if (kept_.empty() || minute > kept_.back().minute || minute <= *settled_to()) return false;
    PackedMinute packed(corrected.traffic);
    const auto place =
        std::lower_bound(kept_.begin(), kept_.end(), minute,
                         [](const KeptMinute& kept, MinuteTime wanted) { return kept.minute < wanted; });
    if (place != kept_.end() && place->minute == minute) {
        mark_changes(place->traffic.unpacked(minute), packed.unpacked(minute), live.numbers,
                     touched.prefixes);
        place->traffic = std::move(packed);
        return true;
    }
    kept_.insert(place, {minute, std::move(packed), PackedMinute(corrected.week_ago)});
    live.collected.add(minute);
    touched.all = true;
    return true;
}

/// The touched targets are as they were before the minutes that are kept.
std::vector<Target*> Correcting::go_back(EvaluatorState& live, const Touched& touched) const {
    std::vector<Target*> back;
    for (std::size_t r = 0; r < live.rules.size(); ++r) {
        WatchedRule& rule = live.rules[r];
        const bool sum_is_touched =
            std::any_of(rule.members().begin(), rule.members().end(),
                        [&](std::uint32_t member) { return touched.prefixes[member]; });
        for (std::size_t t = 0; t < rule.targets().size(); ++t) {
            Target& target = rule.targets()[t];
            const bool is_touched =
                target.prefix == PrefixNumbers::kNone ? sum_is_touched : touched.prefixes[target.prefix];
            if (!touched.all && !is_touched) continue;
            target = settled_.rules[r].targets()[t].copy();
            back.push_back(&target);
        }
    }
    return back;
}

std::vector<AlertChange> Correcting::correct(std::span<const CorrectedMinute> corrected,
                                             EvaluatorState& live) {
    Touched touched{.all = false, .prefixes = std::vector<bool>(live.numbers.size())};
    bool is_any = false;
    for (const CorrectedMinute& one : corrected) is_any |= take_over(one, live, touched);
    if (!is_any) return {};
    return replay_all(touched, live);
}

void Correcting::add_judged(MinuteTime minute, std::span<const PrefixMinute> traffic,
                            std::span<const PrefixMinute> week_ago) {
    kept_.push_back({minute, PackedMinute(traffic), PackedMinute(week_ago)});
}

/// Which alerts were active when the first of the added minutes began.
void Correcting::go_back_before(MinuteTime first) {
    for (const Told& told : told_) {
        WatchedRule* rule = settled_.find_rule(told.alert.rule_id);
        Target* target = rule == nullptr ? nullptr : rule->target_of(told.alert, settled_.numbers);
        if (target == nullptr) continue;
        if (is_active_in(told.ended_in, told.raised_in, first - minutes{1})) {
            Alert alert = told.alert;
            alert.ended_at.reset();
            alert.end_reason.clear();
            target->told().active = ActiveAlert{alert, holding_of(alert.crossing)};
        } else if (target->active() != nullptr &&
                   target->active()->alert.started_at == told.alert.started_at) {
            target->story->active.reset();
        }
    }
    std::erase_if(told_, [&](const Told& told) { return told.ended_in && *told.ended_in < first; });
}

std::vector<AlertChange> Correcting::judge_again(EvaluatorState& live) {
    if (kept_.empty()) return {};
    go_back_before(kept_.front().minute);
    return replay_all({.all = true, .prefixes = std::vector<bool>(live.numbers.size())}, live);
}

std::vector<AlertChange> Correcting::replay_all(const Touched& touched, EvaluatorState& live) {
    const std::vector<Target*> back = go_back(live, touched);
    if (back.empty()) return {};
    const Stories known = stories(live);
    std::unordered_map<const Target*, Replayed> found;
    for (const KeptMinute& kept : kept_)
        replay(kept, live, known, [&](const Target& target) -> Replayed& { return found[&target]; });
    std::vector<AlertChange> changes;
    for (Target* target : back) {
        const auto told = known.find(target);
        conclude(*target, found[target], told == known.end() ? nullptr : &told->second, changes);
    }
    return changes;
}

void Correcting::conclude(Target& target, Replayed& found, const std::vector<std::size_t>* told,
                          std::vector<AlertChange>& changes) {
    const MinuteTime now = kept_.back().minute;
    for (std::size_t i = 0; told != nullptr && i < told->size(); ++i) {
        Told& one = told_[(*told)[i]];
        if (one.ended_in) continue;
        if (const ActiveAlert* active = target.active()) {
            changes.push_back({AlertChange::Kind::kUpdated, active->alert});
            continue;
        }
        if (found.over) {
            one.alert.peak = found.over->peak;
            one.alert.current = found.over->current;
        }
        one.alert.ended_at = std::max<WallTime>(
            found.over && found.over->ended_at ? *found.over->ended_at : now, one.alert.started_at);
        one.alert.end_reason = "below";
        one.ended_in = now;
        changes.push_back({AlertChange::Kind::kEnded, one.alert});
    }
    for (Told& missed : found.missed) {
        missed.alert.raised_at = now + minutes{1};
        if (ActiveAlert* active = target.active(); active != nullptr && !missed.ended_in) {
            active->alert.raised_at = missed.alert.raised_at;
            missed.alert = active->alert;
        }
        told_.push_back({missed.alert, missed.raised_in, missed.ended_in});
        Alert start = missed.alert;
        start.ended_at.reset();
        start.end_reason.clear();
        changes.push_back({AlertChange::Kind::kStarted, std::move(start)});
        if (missed.ended_in) changes.push_back({AlertChange::Kind::kEnded, missed.alert});
    }
}

}  // namespace cam::rules
