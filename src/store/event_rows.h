#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "event_table.h"
#include "sqlite_database.h"

namespace cam::store {

/// The event table's columns in a read-only file of any age; empty: no such table.
Result<std::vector<TableColumn>> event_columns(Database& database);

/// The smallest text of an event_datetime at or after `since`. Events have whole seconds; without the zone's
/// letter it sorts before each of them, whatever follows the seconds.
[[nodiscard]] std::string first_datetime(WallTime since);

/// Where an event stands when the newest comes first: those without a datetime come last, the later id first.
struct EventPosition {
    std::optional<std::string> datetime;
    std::int64_t id = 0;
};
/// kInvalid: there is no such event; the detail says so of a cursor.
Result<EventPosition> position_of(Database& database, std::int64_t id);

}  // namespace cam::store
