#include <string>
#include <string_view>
#include <utility>

#include "cam/store/sqlite_store.h"
#include "store_state.h"

namespace cam::store {
namespace {

std::string_view stored_name(DeliveryState state) {
    switch (state) {
        case DeliveryState::kWaiting:
            return "waiting";
        case DeliveryState::kSent:
            return "delivered";
        case DeliveryState::kFailed:
            return "refused";
    }
    return "waiting";
}

DeliveryState state_of(std::string_view stored) {
    if (stored == "delivered") return DeliveryState::kSent;
    return stored == "refused" ? DeliveryState::kFailed : DeliveryState::kWaiting;
}

/// The state is part of the text, so that the index over waiting messages can serve.
std::string select_deliveries(const DeliveryQuery& wanted) {
    std::string sql =
        "SELECT id, kind, state, queued_at, delivered_at, attempts, last_attempt_at, last_error, text FROM "
        "outbox WHERE id < ?1";
    if (wanted.state) sql.append(" AND state = '").append(stored_name(*wanted.state)).append("'");
    return sql += " ORDER BY id DESC LIMIT ?2";
}

Delivery delivery_at(const Query& row) {
    return {.id = row.integer(0),
            .kind = std::string(row.peek(1)),
            .state = state_of(row.peek(2)),
            .created_at = time_at(row, 3),
            .sent_at = time_at(row, 4),
            .attempts = row.count(5),
            .last_attempt_at = time_at(row, 6),
            .next_attempt_at = std::nullopt,
            .last_error = row.text(7),
            .text = std::string(row.peek(8))};
}

}  // namespace

Result<DeliveryPage> SqliteStore::deliveries(const DeliveryQuery& query) {
    const Result<bool> there = state_->ready_to_read("outbox");
    if (!there) return there.error();
    DeliveryPage page;
    if (!*there) return page;
    Result<Query> select = state_->database->query(select_deliveries(query));
    if (!select) return select.error();
    select->number(1, query.cursor.value_or(INT64_MAX)).number(2, std::int64_t{query.limit} + 1);
    for (;;) {
        const Result<bool> row = select->step();
        if (!row) return row.error();
        if (!*row) return page;
        if (page.deliveries.size() == query.limit) {
            if (query.limit > 0) page.next_cursor = page.deliveries.back().id;
            return page;
        }
        page.deliveries.push_back(delivery_at(*select));
    }
}

}  // namespace cam::store
