#include <algorithm>
#include <limits>

#include <spdlog/fmt/fmt.h>

#include "flow_store_state.h"
#include "list_page.h"
#include "record_id.h"
#include "store_state.h"

namespace cam::store {
namespace {

constexpr std::string_view kSelectRouter =
    "SELECT id, name, address, default_sampling, created_at, updated_at FROM flow_routers";

Result<Router> router_at(Database& database, const Query& row) {
    const std::optional<IpAddress> address = IpAddress::parse(row.peek(2));
    if (!address) {
        return database.error(ErrorCode::kCorrupt,
                              fmt::format("the address of router {} in flow_routers is none", row.peek(0)));
    }
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    return Router{.id = std::string(row.peek(0)),
                  .name = std::string(row.peek(1)),
                  .address = *address,
                  .default_sampling = static_cast<std::uint32_t>(std::min(row.count(3), kMost)),
                  .created_at = time_at(row, 4).value_or(WallTime{}),
                  .updated_at = time_at(row, 5).value_or(WallTime{})};
}

Result<Router> find_router(Database& database, std::string_view id) {
    Result<Query> query = database.query(fmt::format("{} WHERE id = ?1", kSelectRouter));
    if (!query) return query.error();
    const Result<bool> row = query->view(1, id).step();
    if (!row) return row.error();
    if (!*row) return Error{ErrorCode::kNotFound, "there is no such router"};
    return router_at(database, *query);
}

/// kExists if a router other than this one has its address.
Status check_address(Database& database, const Router& router) {
    Result<Query> query = database.query("SELECT id FROM flow_routers WHERE address = ?1 AND id <> ?2");
    if (!query) return query.error();
    const Result<bool> row = query->text(1, router.address.text()).view(2, router.id).step();
    if (!row) return row.error();
    if (!*row) return Done{};
    return Error{ErrorCode::kExists,
                 fmt::format("router {} has the address {} already", query->peek(0), router.address.text())};
}

}  // namespace

Result<std::vector<Router>> FlowStore::routers(const ListQuery& asked) {
    const Result<bool> there = state_->ready_to_read("flow_routers");
    if (!there) return there.error();
    std::vector<Router> routers;
    if (!*there && !asked.after) return routers;
    if (!*there) return Error{ErrorCode::kNotFound, "there is no such router"};
    Result<Query> query = list_page(*state_->database, kSelectRouter, "flow_routers", asked);
    if (!query) return query.error();
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return routers;
        Result<Router> router = router_at(*state_->database, *query);
        if (!router) return router.error();
        routers.push_back(std::move(*router));
    }
}

Result<Router> FlowStore::router(std::string_view id) {
    const Result<bool> there = state_->ready_to_read("flow_routers");
    if (!there) return there.error();
    if (!*there) return Error{ErrorCode::kNotFound, "there is no such router"};
    return find_router(*state_->database, id);
}

Result<Router> FlowStore::create_router(const Router& router, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    Router made = router;
    made.id = make_id(now);
    made.created_at = made.updated_at = now;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    if (Status free = check_address(database, made); !free) return free.error();
    Result<Query> insert = database.query(
        "INSERT INTO flow_routers (id, name, address, default_sampling, created_at, updated_at) VALUES (?1, "
        "?2, ?3, ?4, ?5, ?5)");
    if (!insert) return insert.error();
    insert->view(1, made.id)
        .view(2, made.name)
        .text(3, made.address.text())
        .number(4, made.default_sampling)
        .text(5, timestamp(now));
    if (Status inserted = insert->run(); !inserted) return inserted.error();
    if (Status committed = transaction->commit(); !committed) return committed.error();
    return made;
}

Result<Router> FlowStore::update_router(const Router& router, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const Result<Router> before = find_router(database, router.id);
    if (!before) return before.error();
    if (Status free = check_address(database, router); !free) return free.error();
    Result<Query> update = database.query(
        "UPDATE flow_routers SET name = ?2, address = ?3, default_sampling = ?4, updated_at = ?5 WHERE id = "
        "?1");
    if (!update) return update.error();
    update->view(1, router.id)
        .view(2, router.name)
        .text(3, router.address.text())
        .number(4, router.default_sampling)
        .text(5, timestamp(now));
    if (Status updated = update->run(); !updated) return updated.error();
    if (Status committed = transaction->commit(); !committed) return committed.error();
    Router after = router;
    after.created_at = before->created_at;
    after.updated_at = now;
    return after;
}

Status FlowStore::remove_router(std::string_view id) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    Database& database = *state_->database;
    Result<Query> remove = database.query("DELETE FROM flow_routers WHERE id = ?1");
    if (!remove) return remove.error();
    if (Status removed = remove->view(1, id).run(); !removed) return removed;
    if (database.changes() > 0) return Done{};
    return Error{ErrorCode::kNotFound, "there is no such router"};
}

}  // namespace cam::store
