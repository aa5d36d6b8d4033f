#include "app/flow_judge.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <malloc.h>

#include <spdlog/fmt/fmt.h>

#include "app/alert_composer.h"
#include "app/flow_explainer.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kPublishEvery{5};
/// Around the turn of a minute no plan is published, so that all workers begin a minute with the same one.
constexpr seconds kTurn{1};
constexpr seconds kPruneEvery{60};
constexpr seconds kPatience{60};
constexpr std::chrono::hours kWeek{7 * 24};
constexpr minutes kAround{2};  // of the minute a week ago
constexpr std::chrono::hours kRemembered{8 * 24};
constexpr std::uint32_t kMostRemembered = 100'000;
constexpr std::size_t kUpdatesTold = 50;
constexpr std::size_t kStatesAtOnce = 256;
/// Prefixes with traffic; a minute of more takes megabytes.
constexpr std::size_t kLargeMinute = 1'000;

bool needs_classes(const std::vector<Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(),
                       [](const Rule& rule) { return rule.type == RuleType::kAdvancedDdos; });
}

}  // namespace

FlowJudge::FlowJudge(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(options),
      watch_({parts_.store, parts_.remembered, parts_.conditions, parts_.clock, parts_.log, parts_.metrics}),
      minutes_judged_(parts_.metrics.counter(
          "cam_flow_windows_total", "Minutes of traffic, by what became of them", {{"result", "judged"}})),
      minutes_partial_(parts_.metrics.counter(
          "cam_flow_windows_total", "Minutes of traffic, by what became of them", {{"result", "partial"}})),
      minutes_dropped_(parts_.metrics.counter(
          "cam_flow_windows_total", "Minutes of traffic, by what became of them", {{"result", "dropped"}})),
      evaluation_seconds_(
          parts_.metrics.gauge("cam_rule_evaluation_seconds", "Time that judging the last minute took")),
      rules_set_(parts_.metrics.gauge("cam_rules", "Rules that are judged")) {
    for (const RuleType type : {RuleType::kThreshold, RuleType::kZscore, RuleType::kAdvancedDdos}) {
        alerts_active_[type] = &parts_.metrics.gauge(
            "cam_alerts_active", "Rules that are crossed now, per target", {{"type", name(type)}});
    }
}

Result<FlowJudge::RuleSet> FlowJudge::load(store::FlowStore& store) {
    // The number first: what changes in between is then loaded once more, not missed.
    const auto generation = store.generation();
    if (!generation) return generation.error();
    auto rules = store.rules();
    if (!rules) return rules.error();
    auto routers = store.routers();
    if (!routers) return routers.error();
    return RuleSet{*generation, std::move(*rules), std::move(*routers)};
}

FlowPlan FlowJudge::plan_of(const RuleSet& set) {
    aggregate::CountingPlan::Options options;
    for (const Rule& rule : set.rules) {
        options.prefixes.insert(options.prefixes.end(), rule.prefixes.begin(), rule.prefixes.end());
    }
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

Result<FlowPlan> FlowJudge::plan(store::FlowStore& store) {
    const auto set = load(store);
    if (!set) return set.error();
    return plan_of(*set);
}

Status FlowJudge::begin() {
    auto set = load(parts_.store);
    if (!set) return set.error();
    const WallTime now = parts_.clock.wall();
    auto known = parts_.store.active_alerts();
    if (!known) return known.error();
    // Alerts that are over, too: their minutes are no normal traffic.
    auto over = parts_.store.alerts(
        {.active = false, .rule_id = std::nullopt, .since = now - kRemembered, .limit = kMostRemembered});
    if (!over) return over.error();
    known->insert(known->end(), over->begin(), over->end());
    // The plan that the workers began with may be older: rules changed while a port was awaited, say.
    if (parts_.exchange.plan().generation != set->generation) parts_.exchange.publish(plan_of(*set));
    rule_sets_.push_back(std::move(*set));
    for (rules::AlertChange& change : evaluator_.set_rules(rule_sets_.front().rules, minute_of(now))) {
        ended_.push_back(std::move(change.alert));
    }
    rules_set_.set(static_cast<double>(rule_sets_.front().rules.size()));
    evaluator_.resume(std::move(*known));
    warm_up(minute_of(now));
    note_alerts();
    return Done{};
}

void FlowJudge::step() {
    follow_rules();
    gather();
    work(false);
    keep_states();
    watch_.look(parts_.exchange, rule_sets_.front().routers,
                failing_since_ ? ExporterWatch::Database::kRefuses : ExporterWatch::Database::kWorks);
    prune();
}

void FlowJudge::end() {
    gather();
    work(true);
    keep_states();
    const std::size_t lost = gathered_.size() + (current_ ? 1 : 0);
    if (lost == 0) return;
    parts_.log->error("minutes dropped, the process ends before the database takes them minutes={}", lost);
    minutes_dropped_.add(lost);
}

void FlowJudge::follow_rules() {
    const SteadyTime now = parts_.clock.steady();
    const WallTime wall = parts_.clock.wall();
    const auto into_minute = wall - minute_of(wall);
    if (into_minute < kTurn || into_minute > minutes{1} - kTurn || now - published_ < kPublishEvery) return;
    const auto generation = parts_.store.generation();
    if (!generation || *generation == rule_sets_.back().generation) return;
    auto set = load(parts_.store);
    if (!set) {
        parts_.log->error("rules cannot be read, the old ones stay reason={}", quote(set.error().detail));
        published_ = now;
        return;
    }
    parts_.exchange.publish(plan_of(*set));
    parts_.log->info("rules read rules={} routers={} generation={} from_minute={}", set->rules.size(),
                     set->routers.size(), set->generation, rfc3339(std::chrono::ceil<minutes>(wall)));
    rule_sets_.push_back(std::move(*set));
    published_ = now;
}

/// The rules of that generation are in force from that minute on; false if they are not known.
bool FlowJudge::apply_rules(std::int64_t generation, MinuteTime from) {
    if (generation == rule_sets_.front().generation) return true;
    const auto found = std::find_if(rule_sets_.begin(), rule_sets_.end(),
                                    [&](const RuleSet& set) { return set.generation == generation; });
    if (found == rule_sets_.end()) return false;
    rule_sets_.erase(rule_sets_.begin(), found);
    for (rules::AlertChange& change : evaluator_.set_rules(rule_sets_.front().rules, from)) {
        ended_.push_back(std::move(change.alert));
    }
    rules_set_.set(static_cast<double>(rule_sets_.front().rules.size()));
    warm_up(from);
    return true;
}

void FlowJudge::warm_up(MinuteTime before) {
    const auto past = evaluator_.past_needed();
    if (past == minutes{0}) return;
    const auto detail = needs_classes(rule_sets_.front().rules) ? store::MinuteDetail::kClasses
                                                                : store::MinuteDetail::kTotals;
    std::uint64_t read = 0;
    const Status status = parts_.store.read_minutes(
        before - past, before, detail,
        [&](const CollectedMinute& collected, std::span<const PrefixMinute> traffic) {
            if (!collected.whole()) return;
            evaluator_.warm_up(collected.minute, traffic);
            ++read;
        });
    if (!status) {
        parts_.log->warn("past minutes cannot be read, baselines begin anew reason={}",
                         quote(status.error().detail));
    } else {
        parts_.log->info("past minutes read minutes={} of={}", read, past.count());
    }
}

void FlowJudge::gather() {
    for (WorkerMinute& part : parts_.exchange.take_minutes()) {
        const MinuteTime minute = part.counted.minute;
        gathered_[minute].parts.push_back(std::move(part));
    }
}

std::optional<FlowJudge::Current> FlowJudge::next_minute(bool all) {
    if (gathered_.empty()) return std::nullopt;
    const auto first = gathered_.begin();
    const bool has_all = first->second.parts.size() >= options_.workers;
    const bool is_late = parts_.clock.wall() >= first->first + minutes{1} + options_.latest_part;
    if (!has_all && !is_late && !all) return std::nullopt;
    Current next = merged(first->first, std::move(first->second));
    gathered_.erase(first);
    return next;
}

FlowJudge::Current FlowJudge::merged(MinuteTime minute, Gathered gathered) const {
    Current next;
    std::vector<WorkerMinute>& parts = gathered.parts;
    WallTime from = parts.front().from;
    WallTime to = parts.front().to;
    next.generation = parts.front().generation;
    bool is_one_plan = true;
    next.counted = std::move(parts.front().counted);
    for (auto part = std::next(parts.begin()); part != parts.end(); ++part) {
        next.counted.add(std::move(part->counted));
        from = std::max(from, part->from);
        to = std::min(to, part->to);
        is_one_plan &= part->generation == next.generation;
    }
    const bool has_all = parts.size() >= options_.workers;
    // A minute of which a part is missing, or came after it was judged, is kept but not judged. What was done
    // in a time that is yet to come was done before somebody set the clock.
    const bool is_done = done_ && minute <= *done_ && *done_ <= parts_.clock.wall();
    if (!has_all || is_done) to = from;
    to = std::max(from, to);
    next.is_whole = is_one_plan && from <= minute && to >= minute + minutes{1};
    next.span = {.minute = minute, .from = from, .to = to, .prefixes = {}, .contributors = {}};
    return next;
}

void FlowJudge::judge(Current& minute) {
    minute.is_judged = true;
    // What was counted by rules that are not known here lacks prefixes of those that are.
    if (!minute.is_whole || !apply_rules(minute.generation, minute.span.minute)) {
        minutes_partial_.add();
        return;
    }
    std::vector<PrefixMinute> week_ago;
    if (needs_classes(rule_sets_.front().rules)) {
        const MinuteTime then = minute.span.minute - kWeek;
        const Status read = parts_.store.read_minutes(
            then - kAround, then + kAround + minutes{1}, store::MinuteDetail::kClasses,
            [&](const CollectedMinute&, std::span<const PrefixMinute> traffic) {
                week_ago.insert(week_ago.end(), traffic.begin(), traffic.end());
            });
        if (!read) week_ago.clear();
    }
    const SteadyTime before = parts_.clock.steady();
    minute.judgement.minute = minute.span.minute;
    minute.judgement.ended = std::exchange(ended_, {});
    for (rules::AlertChange& change :
         evaluator_.judge(minute.span.minute, minute.counted.prefixes, week_ago)) {
        switch (change.kind) {
            case rules::AlertChange::Kind::kStarted:
                minute.judgement.started.push_back(std::move(change.alert));
                break;
            case rules::AlertChange::Kind::kUpdated:
                minute.judgement.updated.push_back(std::move(change.alert));
                break;
            case rules::AlertChange::Kind::kEnded:
                minute.judgement.ended.push_back(std::move(change.alert));
                break;
        }
    }
    evaluation_seconds_.set(std::chrono::duration<double>(parts_.clock.steady() - before).count());
    minutes_judged_.add();
}

Status FlowJudge::write(Current& minute) {
    if (!minute.is_written) {
        minute.span.prefixes = minute.counted.prefixes;
        minute.span.contributors = minute.contributors;
        const auto written = parts_.store.write_minute(minute.span);
        if (!written) return written.error();
        minute.is_written = true;
    }
    if (!minute.judgement.minute) {
        if (parts_.events != nullptr) parts_.events->minute(minute.span.minute);
        return Done{};
    }
    const auto recorded =
        parts_.store.record(minute.judgement, parts_.clock.wall(), [&](const store::RecordReport& report) {
            return compose_alerts(report, minute.counted, parts_.geo, parts_.render);
        });
    if (!recorded) return recorded.error();
    for (const Alert& alert : recorded->started) {
        evaluator_.adopt(alert);
        parts_.log->warn("alert raised id={} rule={} target={} type={} {}={:.0f} threshold={:.0f}", alert.id,
                         quote(alert.rule_name), alert_target(alert), name(alert.type),
                         name(alert.crossing.metric), alert.crossing.value, alert.crossing.threshold);
    }
    for (const Alert& alert : recorded->kept) evaluator_.adopt(alert);
    for (const Alert& alert : recorded->ended) {
        parts_.log->info("alert cleared id={} rule={} target={} reason={}", alert.id, quote(alert.rule_name),
                         alert_target(alert), alert.end_reason);
    }
    if (recorded->queued > 0) parts_.queued();
    if (parts_.events != nullptr) publish(minute.span.minute, minute.judgement, *recorded);
    return Done{};
}

/// In the order of their weight: alerts before the minute that they belong to. Of alerts that merely go on
/// only some are named; all of them can be read when the minute is told.
void FlowJudge::publish(MinuteTime minute, const store::Judgement& judgement,
                        const store::RecordReport& recorded) {
    using Change = api::EventBoard::AlertChange;
    for (const Alert& alert : recorded.started) parts_.events->alert(alert.id, Change::kStarted);
    for (const Alert& alert : recorded.ended) parts_.events->alert(alert.id, Change::kEnded);
    const std::size_t named = std::min(judgement.updated.size(), kUpdatesTold);
    for (std::size_t i = 0; i < named; ++i) parts_.events->alert(judgement.updated[i].id, Change::kUpdated);
    parts_.events->minute(minute);
}

void FlowJudge::work(bool all) {
    while (true) {
        if (!current_) {
            current_ = next_minute(all);
            if (!current_) break;
            current_->contributors = explain_largest(current_->counted, parts_.geo);
        }
        if (!current_->is_judged) judge(*current_);
        if (const Status written = write(*current_); !written) return note_failure(written.error());
        if (!done_ || current_->span.minute > *done_ || current_->is_whole) done_ = current_->span.minute;
        const bool was_large = current_->counted.prefixes.size() > kLargeMinute;
        current_.reset();
        // Given back, not kept for the next minute: it is needed for a second of each.
        if (was_large) ::malloc_trim(0);
        note_alerts();
        failing_since_.reset();
        parts_.conditions.clear(Condition::kFlowStore, "Traffic minutes are written again",
                                &parts_.remembered);
    }
}

void FlowJudge::note_failure(const Error& why) {
    const SteadyTime now = parts_.clock.steady();
    if (!failing_since_) {
        failing_since_ = now;
        parts_.log->warn("minute cannot be written, tried again minute={} reason={}",
                         rfc3339(current_->span.minute), quote(why.detail));
    }
    while (gathered_.size() > options_.waiting_minutes) {
        parts_.log->error("minute dropped, too many wait for the database minute={}",
                          rfc3339(gathered_.begin()->first));
        gathered_.erase(gathered_.begin());
        minutes_dropped_.add();
    }
    if (now - *failing_since_ < kPatience) return;
    Trouble trouble{.state = "unwritable",
                    .headline = "Traffic minutes cannot be written",
                    .details = {why.detail, "New traffic alerts wait; rules crossed as far as is known:"},
                    .tell = Tell::kLogAndSoc};
    for (const Alert& alert : evaluator_.active()) {
        trouble.details.push_back(fmt::format("{}: {}", alert.rule_name, alert_target(alert)));
    }
    parts_.conditions.raise(Condition::kFlowStore, trouble, &parts_.remembered);
}

void FlowJudge::note_alerts() {
    std::map<RuleType, double> active;
    for (const Alert& alert : evaluator_.active()) ++active[alert.type];
    for (const auto& [type, gauge] : alerts_active_) {
        const auto found = active.find(type);
        gauge->set(found == active.end() ? 0 : found->second);
    }
}

void FlowJudge::keep_states() {
    for (decode::Decoder::SavedState& state : parts_.exchange.take_states()) {
        states_.push_back({state.exporter, std::move(state.bytes)});
    }
    if (states_.empty()) return;
    const bool is_saved =
        !failing_since_ && parts_.store.save_decoder_state(states_, parts_.clock.wall()).has_value();
    if (is_saved || states_.size() > kStatesAtOnce) states_.clear();  // exporters send their templates again
}

void FlowJudge::prune() {
    const SteadyTime now = parts_.clock.steady();
    if (failing_since_) return;
    if (!has_more_to_prune_ && now - pruned_ < kPruneEvery) return;
    pruned_ = now;
    const auto pruned = parts_.store.prune(options_.retention, parts_.clock.wall());
    has_more_to_prune_ = pruned && pruned->more;
}

}  // namespace cam::app
