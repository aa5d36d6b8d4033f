#pragma once

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "cam/rules/evaluator.h"
#include "rules/advanced_ddos.h"
#include "rules/judging.h"
#include "rules/prefix_numbers.h"
#include "rules/threshold.h"
#include "rules/zscore.h"

namespace cam::rules {

/// An alert that is active.
struct ActiveAlert {
    Alert alert;
    Holding holding;
};

/// [from, to): when a target was in alert.
struct AlertSpan {
    MinuteTime from;
    MinuteTime to;
};

/// What only few targets have: an alert, now or lately.
struct TargetStory {
    std::optional<ActiveAlert> active;
    std::vector<AlertSpan> ended;  ///< of the last eight days
};

/// What a rule judges on its own: a prefix, or the whole rule.
struct Target {
    std::uint32_t prefix = PrefixNumbers::kNone;  ///< kNone: the whole rule
    std::variant<ThresholdPast, ZscorePast, AdvancedPast> past;
    std::optional<MinuteTime> known_since;       ///< first minute it was told of
    std::optional<MinuteTime> newest;            ///< last minute it was told of
    MinuteTime judged_from = MinuteTime::min();  ///< minutes before are learned from only
    std::unique_ptr<TargetStory> story;

    [[nodiscard]] Target copy() const;
    [[nodiscard]] ActiveAlert* active() const { return story && story->active ? &*story->active : nullptr; }
    TargetStory& told() {
        if (!story) story = std::make_unique<TargetStory>();
        return *story;
    }
};

/// A rule and its targets. One thread at a time.
class WatchedRule {
public:
    WatchedRule(Rule rule, PrefixNumbers& numbers);

    [[nodiscard]] const Rule& rule() const { return rule_; }
    [[nodiscard]] std::vector<Target>& targets() { return targets_; }
    [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }
    /// What the rule's aggregate is summed from: its prefixes without those that lie in another of them, so
    /// that no packet counts twice.
    [[nodiscard]] const std::vector<std::uint32_t>& members() const { return members_; }
    /// The target that an alert is about; nullptr: the rule has no such one.
    [[nodiscard]] Target* target_of(const Alert& alert, const PrefixNumbers& numbers);
    /// Takes over what `before` knows of the targets that go on, and appends the alerts that do not, with the
    /// reason set.
    void inherit(WatchedRule& before, const PrefixNumbers& old_numbers, const PrefixNumbers& numbers,
                 std::vector<Alert>& ended);

    /// What the rule did not look at, or not with the same eyes, before `now`.
    void judge_new_targets_from(MinuteTime now);

    /// Alerts stay.
    void forget_past();

    /// The last complete minutes that it looks at: how many they are.
    [[nodiscard]] unsigned window() const;
    /// How much of the past it can use.
    [[nodiscard]] std::chrono::minutes past_needed() const;
    [[nodiscard]] std::vector<Prefix> prefixes_of(const Target& target, const PrefixNumbers& numbers) const;

    void add(Target& target, const Moment& moment, const Sample& sample) const;
    [[nodiscard]] std::optional<AlertChange> judge(Target& target, const Moment& moment, const Sample& sample,
                                                   const PrefixNumbers& numbers) const;

    /// Ends the target's alert, if any, without a word.
    static void close(Target& target, MinuteTime end);

private:
    [[nodiscard]] Alert begin(const Target& target, const Finding::Start& start, MinuteTime minute,
                              const PrefixNumbers& numbers) const;

    Rule rule_;
    std::vector<Target> targets_;  // sorted by prefix
    std::vector<std::uint32_t> members_;
};

}  // namespace cam::rules
