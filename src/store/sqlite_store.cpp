#include "cam/store/sqlite_store.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "store_state.h"

namespace cam::store {

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const Options& options) {
    Result<Connection> opened = Connection::open(options);
    if (!opened) return opened.error();
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::make_unique<State>(State{std::move(*opened)})));
}

Status SqliteStore::quick_check() {
    if (Status ready = state_->ready_to_read(); !ready) return ready;
    Database& database = *state_->database;
    Result<Query> query = database.prepare("PRAGMA quick_check(1)");
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    if (*row && query->peek(0) == "ok") return Done{};
    return database.error(ErrorCode::kCorrupt, *row ? query->peek(0) : "quick_check gave no answer");
}

Status SqliteStore::empty_wal() {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    const auto busy = state_->database->integer("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!busy) return busy.error();
    if (busy->value_or(0) == 0) return Done{};
    return state_->database->error(ErrorCode::kBusy, "others are at work");
}

std::string timestamp(WallTime time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    return fmt::format("{}.{:03}", sqlite_time(second), (time - second).count());
}

std::optional<WallTime> time_at(const Query& query, int column) {
    if (query.is_null(column)) return std::nullopt;
    return parse_time(query.peek(column));
}

}  // namespace cam::store
