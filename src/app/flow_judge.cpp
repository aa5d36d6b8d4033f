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
constexpr std::size_t kStatesAtOnce = 256;
/// Prefixes with traffic; a minute of more takes megabytes.
constexpr std::size_t kLargeMinute = 1'000;

}  // namespace

FlowJudge::FlowJudge(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(options),
      judge_({parts_.store, parts_.clock, parts_.log, parts_.metrics, parts_.queued, parts_.events}, {}),
      watch_({parts_.store, parts_.remembered, parts_.conditions, parts_.clock, parts_.log, parts_.metrics}),
      minutes_partial_(parts_.metrics.counter(
          "cam_flow_windows_total", "Minutes of traffic, by what became of them", {{"result", "partial"}})),
      minutes_dropped_(parts_.metrics.counter(
          "cam_flow_windows_total", "Minutes of traffic, by what became of them", {{"result", "dropped"}})) {}

Result<FlowPlan> FlowJudge::plan(store::FlowStore& store) {
    const auto set = load_rules(store);
    if (!set) return set.error();
    return plan_of(*set);
}

Status FlowJudge::begin() {
    auto set = load_rules(parts_.store);
    if (!set) return set.error();
    const MinuteTime now = minute_of(parts_.clock.wall());
    // The plan that the workers began with may be older: rules changed while a port was awaited, say.
    if (parts_.exchange.plan().generation != set->generation) parts_.exchange.publish(plan_of(*set));
    rule_sets_.push_back(std::move(*set));
    judge_.use(rule_sets_.front().rules, now);
    if (const Status resumed = judge_.resume(); !resumed) return resumed.error();
    warm_up(now);
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
    auto set = load_rules(parts_.store);
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
    judge_.use(rule_sets_.front().rules, from);
    warm_up(from);
    return true;
}

void FlowJudge::warm_up(MinuteTime before) {
    const auto past = judge_.evaluator().past_needed();
    if (past == minutes{0}) return;
    const auto detail = needs_classes(rule_sets_.front().rules) ? store::MinuteDetail::kClasses
                                                                : store::MinuteDetail::kTotals;
    std::uint64_t read = 0;
    const Status status = parts_.store.read_minutes(
        before - past, before, detail,
        [&](const CollectedMinute& collected, std::span<const PrefixMinute> traffic) {
            if (!collected.whole()) return;
            judge_.evaluator().warm_up(collected.minute, traffic);
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
    minute.judgement = judge_.judge(minute.span.minute, minute.counted.prefixes, week_ago);
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
    return judge_.record(minute.judgement, [&](const store::RecordReport& report) {
        return compose_alerts(report, minute.counted, parts_.geo, parts_.render);
    });
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
    for (const Alert& alert : judge_.active()) {
        trouble.details.push_back(fmt::format("{}: {}", alert.rule_name, alert_target(alert)));
    }
    parts_.conditions.raise(Condition::kFlowStore, trouble, &parts_.remembered);
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
