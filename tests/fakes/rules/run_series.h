#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cam/rules/evaluator.h"
#include "fakes/rules/conformance.h"

namespace cam::rules::test {

/// What happened, in a form to compare and to print: `r1 192.0.2.0/24 started 3 raised 3 ended 4`.
inline std::string line(const ExpectedAlert& alert) {
    std::string text = alert.rule_id + " " + alert.prefix + " started " + std::to_string(alert.started) +
                       " raised " + std::to_string(alert.raised);
    return alert.ended ? text + " ended " + std::to_string(*alert.ended) : text;
}

inline std::vector<std::string> lines(const std::vector<ExpectedAlert>& alerts) {
    std::vector<std::string> all;
    for (const ExpectedAlert& alert : alerts) all.push_back(line(alert));
    std::sort(all.begin(), all.end());
    return all;
}

/// Collects changes of alerts and tells what is wrong with their order.
class AlertLog {
public:
    void take(int minute, const std::vector<AlertChange>& changes) {
        for (const AlertChange& change : changes) {
            const auto key = std::pair(change.alert.rule_id, change.alert.prefixes.front().text());
            const auto open = open_.find(key);
            switch (change.kind) {
                case AlertChange::Kind::kStarted:
                    if (open != open_.end()) faults_.push_back("started twice");
                    open_[key] = alerts_.size();
                    alerts_.push_back({key.first, key.second, offset(change.alert.started_at), minute, {}});
                    break;
                case AlertChange::Kind::kUpdated:
                    ++updates_;
                    if (open == open_.end()) faults_.push_back("updated without a start");
                    break;
                case AlertChange::Kind::kEnded:
                    if (open == open_.end()) {
                        faults_.push_back("ended without a start");
                        break;
                    }
                    alerts_[open->second].ended = offset(*change.alert.ended_at);
                    open_.erase(open);
                    break;
            }
            last_[key] = change.alert;
        }
    }
    [[nodiscard]] const std::vector<ExpectedAlert>& alerts() const { return alerts_; }
    [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
    [[nodiscard]] std::size_t updates() const { return updates_; }
    [[nodiscard]] const Alert& last(const std::string& rule_id, const std::string& first_prefix) const {
        return last_.at({rule_id, first_prefix});
    }

    static int offset(WallTime time) {
        return static_cast<int>(
            std::chrono::duration_cast<std::chrono::minutes>(time - series_start()).count());
    }

private:
    std::map<std::pair<std::string, std::string>, std::size_t> open_;
    std::map<std::pair<std::string, std::string>, Alert> last_;
    std::vector<ExpectedAlert> alerts_;
    std::vector<std::string> faults_;
    std::size_t updates_ = 0;
};

/// The series straight into an evaluator.
inline AlertLog run(const Series& series) {
    Evaluator evaluator;
    evaluator.set_rules(series.rules, series_start());
    AlertLog log;
    for (int minute = 0; minute < series.minutes(); ++minute) {
        if (!series.is_collected(minute)) continue;
        log.take(minute,
                 evaluator.judge(series_start() + std::chrono::minutes{minute}, series.traffic(minute), {}));
    }
    return log;
}

}  // namespace cam::rules::test
