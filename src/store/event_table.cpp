#include "event_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <optional>

#include <spdlog/fmt/fmt.h>

namespace cam::store {
namespace {

constexpr std::size_t kPythonColumns = 21;
constexpr std::string_view kNewTable = "network_analytics_events_migrated";

std::string definition(const EventColumn& column) {
    std::string text = fmt::format("{} {}", column.name, column.type);
    if (!column.constraint.empty()) text.append(" ").append(column.constraint);
    return text;
}

bool is_ours(std::string_view name) {
    return std::any_of(kEventColumns.begin(), kEventColumns.end(),
                       [&](const EventColumn& column) { return same_name(column.name, name); });
}

/// CREATE TABLE with our columns and then those that only the old table has.
std::string create_table(std::string_view name, const std::vector<TableColumn>& foreign) {
    std::string sql = fmt::format("CREATE TABLE {} (", name);
    for (const EventColumn& column : kEventColumns) {
        sql += fmt::format("\n    {}{}", definition(column), &column == &kEventColumns.back() ? "" : ",");
    }
    for (const TableColumn& column : foreign) {
        sql += fmt::format(",\n    {} {}", identifier(column.name), column.type);
        // NOT NULL without a default would refuse every row of ours.
        if (!column.default_value.empty()) sql += fmt::format(" DEFAULT ({})", column.default_value);
    }
    return sql += "\n)";
}

Status create_indexes(Database& database) {
    for (const std::string_view sql :
         {"CREATE INDEX IF NOT EXISTS idx_analytics_attack_id ON network_analytics_events(attack_id)",
          "CREATE INDEX IF NOT EXISTS idx_analytics_datetime ON network_analytics_events(event_datetime)",
          "CREATE INDEX IF NOT EXISTS idx_analytics_source_ip ON network_analytics_events(source_ip)"}) {
        if (Status made = database.run(sql); !made) return made;
    }
    return Done{};
}

/// The type and the text in sqlite_schema of the object that bears the table's name.
struct Found {
    std::string type;
    std::string sql;
};

Result<std::optional<Found>> find_event_object(Database& database) {
    Result<Query> query = database.prepare(
        "SELECT type, coalesce(sql, '') FROM sqlite_schema WHERE name = 'network_analytics_events' COLLATE "
        "NOCASE");
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    if (!*row) return std::optional<Found>{};
    return std::optional<Found>{Found{std::string(query->peek(0)), std::string(query->peek(1))}};
}

Result<bool> hash_is_unique(Database& database) {
    const Result<std::optional<std::int64_t>> found = database.integer(
        "SELECT 1 FROM pragma_index_list('network_analytics_events') AS list WHERE list.\"unique\" = 1 AND "
        "list.partial = 0 AND (SELECT group_concat(lower(info.name)) FROM pragma_index_info(list.name) AS "
        "info) = "
        "'event_hash'");
    if (!found) return found.error();
    return found->has_value();
}

/// True if the first `count` columns are the contract's and nothing else would refuse our rows.
bool begins_like_ours(const std::vector<TableColumn>& columns, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const TableColumn& column = columns[i];
        const EventColumn& wanted = kEventColumns[i];
        if (!same_name(column.name, wanted.name) || !same_name(column.type, wanted.type)) return false;
        if (column.generated || column.primary_key != (i == 0)) return false;
        if (column.not_null && !same_name(wanted.name, "event_hash") && column.default_value.empty() &&
            i != 0) {
            return false;
        }
    }
    return std::none_of(
        columns.begin() + static_cast<std::ptrdiff_t>(count), columns.end(),
        [](const TableColumn& column) { return column.not_null && column.default_value.empty(); });
}

bool counts_ids_up(std::string_view sql) {
    std::string upper(sql);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return upper.find("AUTOINCREMENT") != std::string::npos;
}

/// What hangs on the table and goes with it when it is dropped: CREATE INDEX and CREATE TRIGGER as they were
/// written.
Result<std::vector<std::string>> attachments(Database& database) {
    Result<Query> query = database.prepare(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = 'network_analytics_events' COLLATE NOCASE AND "
        "type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid");
    if (!query) return query.error();
    std::vector<std::string> found;
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return found;
        found.emplace_back(query->peek(0));
    }
}

Result<std::int64_t> highest_id_ever(Database& database) {
    const auto kept = database.integer("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'");
    if (!kept) return kept.error();
    if (!kept->has_value()) return std::int64_t{0};
    const auto seq = database.integer(
        "SELECT max(seq) FROM sqlite_sequence WHERE name = 'network_analytics_events' COLLATE NOCASE");
    if (!seq) return seq.error();
    return seq->value_or(0);
}

Status copy_rows(Database& database, const std::vector<TableColumn>& old,
                 const std::vector<TableColumn>& foreign) {
    std::string into;
    std::string from;
    for (const EventColumn& column : kEventColumns) {
        into += fmt::format("{}{}", into.empty() ? "" : ", ", column.name);
        // A column that was missing is unknown in the old rows; a default would tell a lie.
        const bool there = has_column(old, column.name);
        const std::string_view missing = column.name == "id" ? "rowid" : "NULL";
        from += fmt::format("{}{}", from.empty() ? "" : ", ", there ? column.name : missing);
    }
    for (const TableColumn& column : foreign) {
        into += ", " + identifier(column.name);
        from += ", " + identifier(column.name);
    }
    Status copied =
        database.run(fmt::format("INSERT INTO {} ({}) SELECT {} FROM {} ORDER BY {}", kNewTable, into, from,
                                 kEventTable, has_column(old, "id") ? "id" : "rowid"));
    if (copied || copied.error().code != ErrorCode::kInternal) return copied;
    return Error{
        ErrorCode::kCorrupt,
        fmt::format("{} (table network_analytics_events holds rows that cannot be kept: an event_hash or an "
                    "id that is missing or there twice; see docs/database.md)",
                    copied.error().detail)};
}

