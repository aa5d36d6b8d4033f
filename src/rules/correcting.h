#pragma once

#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "cam/rules/evaluator.h"
#include "rules/evaluator_state.h"
#include "rules/packed_minutes.h"

namespace cam::rules {

/// What it takes to judge the last minutes again: all that was known before them, the minutes themselves, and
/// which alerts were told in which of them. Judging them again from there, with what was told imposed, gives
/// the same as judging them once, if no figure has changed. One thread at a time.
class Correcting {
public:
    explicit Correcting(std::chrono::minutes reach) : reach_(reach) {}

    // The same as of Evaluator, for what lies further back.
    void set_rules(const std::vector<Rule>& rules, MinuteTime now);
    void resume(const std::vector<Alert>& alerts);
    void warm_up(MinuteTime minute, std::span<const PrefixMinute> traffic);
    void adopt(const Alert& alert);
    void forget_past();
    /// That alert ended because of a change of its rule.
    void forget(const Alert& alert);

    /// A minute was judged, and these changes were told.
    void keep(MinuteTime minute, std::span<const PrefixMinute> traffic,
              std::span<const PrefixMinute> week_ago, const std::vector<AlertChange>& changes);
    // As Evaluator's.
    void add_judged(MinuteTime minute, std::span<const PrefixMinute> traffic,
                    std::span<const PrefixMinute> week_ago);
    std::vector<AlertChange> judge_again(EvaluatorState& live);
    std::vector<AlertChange> correct(std::span<const CorrectedMinute> corrected, EvaluatorState& live);
    [[nodiscard]] std::optional<MinuteTime> settled_to() const;

private:
    struct KeptMinute {
        MinuteTime minute;
        PackedMinute traffic;
        PackedMinute week_ago;
    };
    /// An alert that was told (or missed), and the minutes whose judgement says so.
    struct Told {
        Alert alert;
        MinuteTime raised_in;
        std::optional<MinuteTime> ended_in;
    };
    /// What judging one target again finds.
    struct Replayed {
        std::vector<Told> missed;
        std::optional<Alert> over;  ///< the told alert that is active has ended after all
    };
    using Stories = std::unordered_map<const Target*, std::vector<std::size_t>>;  ///< indexes of told_
    struct Touched {
        bool all = false;
        std::vector<bool> prefixes;  ///< by number
    };

    bool take_over(const CorrectedMinute& corrected, EvaluatorState& live, Touched& touched);
    [[nodiscard]] std::vector<Target*> go_back(EvaluatorState& live, const Touched& touched) const;
    [[nodiscard]] Stories stories(EvaluatorState& state) const;
    template <typename Found>
    void replay(const KeptMinute& kept, EvaluatorState& state, const Stories& stories, Found found) const;
    void step(WatchedRule& rule, Target& target, const Moment& moment, const Sample& sample,
              const PrefixNumbers& numbers, const std::vector<std::size_t>* told, Replayed& found) const;
    void impose(const Told& told, Target& target, const Moment& moment,
                const std::optional<AlertChange>& change, Replayed& found) const;
    void take_missed(Target& target, std::optional<AlertChange> change, const std::vector<std::size_t>* told,
                     MinuteTime minute, Replayed& found) const;
    void settle(const KeptMinute& kept);
    void go_back_before(MinuteTime first);
    std::vector<AlertChange> replay_all(const Touched& touched, EvaluatorState& live);
    void note(const AlertChange& change, MinuteTime minute);
    void conclude(Target& target, Replayed& found, const std::vector<std::size_t>* told,
                  std::vector<AlertChange>& changes);

    std::chrono::minutes reach_;
    EvaluatorState settled_;
    std::optional<MinuteTime> settled_to_;
    std::deque<KeptMinute> kept_;
    std::vector<Told> told_;
};

}  // namespace cam::rules
