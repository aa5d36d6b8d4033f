#include "app/clickhouse_judge.h"

#include <algorithm>
#include <map>
#include <utility>

#include <malloc.h>

#include <spdlog/fmt/fmt.h>

#include "app/alert_composer.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kPruneEvery{60};
constexpr std::chrono::hours kWeek{7 * 24};
constexpr minutes kAround{2};  // of the minute a week ago
/// A rule counts as looked at from this long after it was written; see rules::Evaluator::warm_up.
constexpr minutes kTakesEffect{2};
/// Prefixes with traffic; a minute of more takes megabytes.
constexpr std::size_t kLargeMinute = 1'000;
/// So many minutes are judged in one round: catching up does not keep other work waiting.
constexpr int kMinutesAtOnce = 5;
constexpr const char* kMinutesHelp = "Minutes of traffic, by what became of them";

}  // namespace

ClickHouseJudge::ClickHouseJudge(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      judge_({parts_.store, parts_.clock, parts_.log, parts_.metrics, parts_.queued, parts_.events},
             {.correctable = options_.feed.reach}),
      reader_(parts_.client),
      writer_(parts_.client, options_.schema.cluster),
      feed_(reader_, parts_.clock, options_.feed),
      explainer_({reader_, parts_.geo, parts_.clock, parts_.log, parts_.beat}),
      arrival_({reader_, parts_.remembered, parts_.conditions, parts_.clock, parts_.metrics, parts_.board,
                parts_.queued}),
      rival_({writer_, parts_.remembered, parts_.conditions, parts_.clock, parts_.log, parts_.queued}),
      plan_({writer_, rival_, parts_.remembered, parts_.clock, parts_.log,
             parts_.metrics.counter("cam_clickhouse_plans_total",
                                    "States of rules and routers written into ClickHouse"),
             parts_.beat}),
      backoff_({.first = seconds{2}, .most = seconds{20}}),
      minutes_corrected_(
          parts_.metrics.counter("cam_flow_windows_total", kMinutesHelp, {{"result", "corrected"}})),
      minutes_empty_(
          parts_.metrics.counter("cam_flow_windows_total", kMinutesHelp, {{"result", "not_collected"}})),
      minutes_partial_(
          parts_.metrics.counter("cam_flow_windows_total", kMinutesHelp, {{"result", "partial"}})),
      failures_(parts_.metrics.counter("cam_clickhouse_failures_total",
                                       "Calls to ClickHouse that failed, by what they were for",
                                       {{"part", "judge"}})),
      read_seconds_(parts_.metrics.gauge("cam_clickhouse_read_seconds",
                                         "Time that reading the last minute to judge took")),
      lag_seconds_(parts_.metrics.gauge("cam_clickhouse_lag_seconds",
                                        "How far the end of the last minute judged lies back")),
      is_up_(parts_.metrics.gauge("cam_clickhouse_up", "Whether ClickHouse answered the judge last time")) {}

Status ClickHouseJudge::begin() {
    auto set = load_rules(parts_.store);
    if (!set) return set.error();
    rules_ = std::move(*set);
    // What the last process judged is judged again, as far as it can have changed.
    judge_.use(rules_.rules, first_minute(MinuteTime::min()) - options_.feed.reach);
    return judge_.resume();
}

/// After the last one that was judged, not too far back, and not before anything was counted.
MinuteTime ClickHouseJudge::first_minute(MinuteTime counted_from) {
    const MinuteTime now = minute_of(parts_.clock.wall());
    const auto judged_to = parts_.store.judged_to();
    if (!judged_to || !*judged_to || **judged_to > now) return std::max(now, counted_from);
    const MinuteTime oldest = std::max(now - options_.catch_up, counted_from);
    if (**judged_to + minutes{1} < oldest) {
        parts_.log->warn("minutes left out, they lie too far back from={} to={}",
                         rfc3339(**judged_to + minutes{1}), rfc3339(oldest));
    }
    return std::max(**judged_to + minutes{1}, oldest);
}

void ClickHouseJudge::step(const std::stop_token& stop) {
    prune();
    if (parts_.clock.steady() < retry_at_) return;
    const Status status = round(stop);
    if (stop.stop_requested()) return;
    if (!status) return note_failure(status.error());
    is_up_.set(1);
    failing_since_.reset();
    backoff_.reset();
    parts_.conditions.clear(Condition::kClickHouse, "ClickHouse answers again", &parts_.remembered);
    watch(stop);
}

/// What is no judging, and does not hold it up: whose flows arrive, and who else judges.
void ClickHouseJudge::watch(const std::stop_token& stop) {
    if (!is_prepared_) return;
    if (!rules_.rules.empty())
        arrival_.note_arrival(feed_, options_.feed.silence, [this] { return judge_.active_in_words(); });
    if (unrecorded_since_) return;  // each message would wait for the same lock
    parts_.beat();
    Status looked = arrival_.look(rules_.routers, feed_.upcoming(), stop);
    if (looked) looked = plan_.look(latest_rules(), stop);
    if (looked || stop.stop_requested()) return;
    failures_.add();
    parts_.log->warn("who sends flows or judges cannot be asked reason={}", quote(looked.error().detail));
}

Status ClickHouseJudge::round(const std::stop_token& stop) {
    if (pending_) {
        if (const Status recorded = record(stop); !recorded) {
            note_unrecorded(recorded.error());
            return Done{};
        }
    }
    if (!is_prepared_) {
        if (const Status prepared = prepare(stop); !prepared) return prepared.error();
        is_prepared_ = true;
    }
    if (const Status followed = follow_rules(stop); !followed) return followed.error();
    for (int count = 0; count < kMinutesAtOnce && !pending_ && !stop.stop_requested(); ++count) {
        bool judged = false;
        parts_.beat();
        if (const Status status = judge_next(stop, judged); !status) return status.error();
        if (!judged) break;
    }
    lag_seconds_.set(std::chrono::duration<double>(parts_.clock.wall() - feed_.upcoming()).count());
    if (pending_ || stop.stop_requested()) return Done{};
    return correct(stop);
}

/// Tables, rules, the past: once per process, tried again until it succeeds.
Status ClickHouseJudge::prepare(const std::stop_token& stop) {
    const auto found = clickhouse::migrate(parts_.client, options_.schema, stop);
    if (!found) return found.error();
    parts_.beat();
    const auto generation = writer_.generation(stop);
    if (!generation) return generation.error();
    if (const Status begun = plan_.begin(rules_, *generation, stop); !begun) return begun.error();
    // Before the first plan nothing was counted; under the plan of an earlier process the same was.
    const MinuteTime counted_from =
        *generation ? MinuteTime::min() : std::chrono::ceil<minutes>(parts_.clock.wall());
    const MinuteTime first = first_minute(counted_from);
    const auto judged_to = parts_.store.judged_to();
    const bool goes_on = judged_to && *judged_to && **judged_to + minutes{1} == first;
    const MinuteTime known_to = goes_on ? first - options_.feed.reach : first;
    if (const Status warmed = warm_up(known_to, stop); !warmed) return warmed.error();
    if (const Status judged = judge_again(known_to, first, stop); !judged) return judged.error();
    feed_.begin_at(first);
    parts_.log->info("judging on ClickHouse schema={} found={} first_minute={}", clickhouse::schema_version(),
                     *found, rfc3339(first));
    return Done{};
}

Status ClickHouseJudge::warm_up(MinuteTime before, const std::stop_token& stop) {
    const auto past = judge_.evaluator().past_needed();
    std::uint64_t read = 0;
    Status status = reader_.read_minutes(
        before - past, before,
        [&](const clickhouse::ReadMinute& minute) {
            parts_.beat();
            judge_.evaluator().warm_up(minute.version.minute, minute.prefixes);
            ++read;
        },
        stop);
    if (status) parts_.log->info("past minutes read minutes={} of={}", read, past.count());
    return status;
}

/// Minutes that the last process judged: more of them may have arrived since.
Status ClickHouseJudge::judge_again(MinuteTime from, MinuteTime to, const std::stop_token& stop) {
    std::vector<PrefixMinute> traffic;
    for (MinuteTime minute = std::max(from, again_from_); minute < to; minute += minutes{1}) {
        parts_.beat();
        auto read = reader_.minute(minute, stop);
        if (!read) return read.error();
        const auto week_ago = week_before(minute, stop);
        if (!week_ago) return week_ago.error();
        again_from_ = minute + minutes{1};  // a try that fails is taken up here
        feed_.note(read->version);
        if (read->version.records == 0) continue;
        judge_.evaluator().add_judged(minute, read->prefixes, *week_ago);
        traffic = std::move(read->prefixes);
    }
    take(judge_.judge_again(), to - minutes{1}, std::move(traffic), stop);
    return Done{};
}

/// Records it, now or as soon as the database lets it.
void ClickHouseJudge::take(std::optional<store::Judgement> judgement, MinuteTime minute,
                           std::vector<PrefixMinute> traffic, const std::stop_token& stop) {
    if (!judgement) return;
    pending_ = Pending{std::move(*judgement), std::move(traffic), minute};
    if (const Status recorded = record(stop); !recorded) note_unrecorded(recorded.error());
}

Status ClickHouseJudge::follow_rules(const std::stop_token& stop) {
    const auto generation = parts_.store.generation();
    const RuleSet& latest = latest_rules();
    if (!generation || *generation == latest.generation) return Done{};
    auto set = load_rules(parts_.store);
    if (!set) {
        parts_.log->error("rules cannot be read, the old ones stay reason={}", quote(set.error().detail));
        return Done{};
    }
    if (const Status pushed = plan_.write(*set, stop); !pushed) return pushed.error();
    const MinuteTime from = std::chrono::ceil<minutes>(parts_.clock.wall());
    // What a rule looks at was not counted before, however long ago the rule was written.
    std::map<std::string, WallTime> known;
    for (const Rule& rule : latest.rules) known[rule.id] = rule.updated_at;
    for (Rule& rule : set->rules) {
        const auto before = known.find(rule.id);
        if (before == known.end() || before->second < rule.updated_at)
            rule.updated_at = std::max<WallTime>(rule.updated_at, from - kTakesEffect);
    }
    parts_.log->info("rules read rules={} routers={} generation={} from_minute={}", set->rules.size(),
                     set->routers.size(), set->generation, rfc3339(from));
    next_rules_.push_back({std::move(*set), from});
    return Done{};
}

/// Those that ClickHouse counts by, perhaps from the next minute on only.
const RuleSet& ClickHouseJudge::latest_rules() const {
    return next_rules_.empty() ? rules_ : next_rules_.back().set;
}

void ClickHouseJudge::apply_rules(MinuteTime minute, const std::stop_token& stop) {
    while (!next_rules_.empty() && next_rules_.front().from <= minute) {
        rules_ = std::move(next_rules_.front().set);
        next_rules_.pop_front();
        judge_.use(rules_.rules, minute);
        const auto past = judge_.evaluator().past_needed();
        const Status warmed = reader_.read_minutes(
            minute - past, minute,
            [&](const clickhouse::ReadMinute& read) {
                parts_.beat();
                judge_.evaluator().warm_up(read.version.minute, read.prefixes);
            },
            stop);
        if (!warmed) {
            parts_.log->warn("past minutes cannot be read, baselines of new rules begin anew reason={}",
                             quote(warmed.error().detail));
        }
    }
}

Status ClickHouseJudge::judge_next(const std::stop_token& stop, bool& judged) {
    const SteadyTime before = parts_.clock.steady();
    auto minute = feed_.next(stop);
    if (!minute) return minute.error();
    if (!*minute) return Done{};
    read_seconds_.set(std::chrono::duration<double>(parts_.clock.steady() - before).count());
    judged = true;
    clickhouse::ReadMinute& found = (*minute)->minute;
    const MinuteTime at = found.version.minute;
    if (!(*minute)->is_whole || found.version.records == 0) {
        (found.version.records == 0 ? minutes_empty_ : minutes_partial_).add();
        return Done{};
    }
    apply_rules(at, stop);
    const auto week_ago = week_before(at, stop);
    if (!week_ago)
        parts_.log->warn("the week before cannot be read reason={}", quote(week_ago.error().detail));
    std::vector<PrefixMinute>& traffic = found.prefixes;
    const bool was_large = traffic.size() > kLargeMinute;
    store::Judgement judgement =
        judge_.judge(at, traffic, week_ago ? *week_ago : std::vector<PrefixMinute>{});
    take(std::move(judgement), at, std::move(traffic), stop);
    // Given back, not kept for the next minute: it is needed for a second of each.
    if (was_large) ::malloc_trim(0);
    return Done{};
}

Status ClickHouseJudge::correct(const std::stop_token& stop) {
    auto changed = feed_.changed(stop);
    if (!changed) return changed.error();
    if (changed->empty()) return Done{};
    std::vector<rules::CorrectedMinute> corrected;
    for (clickhouse::ReadMinute& minute : *changed) {
        minutes_corrected_.add();
        corrected.push_back({minute.version.minute, std::move(minute.prefixes), {}});
    }
    parts_.log->info("minutes judged again, more of them has arrived minutes={} from={}", corrected.size(),
                     rfc3339(corrected.front().minute));
    auto judgement = judge_.correct(corrected);
    take(std::move(judgement), corrected.back().minute, std::move(corrected.back().traffic), stop);
    return Done{};
}

/// The same minute a week ago and those around it, each read once.
Result<std::vector<PrefixMinute>> ClickHouseJudge::week_before(MinuteTime minute,
                                                               const std::stop_token& stop) {
    std::vector<PrefixMinute> all;
    if (!needs_classes(rules_.rules)) {
        week_ago_.clear();
        return all;
    }
    const MinuteTime from = minute - kWeek - kAround;
    const MinuteTime to = minute - kWeek + kAround;
    while (!week_ago_.empty() && week_ago_.front().version.minute < from) week_ago_.pop_front();
    if (!week_ago_.empty() && week_ago_.front().version.minute > from) week_ago_.clear();
    MinuteTime next = week_ago_.empty() ? from : week_ago_.back().version.minute + minutes{1};
    for (; next <= to; next += minutes{1}) {
        parts_.beat();
        auto read = reader_.minute(next, stop);
        if (!read) return read.error();
        week_ago_.push_back(std::move(*read));
    }
    for (const clickhouse::ReadMinute& one : week_ago_)
        all.insert(all.end(), one.prefixes.begin(), one.prefixes.end());
    return all;
}

Status ClickHouseJudge::record(const std::stop_token& stop) {
    const store::Judgement& judgement = pending_->judgement;
    // Before the transaction: nobody waits for ClickHouse with the database locked.
    std::vector<Alert> started = judgement.started;
    started.insert(started.end(), judgement.missed.begin(), judgement.missed.end());
    const auto explanations = explainer_.explain(started, pending_->traffic, stop);
    const Status recorded = judge_.record(judgement, [&](const store::RecordReport& report) {
        return compose_alerts(
            report,
            [&](const Alert& alert) {
                const auto found = explanations.find(ClickHouseExplainer::key(alert));
                return found == explanations.end() ? notify::AlertExplanation{} : found->second;
            },
            parts_.render);
    });
    if (!recorded) return recorded.error();
    pending_.reset();
    unrecorded_since_.reset();
    parts_.conditions.clear(Condition::kFlowStore, "Traffic alerts are written again", &parts_.remembered);
    return Done{};
}

void ClickHouseJudge::note_failure(const Error& why) {
    const SteadyTime now = parts_.clock.steady();
    is_up_.set(0);
    failures_.add();
    lag_seconds_.set(std::chrono::duration<double>(parts_.clock.wall() - feed_.upcoming()).count());
    retry_at_ = now + backoff_.next();
    if (!failing_since_) {
        failing_since_ = now;
        parts_.log->warn("ClickHouse fails, tried again reason={}", quote(why.detail));
    }
    if (now - *failing_since_ < options_.patience) return;
    show_nobody_heard();
    Trouble trouble{
        .state = "down",
        .headline = "Traffic cannot be read from ClickHouse",
        .details = {why.detail, "Traffic is unknown until it answers; then every minute is judged in order."},
        .tell = Tell::kLogAndSoc};
    for (std::string& line : judge_.active_in_words()) trouble.details.push_back(std::move(line));
    parts_.conditions.raise(Condition::kClickHouse, trouble, &parts_.remembered);
    parts_.queued();
}

void ClickHouseJudge::note_unrecorded(const Error& why) {
    const SteadyTime now = parts_.clock.steady();
    if (!unrecorded_since_) {
        unrecorded_since_ = now;
        parts_.log->warn("judgement cannot be written, tried again minute={} reason={}",
                         rfc3339(pending_->minute), quote(why.detail));
    }
    if (now - *unrecorded_since_ < options_.patience) return;
    show_nobody_heard();
    Trouble trouble{.state = "unwritable",
                    .headline = "Traffic alerts cannot be written",
                    .details = {why.detail, "New traffic alerts wait."},
                    .tell = Tell::kLogAndSoc};
    for (std::string& line : judge_.active_in_words()) trouble.details.push_back(std::move(line));
    parts_.conditions.raise(Condition::kFlowStore, trouble, &parts_.remembered);
}

/// What was heard last is old, and nobody looks again for now.
void ClickHouseJudge::show_nobody_heard() {
    if (parts_.board != nullptr) parts_.board->forget_in_clickhouse();
}

void ClickHouseJudge::prune() {
    const SteadyTime now = parts_.clock.steady();
    if (unrecorded_since_ || (!has_more_to_prune_ && now - pruned_ < kPruneEvery)) return;
    pruned_ = now;
    const auto pruned = parts_.store.prune(options_.retention, parts_.clock.wall());
    has_more_to_prune_ = pruned && pruned->more;
}

}  // namespace cam::app