Status restore_sequence(Database& database, std::int64_t highest) {
    Result<Query> update = database.prepare(
        "UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'network_analytics_events'");
    if (!update) return update.error();
    if (Status set = update->number(1, highest).run(); !set) return set;
    if (database.changes() > 0 || highest == 0) return Done{};
    Result<Query> insert =
        database.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('network_analytics_events', ?1)");
    if (!insert) return insert.error();
    return insert->number(1, highest).run();
}

/// SQLite's own procedure for such a change: new table, copy, drop, rename. legacy_alter_table keeps the
/// rename from touching views and triggers that name the table.
Status rebuild(Database& database, const std::vector<TableColumn>& old) {
    std::vector<TableColumn> foreign;
    std::copy_if(old.begin(), old.end(), std::back_inserter(foreign),
                 [](const TableColumn& column) { return !is_ours(column.name); });
    const Result<std::vector<std::string>> attached = attachments(database);
    if (!attached) return attached.error();
    const Result<std::int64_t> highest = highest_id_ever(database);
    if (!highest) return highest.error();
    const auto before = database.integer("SELECT count(*) FROM network_analytics_events");
    if (!before) return before.error();

    if (Status made = database.run(create_table(kNewTable, foreign)); !made) return made;
    if (Status copied = copy_rows(database, old, foreign); !copied) return copied;
    const auto after = database.integer(fmt::format("SELECT count(*) FROM {}", kNewTable));
    if (!after) return after.error();
    if (*after != *before)
        return database.error(ErrorCode::kInternal, "the migration did not copy every row");

    for (const std::string& step :
         {std::string{"PRAGMA legacy_alter_table=ON"}, std::string{"DROP TABLE network_analytics_events"},
          fmt::format("ALTER TABLE {} RENAME TO {}", kNewTable, kEventTable),
          std::string{"PRAGMA legacy_alter_table=OFF"}}) {
        if (Status done = database.run(step); !done) return done;
    }
    if (Status restored = restore_sequence(database, *highest); !restored) return restored;
    for (const std::string& sql : *attached) {
        if (Status made = database.run(sql); !made) return made;
    }
    return Done{};
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && sqlite3_strnicmp(a.data(), b.data(), static_cast<int>(a.size())) == 0;
}

bool has_column(const std::vector<TableColumn>& columns, std::string_view name) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const TableColumn& column) { return same_name(column.name, name); });
}

Result<std::vector<TableColumn>> columns_of(Database& database, std::string_view table) {
    // hidden: 0 an ordinary column, 2 and 3 a generated one.
    Result<Query> query = database.prepare(
        "SELECT name, type, coalesce(dflt_value, ''), \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) "
        "WHERE hidden <> 1 ORDER BY cid");
    if (!query) return query.error();
    query->view(1, table);
    std::vector<TableColumn> columns;
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return columns;
        columns.push_back({.name = std::string(query->peek(0)),
                           .type = std::string(query->peek(1)),
                           .default_value = std::string(query->peek(2)),
                           .not_null = query->integer(3) != 0,
                           .primary_key = query->integer(4) != 0,
                           .generated = query->integer(5) != 0});
    }
}

Status adopt_event_table(Database& database) {
    const Result<std::optional<Found>> found = find_event_object(database);
    if (!found) return found.error();
    if (!found->has_value()) {
        if (Status made = database.run(create_table(kEventTable, {})); !made) return made;
        return create_indexes(database);
    }
    const Found& object = **found;
    if (object.type != "table") {
        return database.error(ErrorCode::kCorrupt,
                              fmt::format("network_analytics_events is a {}, not a table", object.type));
    }
    const Result<std::vector<TableColumn>> columns = columns_of(database, kEventTable);
    if (!columns) return columns.error();
    if (!has_column(*columns, "event_hash")) {
        return database.error(
            ErrorCode::kCorrupt,
            "table network_analytics_events has no column event_hash: another program made it; "
            "rename that table or choose another database file");
    }
    const Result<bool> unique = hash_is_unique(database);
    if (!unique) return unique.error();

    const std::size_t known = std::min(columns->size(), kEventColumns.size());
    const bool sound =
        *unique && counts_ids_up(object.sql) && known >= kPythonColumns && begins_like_ours(*columns, known);
    if (!sound) {
        if (Status rebuilt = rebuild(database, *columns); !rebuilt) return rebuilt;
        return create_indexes(database);
    }
    for (std::size_t i = known; i < kEventColumns.size(); ++i) {
        const std::string add =
            fmt::format("ALTER TABLE network_analytics_events ADD COLUMN {}", definition(kEventColumns[i]));
        if (Status added = database.run(add); !added) return added;
    }
    return create_indexes(database);
}

}  // namespace cam::store
