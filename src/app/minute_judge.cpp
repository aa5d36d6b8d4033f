#include "app/minute_judge.h"

#include <algorithm>
#include <string>
#include <utility>

#include "app/alert_composer.h"

namespace cam::app {
namespace {

constexpr std::chrono::hours kRemembered{8 * 24};
constexpr std::uint32_t kMostRemembered = 100'000;

/// What tells one target's alerts from another's.
std::string target_key(const Alert& alert) {
    std::string key = alert.rule_id;
    if (alert.scope == RuleScope::kPerPrefix && !alert.prefixes.empty())
        key += ' ' + alert.prefixes.front().text();
    return key;
}

}  // namespace

MinuteJudge::MinuteJudge(Parts parts, rules::Evaluator::Options options)
    : parts_(std::move(parts)),
      evaluator_(options),
      minutes_judged_(parts_.metrics.counter(
          "cam_flow_windows_total", "Minutes of traffic, by what became of them", {{"result", "judged"}})),
      evaluation_seconds_(
          parts_.metrics.gauge("cam_rule_evaluation_seconds", "Time that judging the last minute took")),
      rules_set_(parts_.metrics.gauge("cam_rules", "Rules that are judged")) {
    for (const RuleType type : {RuleType::kThreshold, RuleType::kZscore, RuleType::kAdvancedDdos}) {
        alerts_active_[type] = &parts_.metrics.gauge(
            "cam_alerts_active", "Rules that are crossed now, per target", {{"type", name(type)}});
    }
}

void MinuteJudge::use(const std::vector<Rule>& rules, MinuteTime from) {
    for (rules::AlertChange& change : evaluator_.set_rules(rules, from))
        ended_.push_back(std::move(change.alert));
    rules_set_.set(static_cast<double>(rules.size()));
}

Status MinuteJudge::resume() {
    auto known = parts_.store.active_alerts();
    if (!known) return known.error();
    auto over = parts_.store.alerts({.active = false,
                                     .rule_id = std::nullopt,
                                     .since = parts_.clock.wall() - kRemembered,
                                     .limit = kMostRemembered});
    if (!over) return over.error();
    known->insert(known->end(), over->begin(), over->end());
    evaluator_.resume(std::move(*known));
    note_active();
    return Done{};
}

store::Judgement MinuteJudge::judge(MinuteTime minute, std::span<const PrefixMinute> traffic,
                                    std::span<const PrefixMinute> week_ago) {
    const SteadyTime before = parts_.clock.steady();
    store::Judgement judgement{
        .minute = minute, .ended = std::exchange(ended_, {}), .started = {}, .updated = {}};
    for (rules::AlertChange& change : evaluator_.judge(minute, traffic, week_ago)) {
        switch (change.kind) {
            case rules::AlertChange::Kind::kStarted:
                judgement.started.push_back(std::move(change.alert));
                break;
            case rules::AlertChange::Kind::kUpdated:
                judgement.updated.push_back(std::move(change.alert));
                break;
            case rules::AlertChange::Kind::kEnded:
                judgement.ended.push_back(std::move(change.alert));
                break;
        }
    }
    evaluation_seconds_.set(std::chrono::duration<double>(parts_.clock.steady() - before).count());
    minutes_judged_.add();
    return judgement;
}

std::vector<store::Judgement> MinuteJudge::correct(std::span<const rules::CorrectedMinute> corrected) {
    return judgements_of(evaluator_.correct(corrected));
}

std::vector<store::Judgement> MinuteJudge::judge_again() {
    return judgements_of(evaluator_.judge_again());
}

std::vector<store::Judgement> MinuteJudge::judgements_of(std::vector<rules::AlertChange> changes) {
    // The n-th missed alerts of all targets share a judgement, so that many of them make few messages.
    store::Judgement known;
    std::vector<std::pair<store::Judgement, store::Judgement>> missed;  // starts, ends
    std::map<std::string, std::size_t> starts;
    for (rules::AlertChange& change : changes) {
        if (change.kind == rules::AlertChange::Kind::kUpdated) {
            known.updated.push_back(std::move(change.alert));
            continue;
        }
        std::size_t& of_target = starts[target_key(change.alert)];
        if (change.kind == rules::AlertChange::Kind::kEnded) {
            (of_target == 0 ? known : missed[of_target - 1].second).ended.push_back(std::move(change.alert));
            continue;
        }
        if (++of_target > missed.size()) missed.emplace_back();
        missed[of_target - 1].first.started.push_back(std::move(change.alert));
    }
    std::vector<store::Judgement> all;
    const auto keep = [&all](store::Judgement& one) {
        if (!one.ended.empty() || !one.started.empty() || !one.updated.empty()) all.push_back(std::move(one));
    };
    keep(known);
    for (auto& [first, second] : missed) {
        keep(first);
        keep(second);
    }
    return all;
}

Status MinuteJudge::record(store::Judgement& judgement, const Compose& compose) {
    for (Alert& alert : judgement.ended) {
        const auto same = std::find_if(missed_.begin(), missed_.end(), [&](const Alert& started) {
            return alert.id.empty() && started.started_at == alert.started_at &&
                   target_key(started) == target_key(alert);
        });
        if (same != missed_.end()) alert.id = same->id;
    }
    const auto recorded = parts_.store.record(judgement, parts_.clock.wall(), compose);
    if (!recorded) return recorded.error();
    missed_.clear();
    if (!judgement.minute) missed_ = recorded->started;
    note_recorded(*recorded);
    note_active();
    return Done{};
}

void MinuteJudge::note_recorded(const store::RecordReport& report) {
    for (const Alert& alert : report.started) {
        evaluator_.adopt(alert);
        parts_.log->warn("alert raised id={} rule={} target={} type={} {}={:.0f} threshold={:.0f}", alert.id,
                         quote(alert.rule_name), alert_target(alert), name(alert.type),
                         name(alert.crossing.metric), alert.crossing.value, alert.crossing.threshold);
    }
    for (const Alert& alert : report.kept) evaluator_.adopt(alert);
    for (const Alert& alert : report.ended) {
        parts_.log->info("alert cleared id={} rule={} target={} reason={}", alert.id, quote(alert.rule_name),
                         alert_target(alert), alert.end_reason);
    }
    if (report.queued > 0) parts_.queued();
}

void MinuteJudge::note_active() {
    std::map<RuleType, double> active;
    for (const Alert& alert : evaluator_.active()) ++active[alert.type];
    for (const auto& [type, gauge] : alerts_active_) {
        const auto found = active.find(type);
        gauge->set(found == active.end() ? 0 : found->second);
    }
}

}  // namespace cam::app
