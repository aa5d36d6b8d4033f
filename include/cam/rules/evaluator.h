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

/// Judges complete minutes by the rules of contract section 6. It knows neither where minutes come from
/// (SQLite or ClickHouse) nor who is told: minutes in, changes of alerts out. Holds what it needs of the past
/// itself, in a few bytes per rule, prefix and minute. Pure: no clock, no input or output. One thread at a
/// time.
class Evaluator {
public:
    Evaluator();
    ~Evaluator();

    /// The rules from the next minute on. Alerts whose rule is gone or changed in what it judges end (with
    /// `end_reason`) and are returned; a changed name changes nothing else. New targets begin without a past
    /// until warm_up gives them one.
    std::vector<AlertChange> set_rules(std::vector<Rule> rules, MinuteTime now);
    /// Alerts that were active when the last process stopped; before the first minute.
    void resume(std::vector<Alert> active);

    /// Stored minutes of the past, oldest first, without judging: fills series and baselines after a start,
    /// or for new rules. `minute` must not be before the last one seen.
    void warm_up(MinuteTime minute, std::span<const PrefixMinute> traffic);
    /// Judges one complete minute. `traffic` holds the prefixes with traffic; one that is missing had none.
    /// Minutes must come in order; one that is left out was not collected (the process was down) and counts
    /// as neither traffic nor silence. `week_ago` is the same minute a week before, if it is stored.
    std::vector<AlertChange> judge(MinuteTime minute, std::span<const PrefixMinute> traffic,
                                   std::span<const PrefixMinute> week_ago);
    /// The started alert of `change` has this id now.
    void adopt(const Alert& alert);

    [[nodiscard]] std::vector<Alert> active() const;
    /// How many minutes of the past `warm_up` can use for the rules that are set.
    [[nodiscard]] std::chrono::minutes past_needed() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::rules
