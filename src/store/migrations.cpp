#include "migrations.h"

#include <array>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "event_table.h"
#include "flow_schema.h"

namespace cam::store {
namespace {

/// Times are UTC, `YYYY-MM-DD HH:MM:SS.mmm`, which SQLite's date functions read. IF NOT EXISTS: a file
/// restored from
/// `.dump` has the tables, but user_version 0.
constexpr std::array<std::string_view, 4> kDeliveryAndState{
    "CREATE TABLE IF NOT EXISTS outbox (\n"
    "    id INTEGER PRIMARY KEY AUTOINCREMENT,\n"
    "    kind TEXT NOT NULL,\n"
    "    text TEXT NOT NULL,\n"
    "    queued_at DATETIME NOT NULL,\n"
    "    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'refused')),\n"
    "    attempts INTEGER NOT NULL DEFAULT 0,\n"
    "    last_attempt_at DATETIME,\n"
    "    last_error TEXT,\n"
    "    delivered_at DATETIME,\n"
    "    telegram_message_id INTEGER\n"
    ")",
    "CREATE INDEX IF NOT EXISTS idx_outbox_waiting ON outbox(id) WHERE state = 'waiting'",
    "CREATE INDEX IF NOT EXISTS idx_outbox_delivered ON outbox(delivered_at) WHERE state = 'delivered'",
    "CREATE TABLE IF NOT EXISTS monitor_state (\n"
    "    key TEXT PRIMARY KEY NOT NULL,\n"
    "    value TEXT NOT NULL,\n"
    "    updated_at DATETIME NOT NULL\n"
    ") WITHOUT ROWID",
};

Status events_outbox_and_state(Database& database) {
    if (Status adopted = adopt_event_table(database); !adopted) return adopted;
    for (const std::string_view sql : kDeliveryAndState) {
        if (Status made = database.run(sql); !made) return made;
    }
    return Done{};
}

/// Forward only: a step is never changed once released, a new one is added below it.
struct Migration {
    std::int64_t to;
    Status (*apply)(Database& database);
};
constexpr std::array kMigrations{
    Migration{1, &events_outbox_and_state},
    Migration{2, &create_flow_tables},
};

}  // namespace

std::int64_t schema_version() {
    return kMigrations.back().to;
}

Result<std::int64_t> known_version(Database& database) {
    const auto version = database.integer("PRAGMA user_version");
    if (!version) return version.error();
    const std::int64_t found = version->value_or(0);
    if (found >= 0 && found <= schema_version()) return found;
    return database.error(
        ErrorCode::kNewer,
        fmt::format("the database has schema version {}, this program knows up to {}: a newer "
                    "version of the program made it",
                    found, schema_version()));
}

Status migrate(Database& database) {
    const Result<std::int64_t> seen = known_version(database);
    if (!seen) return seen.error();
    if (*seen == schema_version()) return Done{};

    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    // Again, under the lock: another process may have migrated meanwhile.
    const Result<std::int64_t> now = known_version(database);
    if (!now) return now.error();
    for (const Migration& step : kMigrations) {
        if (step.to <= *now) continue;
        if (Status applied = step.apply(database); !applied) return applied;
    }
    if (Status marked = database.run(fmt::format("PRAGMA user_version={}", schema_version())); !marked)
        return marked;
    return transaction->commit();
}

}  // namespace cam::store
