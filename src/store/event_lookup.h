#pragma once

#include <array>
#include <string_view>

#include "cam/base/result.h"
#include "cam/model/mitigation_event.h"
#include "sqlite_database.h"

namespace cam::store {

/// The digits of an event's hash, without an allocation.
using HashText = std::array<char, 64>;
[[nodiscard]] HashText digits_of(const EventHash& hash);

/// Finds events in the table by either form of their hash: all 64 digits, or the first 32 as the Python
/// monitor stored them. One thread at a time.
class EventLookup {
public:
    static Result<EventLookup> prepare(Database& database);
    Result<bool> knows(const HashText& hash);

private:
    EventLookup(Query seek, Query exact);
    Query seek_;
    Query exact_;
};

}  // namespace cam::store
