#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "store_state.h"

namespace cam::store {
namespace {

constexpr std::int64_t kPruneAtOnce = 500;
MessageKind kind_of(std::string_view text) {
    for (const MessageKind kind : {MessageKind::kEvent, MessageKind::kAttack, MessageKind::kStartup,
                                   MessageKind::kShutdown, MessageKind::kStatus, MessageKind::kAlert}) {
        if (text == name(kind)) return kind;
    }
    return MessageKind::kStatus;  // written by a program that knows more kinds
}

/// After an update that touched no row: fine if the message is there, in its final state already.
Status must_exist(Database& database, std::int64_t id) {
    Result<Query> query = database.query("SELECT 1 FROM outbox WHERE id = ?1");
    if (!query) return query.error();
    const Result<bool> row = query->number(1, id).step();
    if (!row) return row.error();
    if (*row) return Done{};
    return database.error(ErrorCode::kNotFound, fmt::format("no message {} in the outbox", id));
}

/// An attempt that did not deliver. A message that another process has settled meanwhile keeps its state.
Status note_attempt(Database& database, std::string_view sql, std::int64_t id, WallTime now,
                    std::string_view why) {
    {
        Result<Query> query = database.query(sql);
        if (!query) return query.error();
        query->number(1, id).text(2, timestamp(now)).view(3, why);
        if (Status updated = query->run(); !updated) return updated;
    }
    return database.changes() > 0 ? Status{Done{}} : must_exist(database, id);
}

}  // namespace

Result<std::int64_t> insert_message(Database& database, const Message& message, std::string_view queued_at) {
    Result<Query> query = database.query("INSERT INTO outbox (kind, text, queued_at) VALUES (?1, ?2, ?3)");
    if (!query) return query.error();
    query->view(1, name(message.kind)).view(2, message.text).view(3, queued_at);
    if (Status inserted = query->run(); !inserted) return inserted.error();
    return database.last_id();
}

Status insert_messages(Database& database, const std::vector<Message>& messages, WallTime now) {
    const std::string queued_at = timestamp(now);
    for (const Message& message : messages) {
        const Result<std::int64_t> queued = insert_message(database, message, queued_at);
        if (!queued) return queued.error();
    }
    return Done{};
}

Result<std::int64_t> SqliteStore::enqueue(const Message& message, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    return insert_message(*state_->database, message, timestamp(now));
}

Result<std::optional<QueuedMessage>> SqliteStore::next_message() {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    const Result<bool> there = state_->has_table("outbox");
    if (!there) return there.error();
    if (!*there) return std::optional<QueuedMessage>{};
    Result<Query> query = state_->database->query(
        "SELECT id, kind, text, queued_at, attempts FROM outbox WHERE state = 'waiting' ORDER BY id LIMIT 1");
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    if (!*row) return std::optional<QueuedMessage>{};
    QueuedMessage next;
    next.id = query->integer(0);
    next.message = Message{kind_of(query->peek(1)), std::string(query->peek(2))};
    next.queued_at = time_at(*query, 3).value_or(WallTime{});
    next.attempts = static_cast<std::uint32_t>(query->integer(4));
    return std::optional<QueuedMessage>{std::move(next)};
}

Status SqliteStore::mark_delivered(std::int64_t id, WallTime now, std::int64_t telegram_message_id) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    Database& database = *state_->database;
    {
        Result<Query> query = database.query(
            "UPDATE outbox SET state = 'delivered', attempts = attempts + 1, last_attempt_at = ?2, "
            "delivered_at = ?2, telegram_message_id = ?3 WHERE id = ?1 AND state <> 'delivered'");
        if (!query) return query.error();
        query->number(1, id).text(2, timestamp(now)).number(3, telegram_message_id);
        if (Status updated = query->run(); !updated) return updated;
    }
    return database.changes() > 0 ? Status{Done{}} : must_exist(database, id);
}

Status SqliteStore::mark_failed(std::int64_t id, WallTime now, std::string_view why) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    return note_attempt(*state_->database,
                        "UPDATE outbox SET attempts = attempts + 1, last_attempt_at = ?2, last_error = ?3 "
                        "WHERE id = ?1 AND state = 'waiting'",
                        id, now, why);
}

Status SqliteStore::mark_refused(std::int64_t id, WallTime now, std::string_view why) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    return note_attempt(*state_->database,
                        "UPDATE outbox SET state = 'refused', attempts = attempts + 1, last_attempt_at = ?2, "
                        "last_error = ?3 WHERE id = ?1 AND state = 'waiting'",
                        id, now, why);
}

Result<OutboxState> SqliteStore::outbox() {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    const Result<bool> there = state_->has_table("outbox");
    if (!there) return there.error();
    if (!*there) return OutboxState{};
    Result<Query> query = state_->database->query(
        "SELECT count(*), min(queued_at), (SELECT max(delivered_at) FROM outbox WHERE state = "
        "'delivered') FROM outbox WHERE state = 'waiting'");
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    if (!*row) return OutboxState{};
    return OutboxState{.waiting = static_cast<std::uint64_t>(query->integer(0)),
                       .oldest = time_at(*query, 1),
                       .last_delivered = time_at(*query, 2)};
}

Result<std::vector<WallTime>> SqliteStore::deliveries_since(WallTime since) {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    const Result<bool> there = state_->has_table("outbox");
    if (!there) return there.error();
    std::vector<WallTime> deliveries;
    if (!*there) return deliveries;
    Result<Query> query = state_->database->query(
        "SELECT delivered_at FROM outbox WHERE state = 'delivered' AND delivered_at >= ?1 ORDER BY "
        "delivered_at");
    if (!query) return query.error();
    query->text(1, timestamp(since));
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return deliveries;
        if (const std::optional<WallTime> at = time_at(*query, 0)) deliveries.push_back(*at);
    }
}

Result<std::uint64_t> SqliteStore::prune_delivered(WallTime before) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    Result<Query> query = database.query(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state = 'delivered' AND delivered_at < "
        "?1 "
        "ORDER BY delivered_at LIMIT ?2)");
    if (!query) return query.error();
    if (Status pruned = query->text(1, timestamp(before)).number(2, kPruneAtOnce).run(); !pruned) {
        return pruned.error();
    }
    return static_cast<std::uint64_t>(database.changes());
}

}  // namespace cam::store
