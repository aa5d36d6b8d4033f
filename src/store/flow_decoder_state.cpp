#include <span>
#include <utility>

#include "flow_store_state.h"
#include "store_state.h"

namespace cam::store {

Status FlowStore::save_decoder_state(std::span<const DecoderState> states, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    if (states.empty()) return Done{};
    Database& database = *state_->database;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const std::string time = timestamp(now);
    Result<Query> save = database.query(
        "INSERT INTO flow_decoder_state (exporter, saved_at, seen_at, bytes) VALUES (?1, ?2, ?2, ?3) ON "
        "CONFLICT (exporter) DO UPDATE SET saved_at = excluded.saved_at, seen_at = excluded.seen_at, bytes = "
        "excluded.bytes");
    if (!save) return save.error();
    for (const DecoderState& state : states) {
        save->text(1, state.exporter.text()).view(2, time).blob_view(3, state.bytes);
        if (Status saved = save->run(); !saved) return saved;
    }
    return transaction->commit();
}

Status FlowStore::keep_decoder_state(std::span<const ExporterKey> seen, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    if (seen.empty()) return Done{};
    Database& database = *state_->database;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const std::string time = timestamp(now);
    Result<Query> keep =
        database.query("UPDATE flow_decoder_state SET seen_at = ?2 WHERE exporter = ?1 AND seen_at < ?2");
    if (!keep) return keep.error();
    for (const ExporterKey& exporter : seen) {
        if (Status kept = keep->text(1, exporter.text()).view(2, time).run(); !kept) return kept;
    }
    return transaction->commit();
}

Result<std::vector<DecoderState>> FlowStore::decoder_state() {
    const Result<bool> there = state_->ready_to_read("flow_decoder_state");
    if (!there) return there.error();
    std::vector<DecoderState> states;
    if (!*there) return states;
    Result<Query> query = state_->database->query(
        "SELECT exporter, bytes FROM flow_decoder_state ORDER BY seen_at DESC, exporter");
    if (!query) return query.error();
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return states;
        // A row of somebody else's costs its exporter the wait for a template, nothing more.
        const std::optional<IpAddress> exporter = IpAddress::parse(query->peek(0));
        if (exporter) states.push_back({ExporterKey{*exporter}, std::string(query->peek_blob(1))});
    }
}

}  // namespace cam::store
