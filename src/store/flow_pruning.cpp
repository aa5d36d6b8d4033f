#include <chrono>
#include <optional>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "flow_store_state.h"
#include "store_state.h"

namespace cam::store {
namespace {

// Rows per call and table: a transaction of some ten milliseconds.
constexpr std::int64_t kMinutesAtOnce = 4000;
constexpr std::int64_t kContributorsAtOnce = 4000;
constexpr std::int64_t kCollectedAtOnce = 1000;
constexpr std::int64_t kAlertsAtOnce = 200;
constexpr std::int64_t kStatesAtOnce = 200;

struct Pruned {
    std::uint64_t rows = 0;
    bool more = false;
};

/// Deletes the oldest rows before `minute` from a table in the order of (minute, prefix_id), as one range: up
/// to the prefix of row number kMinutesAtOnce.
Result<Pruned> prune_range(Database& database, std::string_view table, std::int64_t rows, MinuteTime before) {
    std::optional<std::pair<std::int64_t, std::int64_t>> last;
    {
        Result<Query> bound = database.query(fmt::format(
            "SELECT minute, prefix_id FROM {} WHERE minute < ?1 ORDER BY minute, prefix_id LIMIT 1 "
            "OFFSET ?2",
            table));
        if (!bound) return bound.error();
        const Result<bool> row = bound->number(1, number_of(before)).number(2, rows - 1).step();
        if (!row) return row.error();
        if (*row) last.emplace(bound->integer(0), bound->integer(1));
    }
    Result<Query> remove =
        last ? database.query(fmt::format("DELETE FROM {} WHERE (minute, prefix_id) <= (?1, ?2)", table))
             : database.query(fmt::format("DELETE FROM {} WHERE minute < ?1", table));
    if (!remove) return remove.error();
    remove->number(1, last ? last->first : number_of(before));
    if (last) remove->number(2, last->second);
    if (Status removed = remove->run(); !removed) return removed.error();
    return Pruned{.rows = static_cast<std::uint64_t>(database.changes()), .more = last.has_value()};
}

/// Runs a DELETE of at most `rows` rows, ?1 being `bound` and ?2 `rows`.
Result<Pruned> prune_some(Database& database, std::string_view sql, std::string_view bound,
                          std::int64_t rows) {
    Result<Query> remove = database.query(sql);
    if (!remove) return remove.error();
    if (Status removed = remove->view(1, bound).number(2, rows).run(); !removed) return removed.error();
    const std::int64_t gone = database.changes();
    return Pruned{.rows = static_cast<std::uint64_t>(gone), .more = gone >= rows};
}

Result<Pruned> prune_collected(Database& database, MinuteTime before) {
    Result<Query> remove = database.query(
        "DELETE FROM flow_collected_minutes WHERE minute IN (SELECT minute FROM flow_collected_minutes WHERE "
        "minute < ?1 ORDER BY minute LIMIT ?2)");
    if (!remove) return remove.error();
    if (Status removed = remove->number(1, number_of(before)).number(2, kCollectedAtOnce).run(); !removed)
        return removed.error();
    const std::int64_t gone = database.changes();
    return Pruned{.rows = static_cast<std::uint64_t>(gone), .more = gone >= kCollectedAtOnce};
}

/// Those that were not seen for long, then those beyond the number that may stay.
Result<Pruned> prune_states(Database& database, const Retention& retention, WallTime now) {
    Result<Pruned> old = prune_some(
        database,
        "DELETE FROM flow_decoder_state WHERE exporter IN (SELECT exporter FROM flow_decoder_state WHERE "
        "seen_at < ?1 LIMIT ?2)",
        timestamp(now - retention.decoder_state), kStatesAtOnce);
    if (!old) return old;
    Result<Query> remove = database.query(
        "DELETE FROM flow_decoder_state WHERE exporter IN (SELECT exporter FROM flow_decoder_state ORDER BY "
        "seen_at DESC, exporter LIMIT ?2 OFFSET ?1)");
    if (!remove) return remove.error();
    if (Status removed = remove->number(1, retention.decoder_states).number(2, kStatesAtOnce).run(); !removed)
        return removed.error();
    const auto gone = static_cast<std::uint64_t>(database.changes());
    return Pruned{.rows = old->rows + gone, .more = old->more || gone >= kStatesAtOnce};
}

}  // namespace

Result<PruneReport> FlowStore::prune(const Retention& retention, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    const auto minute_before = [&](std::chrono::hours kept) {
        return std::chrono::floor<std::chrono::minutes>(now - kept);
    };
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const Result<Pruned> minutes =
        prune_range(database, "flow_minutes", kMinutesAtOnce, minute_before(retention.minutes));
    if (!minutes) return minutes.error();
    const Result<Pruned> contributors = prune_range(database, "flow_contributors", kContributorsAtOnce,
                                                    minute_before(retention.contributors));
    if (!contributors) return contributors.error();
    // A minute counts as collected until its traffic is gone.
    Result<Pruned> collected = Pruned{};
    if (!minutes->more) collected = prune_collected(database, minute_before(retention.minutes));
    if (!collected) return collected.error();
    const Result<Pruned> alerts = prune_some(
        database,
        "DELETE FROM flow_alerts WHERE rowid IN (SELECT rowid FROM flow_alerts WHERE ended_at IS NOT "
        "NULL AND ended_at < ?1 ORDER BY ended_at LIMIT ?2)",
        timestamp(now - retention.ended_alerts), kAlertsAtOnce);
    if (!alerts) return alerts.error();
    const Result<Pruned> states = prune_states(database, retention, now);
    if (!states) return states.error();
    if (Status committed = transaction->commit(); !committed) return committed.error();
    return PruneReport{
        .minutes = minutes->rows,
        .contributors = contributors->rows,
        .alerts = alerts->rows,
        .decoder_states = states->rows,
        .more = minutes->more || contributors->more || collected->more || alerts->more || states->more};
}

}  // namespace cam::store
