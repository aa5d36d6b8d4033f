#include "rules/watched_rule.h"

#include <algorithm>
#include <utility>

namespace cam::rules {
namespace {

using std::chrono::minutes;

/// After so long in an alert of advanced_ddos the traffic counts as normal: what stays that long is a new
/// level. A zscore rule learns nothing of an alert, however long it lasts.
constexpr std::chrono::hours kNewLevelAfter{24};
/// How long the span of an ended alert is remembered: as long as a week-ago baseline may ask.
constexpr std::chrono::hours kSpansKept{8 * 24};

std::vector<Prefix> sorted_once(std::vector<Prefix> prefixes) {
    std::sort(prefixes.begin(), prefixes.end());
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    return prefixes;
}

decltype(Target::past) empty_past(RuleType type) {
    switch (type) {
        case RuleType::kThreshold:
            return ThresholdPast{};
        case RuleType::kZscore:
            return ZscorePast{};
        case RuleType::kAdvancedDdos:
            return AdvancedPast{};
    }
    return ThresholdPast{};
}

/// The same traffic is looked at, so that the past of a target stays true.
bool looks_at_the_same(const Rule& a, const Rule& b) {
    if (a.type != b.type || a.scope != b.scope || a.zscore_target != b.zscore_target) return false;
    if (a.scope == RuleScope::kAggregate && sorted_once(a.prefixes) != sorted_once(b.prefixes)) return false;
    // Run lengths are counted against the thresholds themselves.
    return a.bandwidth_threshold == b.bandwidth_threshold && a.packet_threshold == b.packet_threshold;
}

bool judges_the_same(const Rule& a, const Rule& b) {
    return looks_at_the_same(a, b) && a.duration == b.duration &&
           a.zscore_sensitivity == b.zscore_sensitivity;
}

bool is_inside(const AlertSpan& span, MinuteTime minute) {
    return minute >= span.from && minute < span.to;
}

Belongs belongs(const Target& target, MinuteTime minute) {
    if (!target.story) return Belongs::kToNormal;
    const bool learns_late = std::holds_alternative<AdvancedPast>(target.past);
    const auto kept_out = [&](MinuteTime from, MinuteTime to) {
        return is_inside({from, learns_late ? std::min<MinuteTime>(to, from + kNewLevelAfter) : to}, minute);
    };
    if (const ActiveAlert* active = target.active()) {
        const auto from = std::chrono::floor<minutes>(active->alert.started_at);
        if (kept_out(from, MinuteTime::max())) return Belongs::kToAlert;
    }
    for (const AlertSpan& span : target.story->ended) {
        if (kept_out(span.from, span.to)) return Belongs::kToAlert;
    }
    return Belongs::kToNormal;
}

void remember_end(TargetStory& story, const Alert& alert, MinuteTime end) {
    std::erase_if(story.ended, [&](const AlertSpan& span) { return end - span.to > kSpansKept; });
    story.ended.push_back({std::chrono::floor<minutes>(alert.started_at), end});
}

}  // namespace

Target Target::copy() const {
    Target other;
    other.prefix = prefix;
    other.past = std::visit([](const auto& one) -> decltype(past) { return one.copy(); }, past);
    other.known_since = known_since;
    other.newest = newest;
    other.judged_from = judged_from;
    if (story) other.story = std::make_unique<TargetStory>(*story);
    return other;
}

WatchedRule::WatchedRule(Rule rule, PrefixNumbers& numbers) : rule_(std::move(rule)) {
    const std::vector<Prefix> prefixes = sorted_once(rule_.prefixes);
    if (rule_.scope == RuleScope::kPerPrefix) targets_.reserve(prefixes.size());
    const Prefix* widest = nullptr;
    for (const Prefix& prefix : prefixes) {
        const std::uint32_t number = numbers.number(prefix);
        if (rule_.scope == RuleScope::kPerPrefix) {
            targets_.emplace_back();
            targets_.back().prefix = number;
            targets_.back().past = empty_past(rule_.type);
            continue;
        }
        // A prefix sorts before those that lie in it.
        if (widest != nullptr && widest->contains(prefix.address())) continue;
        widest = &prefix;
        members_.push_back(number);
    }
    if (rule_.scope == RuleScope::kAggregate) {
        targets_.emplace_back();
        targets_.back().past = empty_past(rule_.type);
    }
}

Target* WatchedRule::target_of(const Alert& alert, const PrefixNumbers& numbers) {
    if (alert.scope != rule_.scope || alert.type != rule_.type) return nullptr;
    if (rule_.scope == RuleScope::kAggregate) {
        if (sorted_once(alert.prefixes) != sorted_once(rule_.prefixes)) return nullptr;
        return &targets_.front();
    }
    if (alert.prefixes.size() != 1) return nullptr;
    const Prefix& wanted = alert.prefixes.front();
    const auto found = std::lower_bound(
        targets_.begin(), targets_.end(), wanted,
        [&](const Target& target, const Prefix& prefix) { return numbers.prefix(target.prefix) < prefix; });
    if (found == targets_.end() || numbers.prefix(found->prefix) != wanted) return nullptr;
    return &*found;
}

void WatchedRule::inherit(WatchedRule& before, const PrefixNumbers& old_numbers, const PrefixNumbers& numbers,
                          std::vector<Alert>& ended) {
    const bool same_traffic = looks_at_the_same(before.rule_, rule_);
    const bool same_judgement = judges_the_same(before.rule_, rule_);
    auto mine = targets_.begin();
    for (Target& old : before.targets_) {
        Target* heir = nullptr;
        if (same_traffic && rule_.scope == RuleScope::kAggregate) heir = &targets_.front();
        if (same_traffic && rule_.scope == RuleScope::kPerPrefix) {  // both are sorted
            const Prefix& wanted = old_numbers.prefix(old.prefix);
            while (mine != targets_.end() && numbers.prefix(mine->prefix) < wanted) ++mine;
            if (mine != targets_.end() && numbers.prefix(mine->prefix) == wanted) heir = &*mine;
        }
        if (ActiveAlert* active = old.active(); active != nullptr && (heir == nullptr || !same_judgement)) {
            ended.push_back(std::move(active->alert));
            ended.back().end_reason = "rule_changed";
            if (old.newest) remember_end(*old.story, ended.back(), *old.newest + minutes{1});
            old.story->active.reset();
        }
        if (heir == nullptr) continue;
        const std::uint32_t prefix = heir->prefix;
        *heir = std::move(old);
        heir->prefix = prefix;
        if (!same_judgement) heir->judged_from = MinuteTime::max();  // until judge_new_targets_from
    }
}

void WatchedRule::judge_new_targets_from(MinuteTime now) {
    const MinuteTime from = std::max(now, std::chrono::ceil<minutes>(rule_.updated_at));
    for (Target& target : targets_) {
        if (!target.newest || target.judged_from == MinuteTime::max()) target.judged_from = from;
    }
}

void WatchedRule::close(Target& target, MinuteTime end) {
    ActiveAlert* active = target.active();
    if (active == nullptr) return;
    remember_end(*target.story, active->alert, end);
    target.story->active.reset();
}

void WatchedRule::forget_past() {
    for (Target& target : targets_) {
        target.past = empty_past(rule_.type);
        target.known_since.reset();
        target.newest.reset();
    }
}

unsigned WatchedRule::window() const {
    switch (rule_.type) {
        case RuleType::kThreshold:
            return static_cast<unsigned>(rule_.duration.count());
        case RuleType::kZscore:
            return kZscoreWindow;
        case RuleType::kAdvancedDdos:
            return 1;
    }
    return 1;
}

std::chrono::minutes WatchedRule::past_needed() const {
    switch (rule_.type) {
        case RuleType::kThreshold:
            return rule_.duration + kMostSkipped;
        case RuleType::kZscore:
            return kZscoreBaseline + minutes{kZscoreWindow} + kMostSkipped;
        case RuleType::kAdvancedDdos:
            return kAdvancedPast;
    }
    return minutes{0};
}

std::vector<Prefix> WatchedRule::prefixes_of(const Target& target, const PrefixNumbers& numbers) const {
    if (target.prefix == PrefixNumbers::kNone) return rule_.prefixes;
    return {numbers.prefix(target.prefix)};
}

void WatchedRule::add(Target& target, const Moment& moment, const Sample& sample) const {
    const Belongs where = belongs(target, moment.minute);
    if (auto* threshold = std::get_if<ThresholdPast>(&target.past)) {
        threshold->add(moment, sample, rule_);
    } else if (auto* zscore = std::get_if<ZscorePast>(&target.past)) {
        zscore->add(moment, sample, rule_, where);
        // The baseline of an alert that goes on is the one before it: it may be gone at the first judgement.
        if (ActiveAlert* active = target.active(); active != nullptr && where == Belongs::kToAlert) {
            if (const auto baseline = zscore->baseline(moment, *rule_.zscore_target))
                active->holding.baseline = baseline;
        }
    } else if (auto* advanced = std::get_if<AdvancedPast>(&target.past)) {
        ActiveAlert* active = target.active();
        if (active == nullptr || moment.minute <= active->alert.started_at) {
            advanced->add(moment, sample, where);
            return;
        }
        // Counts the quiet minutes; were they enough, the alert ends with the next minute that is judged.
        active->holding.learns = where == Belongs::kToNormal;
        static_cast<void>(advanced->judge(moment, sample, &active->holding));
    }
}

std::optional<AlertChange> WatchedRule::judge(Target& target, const Moment& moment, const Sample& sample,
                                              const PrefixNumbers& numbers) const {
    Sample seen = sample;
    ActiveAlert* active = target.active();
    Holding* holding = nullptr;
    if (target.story) {
        // What was an attack a week ago is no baseline.
        if (belongs(target, moment.minute - std::chrono::days{7}) == Belongs::kToAlert)
            seen.week_ago = nullptr;
    }
    if (active != nullptr) {
        holding = &active->holding;
        holding->learns = rule_.type == RuleType::kAdvancedDdos &&
                          moment.minute - active->alert.started_at >= kNewLevelAfter;
    }
    Finding finding;
    if (auto* threshold = std::get_if<ThresholdPast>(&target.past)) {
        finding = threshold->judge(moment, seen, rule_, holding);
    } else if (auto* zscore = std::get_if<ZscorePast>(&target.past)) {
        finding = zscore->judge(moment, seen, rule_, holding);
    } else if (auto* advanced = std::get_if<AdvancedPast>(&target.past)) {
        finding = advanced->judge(moment, seen, holding);
    }
    const TrafficRate now = rate_of(sample.all());
    if (active != nullptr) {
        active->alert.current = now;
        raise(active->alert.peak, now);
        if (!finding.ended) return AlertChange{AlertChange::Kind::kUpdated, active->alert};
        active->alert.ended_at = std::max<WallTime>(*finding.ended, active->alert.started_at);
        active->alert.end_reason = "below";
        AlertChange change{AlertChange::Kind::kEnded, std::move(active->alert)};
        remember_end(*target.story, change.alert, *finding.ended);
        target.story->active.reset();
        return change;
    }
    if (!finding.start) return std::nullopt;
    Alert alert = begin(target, *finding.start, moment.minute, numbers);
    alert.current = now;
    target.told().active = ActiveAlert{alert, holding_of(alert.crossing)};
    return AlertChange{AlertChange::Kind::kStarted, std::move(alert)};
}

Alert WatchedRule::begin(const Target& target, const Finding::Start& start, MinuteTime minute,
                         const PrefixNumbers& numbers) const {
    Alert alert;
    alert.rule_id = rule_.id;
    alert.rule_name = rule_.name;
    alert.type = rule_.type;
    alert.prefixes = prefixes_of(target, numbers);
    alert.scope = rule_.scope;
    alert.started_at = start.since;
    alert.raised_at = minute + minutes{1};
    alert.crossing = start.crossing;
    alert.peak = start.peak;
    return alert;
}

}  // namespace cam::rules
