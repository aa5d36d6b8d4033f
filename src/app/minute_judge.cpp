#include "app/minute_judge.h"

#include <algorithm>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/alert_composer.h"

namespace cam::app {
namespace {

constexpr std::chrono::hours kRemembered{8 * 24};
constexpr std::uint32_t kMostRemembered = 100'000;
constexpr std::size_t kUpdatesTold = 50;

/// The end follows its start.
bool is_same_alert(const Alert& started, const Alert& ended) {
    return started.rule_id == ended.rule_id && started.scope == ended.scope &&
           started.started_at == ended.started_at && started.prefixes == ended.prefixes;
}

void sort_in(rules::AlertChange change, store::Judgement& judgement) {
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
    for (rules::AlertChange& change : evaluator_.judge(minute, traffic, week_ago))
        sort_in(std::move(change), judgement);
    evaluation_seconds_.set(std::chrono::duration<double>(parts_.clock.steady() - before).count());
    minutes_judged_.add();
    return judgement;
}

std::optional<store::Judgement> MinuteJudge::correct(std::span<const rules::CorrectedMinute> corrected) {
    return judgement_of(evaluator_.correct(corrected));
}

std::optional<store::Judgement> MinuteJudge::judge_again() {
    return judgement_of(evaluator_.judge_again());
}

std::vector<std::string> MinuteJudge::active_in_words() const {
    const std::vector<Alert> alerts = active();
    std::vector<std::string> lines{alerts.empty() ? "No rule was crossed when it was last known."
                                                  : "Crossed when it was last known:"};
    for (const Alert& alert : alerts)
        lines.push_back(fmt::format("{}: {}", alert.rule_name, alert_target(alert)));
    return lines;
}

std::optional<store::Judgement> MinuteJudge::judgement_of(std::vector<rules::AlertChange> changes) {
    if (changes.empty()) return std::nullopt;
    store::Judgement judgement;
    for (rules::AlertChange& change : changes) {
        const bool is_missed = change.kind == rules::AlertChange::Kind::kEnded &&
                               !judgement.started.empty() &&
                               is_same_alert(judgement.started.back(), change.alert);
        if (is_missed) {
            judgement.started.pop_back();
            judgement.missed.push_back(std::move(change.alert));
            continue;
        }
        sort_in(std::move(change), judgement);
    }
    return judgement;
}

Status MinuteJudge::record(const store::Judgement& judgement, const Compose& compose) {
    const auto recorded = parts_.store.record(judgement, parts_.clock.wall(), compose);
    if (!recorded) return recorded.error();
    note_recorded(*recorded);
    note_active();
    publish(judgement, *recorded);
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

/// In the order of their weight: alerts before the minute that they belong to. Of alerts that merely go on
/// only some are named; all of them can be read when the minute is told.
void MinuteJudge::publish(const store::Judgement& judgement, const store::RecordReport& report) {
    if (parts_.events == nullptr) return;
    using Change = api::EventBoard::AlertChange;
    for (const Alert& alert : report.started) parts_.events->alert(alert.id, Change::kStarted);
    for (const Alert& alert : report.ended) parts_.events->alert(alert.id, Change::kEnded);
    const std::size_t named = std::min(judgement.updated.size(), kUpdatesTold);
    for (std::size_t i = 0; i < named; ++i) parts_.events->alert(judgement.updated[i].id, Change::kUpdated);
    if (judgement.minute) parts_.events->minute(*judgement.minute);
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
