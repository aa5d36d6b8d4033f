#include "flow_alerts.h"

#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "flow_store_state.h"
#include "prefix_list.h"
#include "store_state.h"

namespace cam::store {
namespace {

std::optional<AlertMetric> alert_metric(std::string_view text) {
    return named(text, {AlertMetric::kBitsPerSecond, AlertMetric::kPacketsPerSecond,
                        AlertMetric::kFlowsPerSecond, AlertMetric::kZscore});
}

std::optional<TrafficClass> traffic_class(std::string_view text) {
    for (std::size_t i = 0; i < kTrafficClassCount; ++i) {
        const auto one = static_cast<TrafficClass>(i);
        if (text == name(one)) return one;
    }
    return std::nullopt;
}

/// What peaks and the latest minute are, from parameter `at` on.
void bind_rates(Query& query, int at, const Alert& alert) {
    query.real(at, alert.peak.bits_per_second)
        .real(at + 1, alert.peak.packets_per_second)
        .real(at + 2, alert.current.bits_per_second)
        .real(at + 3, alert.current.packets_per_second);
}

std::string select_alerts(const AlertQuery& wanted) {
    std::string sql = fmt::format("SELECT {} FROM flow_alerts WHERE 1", kAlertColumns);
    if (wanted.active) sql += *wanted.active ? " AND ended_at IS NULL" : " AND ended_at IS NOT NULL";
    if (wanted.rule_id) sql += " AND rule_id = ?1";
    if (wanted.since) sql += " AND started_at >= ?2";
    // The plus: the few that are active are sorted, rather than looked for among all that ever were.
    const bool sort = wanted.active.value_or(false);
    return sql += sort ? " ORDER BY +started_at DESC, rowid DESC LIMIT ?3"
                       : " ORDER BY started_at DESC, rowid DESC LIMIT ?3";
}

}  // namespace

Result<Alert> alert_at(Database& database, const Query& row) {
    Alert alert;
    alert.id = std::string(row.peek(0));
    const auto wrong = [&](std::string_view column) {
        return database.error(
            ErrorCode::kCorrupt,
            fmt::format("the {} of alert {} in flow_alerts cannot be read", column, alert.id));
    };
    alert.rule_id = std::string(row.peek(1));
    alert.rule_name = std::string(row.peek(2));
    const std::optional<RuleType> type = rule_type(row.peek(3));
    if (!type) return wrong("type");
    alert.type = *type;
    const std::optional<RuleScope> scope = rule_scope(row.peek(4));
    if (!scope) return wrong("scope");
    alert.scope = *scope;
    std::optional<std::vector<Prefix>> prefixes = parse_prefix_list(row.peek(5));
    if (!prefixes) return wrong("prefixes");
    alert.prefixes = std::move(*prefixes);
    const std::optional<WallTime> started_at = time_at(row, 6);
    if (!started_at) return wrong("started_at");
    alert.started_at = *started_at;
    alert.raised_at = time_at(row, 7).value_or(*started_at);
    alert.ended_at = time_at(row, 8);
    if (!alert.ended_at && !row.is_null(8)) return wrong("ended_at");
    alert.end_reason = std::string(row.peek(9));
    const std::optional<AlertMetric> metric = alert_metric(row.peek(10));
    if (!metric) return wrong("metric");
    const std::optional<TrafficClass> of = traffic_class(row.peek(13));
    if (!of) return wrong("traffic_class");
    alert.crossing = {.metric = *metric,
                      .value = row.real(11),
                      .threshold = row.real(12),
                      .traffic_class = *of,
                      .baseline = row.is_null(14) ? std::nullopt : std::optional{row.real(14)},
                      .spread = row.is_null(19) ? std::nullopt : std::optional{row.real(19)},
                      .zscore_target = zscore_target(row.peek(20))};
    alert.peak = {.bits_per_second = row.real(15), .packets_per_second = row.real(16)};
    alert.current = {.bits_per_second = row.real(17), .packets_per_second = row.real(18)};
    return alert;
}

std::string target_of(const Alert& alert) {
    const bool one = alert.scope == RuleScope::kPerPrefix && alert.prefixes.size() == 1;
    return one ? alert.prefixes.front().text() : "all";
}

Result<std::optional<Alert>> find_active(Database& database, const Alert& alert) {
    Result<Query> query = database.query(fmt::format(
        "SELECT {} FROM flow_alerts WHERE rule_id = ?1 AND target = ?2 AND ended_at IS NULL", kAlertColumns));
    if (!query) return query.error();
    const Result<bool> row = query->view(1, alert.rule_id).text(2, target_of(alert)).step();
    if (!row) return row.error();
    if (!*row) return std::optional<Alert>{};
    Result<Alert> found = alert_at(database, *query);
    if (!found) return found.error();
    return std::optional<Alert>{std::move(*found)};
}

Result<bool> is_known(Database& database, const Alert& alert) {
    Result<Query> query = database.query(
        "SELECT 1 FROM flow_alerts WHERE rule_id = ?1 AND started_at = ?2 AND target = ?3 LIMIT 1");
    if (!query) return query.error();
    return query->view(1, alert.rule_id)
        .text(2, timestamp(alert.started_at))
        .text(3, target_of(alert))
        .step();
}

Status insert_alert(Database& database, const Alert& alert) {
    Result<Query> insert = database.query(
        "INSERT INTO flow_alerts (id, rule_id, rule_name, type, scope, target, started_at, raised_at, "
        "metric, "
        "value, threshold, traffic_class, baseline, prefixes, peak_bits_per_second, peak_packets_per_second, "
        "current_bits_per_second, current_packets_per_second, spread, zscore_target, ended_at, end_reason) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, "
        "?21, ?22)");
    if (!insert) return insert.error();
    insert->view(1, alert.id)
        .view(2, alert.rule_id)
        .view(3, alert.rule_name)
        .view(4, name(alert.type))
        .view(5, name(alert.scope))
        .text(6, target_of(alert))
        .text(7, timestamp(alert.started_at))
        .text(8, timestamp(alert.raised_at))
        .view(9, name(alert.crossing.metric))
        .real(10, alert.crossing.value)
        .real(11, alert.crossing.threshold)
        .view(12, name(alert.crossing.traffic_class))
        .text(14, prefix_list(alert.prefixes));
    alert.crossing.baseline ? insert->real(13, *alert.crossing.baseline) : insert->nothing(13);
    bind_rates(*insert, 15, alert);
    alert.crossing.spread ? insert->real(19, *alert.crossing.spread) : insert->nothing(19);
    alert.crossing.zscore_target ? insert->view(20, name(*alert.crossing.zscore_target))
                                 : insert->nothing(20);
    alert.ended_at ? insert->text(21, timestamp(*alert.ended_at)) : insert->nothing(21);
    insert->view(22, alert.end_reason);
    return insert->run();
}

Status update_alert(Database& database, const Alert& alert) {
    Result<Query> update = database.query(
        "UPDATE flow_alerts SET peak_bits_per_second = ?2, peak_packets_per_second = ?3, "
        "current_bits_per_second = ?4, current_packets_per_second = ?5 WHERE id = ?1 AND ended_at IS NULL");
    if (!update) return update.error();
    bind_rates(update->view(1, alert.id), 2, alert);
    return update->run();
}

Result<bool> end_alert(Database& database, const Alert& alert) {
    Result<Query> end = database.query(
        "UPDATE flow_alerts SET peak_bits_per_second = ?2, peak_packets_per_second = ?3, "
        "current_bits_per_second = ?4, current_packets_per_second = ?5, ended_at = ?6, end_reason = ?7 WHERE "
        "id = ?1 AND ended_at IS NULL");
    if (!end) return end.error();
    bind_rates(end->view(1, alert.id), 2, alert);
    end->text(6, timestamp(*alert.ended_at)).view(7, alert.end_reason);
    if (Status ended = end->run(); !ended) return ended.error();
    return database.changes() > 0;
}

Result<std::vector<Alert>> FlowStore::alerts(const AlertQuery& query) {
    const Result<bool> there = state_->ready_to_read("flow_alerts");
    if (!there) return there.error();
    std::vector<Alert> alerts;
    if (!*there) return alerts;
    Result<Query> select = state_->database->query(select_alerts(query));
    if (!select) return select.error();
    if (query.rule_id) select->view(1, *query.rule_id);
    if (query.since) select->text(2, timestamp(*query.since));
    select->number(3, query.limit);
    for (;;) {
        const Result<bool> row = select->step();
        if (!row) return row.error();
        if (!*row) return alerts;
        Result<Alert> alert = alert_at(*state_->database, *select);
        if (!alert) return alert.error();
        alerts.push_back(std::move(*alert));
    }
}

Result<std::vector<Alert>> FlowStore::active_alerts() {
    AlertQuery all;
    all.active = true;
    all.limit = std::numeric_limits<std::uint32_t>::max();
    return alerts(all);
}

}  // namespace cam::store
