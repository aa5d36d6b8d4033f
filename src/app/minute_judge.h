#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cam/api/event_board.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/model/message.h"
#include "cam/rules/evaluator.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// Judges complete minutes, wherever they come from, and records what came of it: alerts, messages and how
/// far was judged, in one transaction. Owned by the thread that evaluates.
class MinuteJudge {
public:
    struct Parts {
        store::FlowStore& store;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        std::function<void()> queued;       ///< called when messages went into the outbox
        api::EventBoard* events = nullptr;  ///< told of alerts and judged minutes, if there is one
    };
    using Compose = std::function<std::vector<Message>(const store::RecordReport&)>;
    MinuteJudge(Parts parts, rules::Evaluator::Options options);

    /// The rules from that minute on. Alerts that end by it are told with the next minute.
    void use(const std::vector<Rule>& rules, MinuteTime from);
    /// After the first rules: alerts of earlier processes, active ones and those that are over (their
    /// minutes are no normal traffic).
    Status resume();
    /// As rules::Evaluator::judge; to be recorded before the next one.
    store::Judgement judge(MinuteTime minute, std::span<const PrefixMinute> traffic,
                           std::span<const PrefixMinute> week_ago);
    /// As rules::Evaluator::correct; to be recorded before the next one. None: nothing changed.
    std::optional<store::Judgement> correct(std::span<const rules::CorrectedMinute> corrected);
    /// As rules::Evaluator::judge_again, likewise.
    std::optional<store::Judgement> judge_again();
    /// Until it succeeds the judgement has to be tried again.
    Status record(const store::Judgement& judgement, const Compose& compose);

    [[nodiscard]] rules::Evaluator& evaluator() { return evaluator_; }
    [[nodiscard]] std::vector<Alert> active() const { return evaluator_.active(); }
    /// The same as lines of a message that tells of trouble, the first one as their heading.
    [[nodiscard]] std::vector<std::string> active_in_words() const;

private:
    static std::optional<store::Judgement> judgement_of(std::vector<rules::AlertChange> changes);
    void note_recorded(const store::RecordReport& report);
    void note_active();
    void publish(const store::Judgement& judgement, const store::RecordReport& report);

    Parts parts_;
    rules::Evaluator evaluator_;
    std::vector<Alert> ended_;  ///< because their rule is gone
    Counter& minutes_judged_;
    Gauge& evaluation_seconds_;
    std::map<RuleType, Gauge*> alerts_active_;
    Gauge& rules_set_;
};

}  // namespace cam::app
