#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/store/sqlite_store.h"
#include "connection.h"
#include "sqlite_database.h"

namespace cam::store {

/// What a SqliteStore is made of. One thread at a time.
struct SqliteStore::State : Connection {};

/// `2026-01-19 22:51:50.123`: UTC, sorts as text, SQLite's date functions and parse_time read it.
[[nodiscard]] std::string timestamp(WallTime time);
/// The column's time; nullopt for NULL or what is no time.
[[nodiscard]] std::optional<WallTime> time_at(const Query& query, int column);

/// Inside or outside of a transaction; the id of the new row.
Result<std::int64_t> insert_message(Database& database, const Message& message, std::string_view queued_at);
/// All of them, in their order. Inside a transaction.
Status insert_messages(Database& database, const std::vector<Message>& messages, WallTime now);

/// The key under which the poll progress lies in monitor_state.
constexpr std::string_view kClaimedTo = "claimed_to";
Result<std::optional<std::string>> read_value(Database& database, std::string_view key);
Status write_value(Database& database, std::string_view key, std::string_view value);
Status erase_value(Database& database, std::string_view key);

}  // namespace cam::store
