#include <algorithm>
#include <chrono>

#include <spdlog/fmt/fmt.h>

#include "flow_store_state.h"
#include "list_page.h"
#include "prefix_list.h"
#include "record_id.h"
#include "store_state.h"

namespace cam::store {
namespace {

constexpr std::string_view kSelectRule =
    "SELECT id, name, type, scope, prefixes, bandwidth_threshold, packet_threshold, duration_minutes, "
    "zscore_sensitivity, zscore_target, created_at, updated_at FROM flow_rules";

std::optional<std::uint64_t> maybe_count(const Query& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return row.count(column);
}

Result<Rule> rule_at(Database& database, const Query& row) {
    Rule rule;
    rule.id = std::string(row.peek(0));
    const auto wrong = [&](std::string_view column) {
        return database.error(ErrorCode::kCorrupt,
                              fmt::format("the {} of rule {} in flow_rules cannot be read", column, rule.id));
    };
    rule.name = std::string(row.peek(1));
    const std::optional<RuleType> type = rule_type(row.peek(2));
    if (!type) return wrong("type");
    rule.type = *type;
    const std::optional<RuleScope> scope = rule_scope(row.peek(3));
    if (!scope) return wrong("scope");
    rule.scope = *scope;
    std::optional<std::vector<Prefix>> prefixes = parse_prefix_list(row.peek(4));
    if (!prefixes) return wrong("prefixes");
    rule.prefixes = std::move(*prefixes);
    rule.bandwidth_threshold = maybe_count(row, 5);
    rule.packet_threshold = maybe_count(row, 6);
    rule.duration = std::chrono::minutes{std::clamp<std::int64_t>(row.integer(7), 1, 60)};
    if (!row.is_null(8)) {
        rule.zscore_sensitivity = sensitivity(row.peek(8));
        if (!rule.zscore_sensitivity) return wrong("zscore_sensitivity");
    }
    if (!row.is_null(9)) {
        rule.zscore_target = zscore_target(row.peek(9));
        if (!rule.zscore_target) return wrong("zscore_target");
    }
    rule.created_at = time_at(row, 10).value_or(WallTime{});
    rule.updated_at = time_at(row, 11).value_or(WallTime{});
    return rule;
}

Result<Rule> find_rule(Database& database, std::string_view id) {
    Result<Query> query = database.query(fmt::format("{} WHERE id = ?1", kSelectRule));
    if (!query) return query.error();
    const Result<bool> row = query->view(1, id).step();
    if (!row) return row.error();
    if (!*row) return Error{ErrorCode::kNotFound, "there is no such rule"};
    return rule_at(database, *query);
}

/// The parameters that creating and updating have in common. Binds views of the rule.
void bind_rule(Query& query, const Rule& rule, std::string_view updated_at) {
    const auto bind_threshold = [&](int at, const std::optional<std::uint64_t>& value) {
        value ? query.count(at, *value) : query.nothing(at);
    };
    query.view(1, rule.id)
        .view(2, rule.name)
        .view(3, name(rule.type))
        .view(4, name(rule.scope))
        .text(5, prefix_list(rule.prefixes))
        .number(8, rule.duration.count())
        .view(11, updated_at);
    bind_threshold(6, rule.bandwidth_threshold);
    bind_threshold(7, rule.packet_threshold);
    rule.zscore_sensitivity ? query.view(9, name(*rule.zscore_sensitivity)) : query.nothing(9);
    rule.zscore_target ? query.view(10, name(*rule.zscore_target)) : query.nothing(10);
}

}  // namespace

Result<std::vector<Rule>> FlowStore::rules(const ListQuery& asked) {
    const Result<bool> there = state_->ready_to_read("flow_rules");
    if (!there) return there.error();
    std::vector<Rule> rules;
    if (!*there && !asked.after) return rules;
    if (!*there) return Error{ErrorCode::kNotFound, "there is no such rule"};
    Result<Query> query = list_page(*state_->database, kSelectRule, "flow_rules", asked);
    if (!query) return query.error();
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return rules;
        Result<Rule> rule = rule_at(*state_->database, *query);
        if (!rule) return rule.error();
        rules.push_back(std::move(*rule));
    }
}

Result<Rule> FlowStore::rule(std::string_view id) {
    const Result<bool> there = state_->ready_to_read("flow_rules");
    if (!there) return there.error();
    if (!*there) return Error{ErrorCode::kNotFound, "there is no such rule"};
    return find_rule(*state_->database, id);
}

Result<Rule> FlowStore::create_rule(const Rule& rule, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Rule made = rule;
    made.id = make_id(now);
    made.created_at = made.updated_at = now;
    const std::string time = timestamp(now);
    Result<Query> insert = state_->database->query(
        "INSERT INTO flow_rules (id, name, type, scope, prefixes, bandwidth_threshold, packet_threshold, "
        "duration_minutes, zscore_sensitivity, zscore_target, created_at, updated_at) VALUES (?1, ?2, ?3, "
        "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)");
    if (!insert) return insert.error();
    bind_rule(*insert, made, time);
    if (Status inserted = insert->run(); !inserted) return inserted.error();
    return made;
}

Result<Rule> FlowStore::update_rule(const Rule& rule, WallTime now) {
    if (Status ready = state_->ready_to_write(); !ready) return ready.error();
    Database& database = *state_->database;
    Result<Transaction> transaction = Transaction::begin(database);
    if (!transaction) return transaction.error();
    const std::string time = timestamp(now);
    Result<Query> update = database.query(
        "UPDATE flow_rules SET name = ?2, type = ?3, scope = ?4, prefixes = ?5, bandwidth_threshold = ?6, "
        "packet_threshold = ?7, duration_minutes = ?8, zscore_sensitivity = ?9, zscore_target = ?10, "
        "updated_at = ?11 WHERE id = ?1");
    if (!update) return update.error();
    bind_rule(*update, rule, time);
    if (Status updated = update->run(); !updated) return updated.error();
    if (database.changes() == 0) return Error{ErrorCode::kNotFound, "there is no such rule"};
    Result<Rule> after = find_rule(database, rule.id);
    if (!after) return after;
    if (Status committed = transaction->commit(); !committed) return committed.error();
    return after;
}

Status FlowStore::remove_rule(std::string_view id) {
    if (Status ready = state_->ready_to_write(); !ready) return ready;
    Database& database = *state_->database;
    Result<Query> remove = database.query("DELETE FROM flow_rules WHERE id = ?1");
    if (!remove) return remove.error();
    if (Status removed = remove->view(1, id).run(); !removed) return removed;
    if (database.changes() > 0) return Done{};
    return Error{ErrorCode::kNotFound, "there is no such rule"};
}

}  // namespace cam::store
