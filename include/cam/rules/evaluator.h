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

/// A minute as it stands now that more of it has arrived.
struct CorrectedMinute {
    MinuteTime minute;
    std::vector<PrefixMinute> traffic;   ///< all of it, as for Evaluator::judge
    std::vector<PrefixMinute> week_ago;  ///< as for Evaluator::judge; only for a minute that was not judged
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
    struct Options {
        /// How long after a minute the last one judged may be while it can still be corrected; zero: nothing
        /// is kept for that. It costs as much memory again as the targets' pasts, and what was counted in
        /// that time: some 20 bytes per prefix with traffic and minute, and 10 for each of its traffic
        /// classes.
        std::chrono::minutes correctable{0};
    };
    Evaluator() : Evaluator(Options{}) {}
    explicit Evaluator(Options options);
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
    /// These minutes were judged by figures that have changed since, or were taken for not collected. They
    /// are put right in what is known of the past, and the targets whose figures changed are judged again
    /// from the first of them on, by the rules that were in force. What was told stays told: an alert goes on
    /// under its id and start, one that ended stays ended. An alert that was missed starts now, with its true
    /// start (not before the end of the last one); one that was missed and is over starts and ends in the
    /// same answer, in this order. An alert that is active ends if the corrected figures say that it is over.
    /// Minutes at or before correctable_after(), or after the last one judged, are left out, and so is what
    /// lies before a change of the rule itself. Costs about 2 µs per target that changed and minute since.
    std::vector<AlertChange> correct(std::span<const CorrectedMinute> corrected);
    /// After warm_up and before the first judge: a minute that an earlier process judged, as it stands now;
    /// oldest first. set_rules was told of a time before them.
    void add_judged(MinuteTime minute, std::span<const PrefixMinute> traffic,
                    std::span<const PrefixMinute> week_ago);
    /// Judges the added minutes as `correct` does; the resumed alerts say what was told. So what arrived late
    /// while no process ran is found.
    std::vector<AlertChange> judge_again();
    /// Minutes after this one can be corrected; none: before the first that was judged, or not at all.
    [[nodiscard]] std::optional<MinuteTime> correctable_after() const;
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
