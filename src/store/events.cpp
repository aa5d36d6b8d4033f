#include <array>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "event_lookup.h"
#include "event_table.h"
#include "store_state.h"

namespace cam::store {
namespace {

/// The event table's columns in a read-only file of any age; empty: no such table.
Result<std::vector<TableColumn>> event_columns(Database& database) {
    Result<std::vector<TableColumn>> columns = columns_of(database, kEventTable);
    if (!columns || columns->empty() || has_column(*columns, "event_hash")) return columns;
    return database.error(ErrorCode::kCorrupt, "table network_analytics_events has no column event_hash");
}

constexpr std::array<std::string_view, 23> kShownColumns{"id",
                                                         "event_hash",
                                                         "attack_id",
                                                         "event_datetime",
                                                         "attack_vector",
                                                         "rule_name",
                                                         "rule_id",
                                                         "source_ip",
                                                         "destination_ip",
                                                         "protocol",
                                                         "tcp_flags",
                                                         "colo_code",
                                                         "colo_country",
                                                         "outcome",
                                                         "mitigation_reason",
                                                         "notified_at",
                                                         "source_asn_name",
                                                         "source_country",
                                                         "source_port",
                                                         "destination_port",
                                                         "packets",
                                                         "bits",
                                                         "source_asn"};

StoredEvent event_at(const Query& row) {
    StoredEvent event;
    event.id = row.integer(0);
    event.event_hash = row.text(1).value_or("");
    int column = 2;
    for (std::optional<std::string>* text :
         {&event.attack_id, &event.event_datetime, &event.attack_vector, &event.rule_name, &event.rule_id,
          &event.source_ip, &event.destination_ip, &event.protocol, &event.tcp_flags, &event.colo_code,
          &event.colo_country, &event.outcome, &event.mitigation_reason, &event.notified_at,
          &event.source_asn_name, &event.source_country}) {
        *text = row.text(column++);
    }
    for (std::optional<std::int64_t>* number :
         {&event.source_port, &event.destination_port, &event.packets, &event.bits, &event.source_asn}) {
        *number = row.maybe_integer(column++);
    }
    return event;
}

/// Columns that an older file lacks read as NULL.
std::string select_events(const std::vector<TableColumn>& columns, const EventQuery& wanted) {
    std::string sql;
    for (const std::string_view name : kShownColumns) {
        const bool there = columns.empty() || has_column(columns, name);
        const std::string_view missing = name == "id" ? "rowid" : "NULL";
        sql += fmt::format("{}{}", sql.empty() ? "SELECT " : ", ", there ? name : missing);
    }
    sql += " FROM network_analytics_events WHERE 1";
    if (wanted.since) sql += " AND event_datetime >= ?1";
    if (wanted.attack_id) sql += " AND attack_id = ?2";
    return sql += " ORDER BY event_datetime DESC, id DESC LIMIT ?3";
}

/// The smallest text of an event_datetime at or after `since`. Events have whole seconds; without the zone's
/// letter it sorts before each of them, whatever follows the seconds.
std::string first_datetime(WallTime since) {
    std::string text = rfc3339(std::chrono::ceil<std::chrono::seconds>(since));
    text.pop_back();
    return text;
}

}  // namespace

Result<std::vector<bool>> SqliteStore::seen(std::span<const MitigationEvent> events) {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    Database& database = *state_->database;
    std::vector<bool> answers(events.size(), false);
    if (state_->options.access == Access::kReadOnly) {
        const Result<std::vector<TableColumn>> columns = event_columns(database);
        if (!columns) return columns.error();
        if (columns->empty()) return answers;
    }
    Result<EventLookup> lookup = EventLookup::prepare(database);
    if (!lookup) return lookup.error();
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Result<bool> known = lookup->knows(digits_of(events[i].hash));
        if (!known) return known.error();
        answers[i] = *known;
    }
    return answers;
}

Result<std::vector<StoredEvent>> SqliteStore::events(const EventQuery& query) {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    Database& database = *state_->database;
    std::vector<StoredEvent> events;
    std::vector<TableColumn> columns;
    if (state_->options.access == Access::kReadOnly) {
        Result<std::vector<TableColumn>> found = event_columns(database);
        if (!found) return found.error();
        if (found->empty()) return events;
        columns = std::move(*found);
    }
    Result<Query> select = database.query(select_events(columns, query));
    if (!select) return select.error();
    if (query.since) select->text(1, first_datetime(*query.since));
    if (query.attack_id) select->view(2, *query.attack_id);
    select->number(3, query.limit);
    for (;;) {
        const Result<bool> row = select->step();
        if (!row) return row.error();
        if (!*row) return events;
        events.push_back(event_at(*select));
    }
}

}  // namespace cam::store
