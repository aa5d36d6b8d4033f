#include "connection.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "event_table.h"
#include "migrations.h"

namespace cam::store {
namespace {

/// How a file must be read so that nothing is written beside it.
Result<Database::Mode> reading_mode(const Database& database) {
    // Not in WAL mode: plain locks suffice and leave no trace.
    if (!database.header_says_wal()) return Database::Mode::kReadOnly;
    const std::optional<std::uint64_t> wal = database.size_beside("-wal");
    if (!wal) return Database::Mode::kImmutable;
    if (database.size_beside("-shm")) return Database::Mode::kReadOnly;
    if (*wal == 0) return Database::Mode::kImmutable;
    return database.error(
        ErrorCode::kReadOnly,
        "there is a -wal file without its -shm file, which cannot be read without writing; open "
        "the database once for writing (start the daemon, or use sqlite3)");
}

Result<std::unique_ptr<Database>> open_for_reading(const SqliteStore::Options& options) {
    Result<std::unique_ptr<Database>> opened =
        Database::open({.path = options.path, .mode = Database::Mode::kReadOnly, .busy = options.busy});
    if (!opened) return opened;
    const Result<Database::Mode> mode = reading_mode(**opened);
    if (!mode) return mode.error();
    if (*mode == Database::Mode::kImmutable) {
        opened = Database::open({.path = options.path, .mode = *mode, .busy = options.busy});
        if (!opened) return opened;
    }
    if (const Result<std::int64_t> version = known_version(**opened); !version) return version.error();
    return opened;
}

/// user_version can lie: somebody may have dropped or changed a table.
Status check_tables(Database& database) {
    for (const std::string_view sql :
         {"SELECT event_hash, source_country FROM network_analytics_events",
          "SELECT state, telegram_message_id FROM outbox", "SELECT key, value, updated_at FROM monitor_state",
          "SELECT address, default_sampling FROM flow_routers",
          "SELECT prefixes, zscore_target FROM flow_rules", "SELECT target, end_reason FROM flow_alerts",
          "SELECT prefix FROM flow_prefixes", "SELECT minute, prefix_id, other_flows FROM flow_minutes",
          "SELECT covered_ms FROM flow_collected_minutes", "SELECT facet, key, flows FROM flow_contributors",
          "SELECT exporter, seen_at FROM flow_decoder_state"}) {
        if (const Result<Query> prepared = database.prepare(sql); !prepared) return prepared.error();
    }
    return Done{};
}

Result<std::unique_ptr<Database>> open_for_writing(const SqliteStore::Options& options) {
    Result<std::unique_ptr<Database>> opened =
        Database::open({.path = options.path, .mode = Database::Mode::kReadWrite, .busy = options.busy});
    if (!opened) return opened;
    Database& database = **opened;
    database.begin_shared_patience();
    // Before anything is changed: a newer file stays as it is.
    if (const Result<std::int64_t> version = known_version(database); !version) return version.error();
    if (Status wal = database.use_wal(); !wal) return wal.error();
    if (Status migrated = migrate(database); !migrated) return migrated.error();
    if (Status checked = check_tables(database); !checked) return checked.error();
    database.end_shared_patience();
    return opened;
}

}  // namespace

Result<Connection> Connection::open(const SqliteStore::Options& options) {
    Result<std::unique_ptr<Database>> opened =
        options.access == Access::kReadWrite ? open_for_writing(options) : open_for_reading(options);
    if (!opened) return opened.error();
    return Connection{.options = options, .database = std::move(*opened)};
}

Status Connection::ready_to_read() {
    if (options.access == Access::kReadWrite) return Done{};
    // Without locks nobody tells us of changes: what was read before may be stale.
    const bool stale = database->mode() == Database::Mode::kImmutable;
    const Result<Database::Mode> mode = reading_mode(*database);
    if (!stale && mode && *mode == database->mode()) return Done{};
    Result<std::unique_ptr<Database>> opened = open_for_reading(options);
    if (!opened) return opened.error();
    database = std::move(*opened);
    return Done{};
}

Status Connection::ready_to_write() {
    if (options.access == Access::kReadWrite) return Done{};
    return database->error(ErrorCode::kReadOnly, "opened for reading only");
}

Result<bool> Connection::has_table(std::string_view name) {
    if (options.access == Access::kReadWrite) return true;
    const Result<std::vector<TableColumn>> columns = columns_of(*database, name);
    if (!columns) return columns.error();
    return !columns->empty();
}

Result<bool> Connection::ready_to_read(std::string_view table) {
    if (Status ready = ready_to_read(); !ready) return ready.error();
    return has_table(table);
}

}  // namespace cam::store
