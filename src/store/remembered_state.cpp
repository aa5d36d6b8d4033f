#include <utility>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "store_state.h"

namespace cam::store {

Result<std::optional<std::string>> read_value(Database& database, std::string_view key) {
    Result<Query> query = database.query("SELECT value FROM monitor_state WHERE key = ?1");
    if (!query) return query.error();
    const Result<bool> row = query->view(1, key).step();
    if (!row) return row.error();
    if (!*row) return std::optional<std::string>{};
    return query->text(0);
}

Status write_value(Database& database, std::string_view key, std::string_view value) {
    Result<Query> query = database.query(
        "INSERT INTO monitor_state (key, value, updated_at) VALUES (?1, ?2, strftime('%Y-%m-%d %H:%M:%f', "
        "'now')) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at");
    if (!query) return query.error();
    return query->view(1, key).view(2, value).run();
}

Status erase_value(Database& database, std::string_view key) {
    Result<Query> query = database.query("DELETE FROM monitor_state WHERE key = ?1");
    if (!query) return query.error();
    return query->view(1, key).run();
}

Result<std::optional<std::string>> SqliteStore::remembered(std::string_view key) {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    const Result<bool> there = state_->has_table("monitor_state");
    if (!there) return there.error();
    if (!*there) return std::optional<std::string>{};
    return read_value(*state_->database, key);
}

Status SqliteStore::remember(std::string_view key, std::string_view value) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    return write_value(*state_->database, key, value);
}

Status SqliteStore::forget(std::string_view key) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    return erase_value(*state_->database, key);
}

Result<bool> SqliteStore::change(std::string_view key, std::string_view value,
                                 const std::optional<Message>& message, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    // Mostly nothing has changed: no need to wait for the write lock to see that.
    Result<std::optional<std::string>> before = read_value(database, key);
    if (!before) return before.error();
    if (before->value_or("") == value) return false;

    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    before = read_value(database, key);
    if (!before) return before.error();
    if (before->value_or("") == value) return false;
    if (Status set = value.empty() ? erase_value(database, key) : write_value(database, key, value); !set) {
        return set.error();
    }
    if (message) {
        const Result<std::int64_t> queued = insert_message(database, *message, timestamp(now));
        if (!queued) return queued.error();
    }
    if (Status committed = transaction->commit(); !committed) return committed.error();
    return true;
}

Result<std::optional<WallTime>> SqliteStore::claimed_to() {
    const Result<std::optional<std::string>> text = remembered(kClaimedTo);
    if (!text) return text.error();
    if (!text->has_value()) return std::optional<WallTime>{};
    const std::optional<WallTime> time = parse_time(**text);
    if (time) return std::optional<WallTime>{*time};
    return state_->database->error(ErrorCode::kInvalid,
                                   "the value of claimed_to in monitor_state is not a time");
}

}  // namespace cam::store
