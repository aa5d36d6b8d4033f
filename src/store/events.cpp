#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "event_lookup.h"
#include "event_rows.h"
#include "store_state.h"

namespace cam::store {
Result<std::vector<TableColumn>> event_columns(Database& database) {
    Result<std::vector<TableColumn>> columns = columns_of(database, kEventTable);
    if (!columns || columns->empty() || has_column(*columns, "event_hash")) return columns;
    return database.error(ErrorCode::kCorrupt, "table network_analytics_events has no column event_hash");
}

std::string first_datetime(WallTime since) {
    std::string text = rfc3339(std::chrono::ceil<std::chrono::seconds>(since));
    text.pop_back();
    return text;
}

Result<EventPosition> position_of(Database& database, std::int64_t id) {
    Result<Query> query =
        database.query("SELECT event_datetime FROM network_analytics_events WHERE rowid = ?1");
    if (!query) return query.error();
    const Result<bool> row = query->number(1, id).step();
    if (!row) return row.error();
    if (*row) return EventPosition{.datetime = query->text(0), .id = id};
    return Error{ErrorCode::kInvalid,
                 fmt::format("cursor: there is no event {} any more; begin again without it", id)};
}

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

}  // namespace cam::store
