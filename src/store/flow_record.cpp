#include <chrono>
#include <exception>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "flow_alerts.h"
#include "flow_store_state.h"
#include "record_id.h"
#include "store_state.h"

namespace cam::store {
namespace {

/// Ends first: a rule that was changed ends an alert and may start the next one of the same target.
Result<RecordReport> write_alerts(Database& database, const Judgement& judgement, WallTime now) {
    RecordReport report;
    for (Alert alert : judgement.ended) {
        if (!alert.ended_at) alert.ended_at = now;
        const Result<bool> ended = end_alert(database, alert);
        if (!ended) return ended.error();
        if (*ended) report.ended.push_back(std::move(alert));
    }
    for (Alert alert : judgement.started) {
        Result<std::optional<Alert>> active = find_active(database, alert);
        if (!active) return active.error();
        if (*active) {
            report.kept.push_back(std::move(**active));
            continue;
        }
        alert.id = make_id(now);
        alert.ended_at.reset();
        alert.end_reason.clear();
        if (Status inserted = insert_alert(database, alert); !inserted) return inserted.error();
        report.started.push_back(std::move(alert));
    }
    for (Alert alert : judgement.missed) {
        if (!alert.ended_at) alert.ended_at = now;
        const Result<bool> known = is_known(database, alert);
        if (!known) return known.error();
        if (*known) continue;
        alert.id = make_id(now);
        if (Status inserted = insert_alert(database, alert); !inserted) return inserted.error();
        report.started.push_back(alert);
        report.ended.push_back(std::move(alert));
    }
    for (const Alert& alert : judgement.updated) {
        if (Status updated = update_alert(database, alert); !updated) return updated.error();
    }
    return report;
}

/// A clock that was in the future must not keep later minutes from being recorded.
Result<bool> recorded_before(Database& database, const std::optional<MinuteTime>& minute, WallTime now) {
    if (!minute) return false;
    const Result<std::optional<MinuteTime>> judged_to = read_judged_to(database);
    if (!judged_to) return judged_to.error();
    return judged_to->has_value() && *minute <= **judged_to && **judged_to <= now;
}

}  // namespace

Result<RecordReport> FlowStore::record(
    const Judgement& judgement, WallTime now,
    const std::function<std::vector<Message>(const RecordReport&)>& compose) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const Result<bool> repeated = recorded_before(database, judgement.minute, now);
    if (!repeated) return repeated.error();
    if (*repeated) {
        RecordReport nothing;
        nothing.repeated = true;
        return nothing;
    }
    Result<RecordReport> report = write_alerts(database, judgement, now);
    if (!report) return report;
    if (!report->started.empty() || !report->ended.empty()) {
        std::vector<Message> messages;
        try {
            messages = compose(*report);
        } catch (const std::exception& thrown) {
            return database.error(ErrorCode::kInternal,
                                  fmt::format("composing messages failed: {}", thrown.what()));
        }
        if (Status queued = insert_messages(database, messages, now); !queued) return queued.error();
        report->queued = messages.size();
    }
    if (judgement.minute) {
        const WallTime time{*judgement.minute};
        if (Status kept = write_value(database, kJudgedTo, timestamp(time)); !kept) return kept.error();
    }
    if (Status committed = transaction->commit(); !committed) return committed.error();
    return report;
}

}  // namespace cam::store
