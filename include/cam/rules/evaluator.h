#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cam/model/alert.h"
#include "cam/model/rule.h"
#include "cam/model/traffic.h"

namespace cam::rules {

/// What the evaluator found out about one target (a prefix of a rule, or the whole rule) in one minute.
struct AlertChange {
    enum class Kind { kStarted, kUpdated, kEnded };
    Kind kind;
    /// Whole and current; ids of started alerts are empty, the caller makes them and tells `adopt`.
    Alert alert;
};

/// Judges complete minutes by the rules of contract section 6; docs/rules.md tells how, to the minute. It
/// knows neither where minutes come from (SQLite or ClickHouse) nor who is told: minutes in, changes of
/// alerts out. Holds what it needs of the past itself: per target of a threshold rule some bytes, of a
/// z-score rule 1 KiB, of an advanced_ddos rule 400 bytes, the latter two only for targets that have traffic.
/// Pure: no clock, no input or output. One thread at a time.
///
/// After a start: set_rules, resume, warm_up for each stored minute of past_needed, judge for each new one.
/// A preview of a rule is a fresh evaluator that judges stored minutes.
class Evaluator {
public:
    Evaluator();
    ~Evaluator();

    /// The rules from the next minute on. Alerts whose rule is gone or changed in what it judges end at `now`
    /// (with `end_reason`) and are returned; a changed name changes nothing else. What is known of a target's
    /// past stays as long as the rule looks at the same traffic. New targets begin without a past until
    /// warm_up gives them one. Of rules with the same id the first counts.
    std::vector<AlertChange> set_rules(std::vector<Rule> rules, MinuteTime now);
    /// Alerts of the last process, before the first minute (warm_up too). Active ones go on; one whose rule
    /// or prefix is gone ends with the first minute that is judged. Of those that ended within the last eight
    /// days (give them too, or an old attack is taken for normal traffic) the minutes stay out of baselines.
    void resume(std::vector<Alert> alerts);

    /// Stored minutes of the past, oldest first, without judging: fills series and baselines after a start,
    /// or for new rules. Targets that know the minute, or a later one, already leave it out. `traffic` as for
    /// judge, but a prefix of a rule that was written (`updated_at`) after the minute may not have been
    /// counted then: to it the past begins with its first traffic.
    void warm_up(MinuteTime minute, std::span<const PrefixMinute> traffic);
    /// Judges one complete minute. `traffic` holds the prefixes with traffic, each once; one that is missing
    /// had none. Minutes must come in order; one that is left out was not collected (the process was down)
    /// and counts as neither traffic nor silence. A minute that is not after the last one is left out, unless
    /// it lies more than ten minutes before it: then the clock was turned, and judging begins anew without a
    /// past. `week_ago`: the stored minutes a week before, the same one and better two before and after it as
    /// well; a prefix may come several times, the largest figure counts. Empty: not stored. Started alerts
    /// have `raised_at` at the end of `minute`. Spans are not kept. About 1 µs per target.
    std::vector<AlertChange> judge(MinuteTime minute, std::span<const PrefixMinute> traffic,
                                   std::span<const PrefixMinute> week_ago);
    /// The started alert of a change has this id, and this `raised_at`, now. Does nothing if it is over.
    void adopt(const Alert& alert);

    [[nodiscard]] std::vector<Alert> active() const;
    /// How many minutes of the past `warm_up` can use for the rules that are set.
    [[nodiscard]] std::chrono::minutes past_needed() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::rules
