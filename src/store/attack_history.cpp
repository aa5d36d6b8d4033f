#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "event_table.h"
#include "store_state.h"

namespace cam::store {
namespace {

std::optional<std::string> filled(std::string_view text) {
    if (text.empty()) return std::nullopt;
    return std::string(text);
}

/// The receiver writes Cloudflare's target, which may be a CIDR range such as 185.54.82.4/32.
std::string_view without_length(std::string_view target) {
    return target.substr(0, target.find('/'));
}

/// The receiver keeps the number as text, and whatever else Cloudflare sent in its place.
std::optional<double> amount(const Query& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    double value = 0;
    if (row.is_number(column)) {
        value = row.real(column);
    } else {
        std::string_view text = row.peek(column);
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
        const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    }
    if (!std::isfinite(value) || value < 0) return std::nullopt;
    return value;
}

std::string month_of(WallTime time) {
    return rfc3339(time).substr(0, 7);
}

/// Which rows of attack_events are attacks on the network. The receiver writes START for tunnels, incidents,
/// health checks, BGP hijacks and layer 7 too, and for the end of a volumetric attack. Older receivers left
/// alert_type empty.
std::string attack_rows(const std::vector<TableColumn>& columns) {
    std::string where = "event_type = 'START' COLLATE NOCASE";
    if (has_column(columns, "alert_type")) {
        where +=
            " AND (trim(coalesce(alert_type, '')) = '' OR ((alert_type LIKE '%attack%' OR alert_type LIKE "
            "'%ddos%') "
            "AND alert_type NOT LIKE '%l7%' AND alert_type NOT LIKE '%http%'))";
    }
    if (has_column(columns, "raw_payload")) {
        where += " AND coalesce(raw_payload, '') NOT LIKE '%ALERT_STATE_EVENT_END%'";
    }
    return where;
}

struct Counts {
    std::uint64_t total = 0;
    std::uint64_t this_month = 0;
};

Result<Counts> read_counts(Result<Query> query) {
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    return Counts{static_cast<std::uint64_t>(query->integer(0)),
                  static_cast<std::uint64_t>(query->integer(1))};
}

Result<std::optional<LastAttack>> read_last(Result<Query> query) {
    if (!query) return query.error();
    const Result<bool> row = query->step();
    if (!row) return row.error();
    if (!*row) return std::optional<LastAttack>{};
    return std::optional<LastAttack>{LastAttack{.at = time_at(*query, 0),
                                                .vector = filled(query->peek(1)),
                                                .target = filled(without_length(query->peek(2))),
                                                .megabits_per_second = amount(*query, 3)}};
}

/// From the webhook receiver's table.
Result<AttackHistory> from_attack_events(Database& database, const std::vector<TableColumn>& columns,
                                         WallTime now) {
    const std::string where = attack_rows(columns);
    const auto or_null = [&](std::string_view name) { return has_column(columns, name) ? name : "NULL"; };
    const std::string order = has_column(columns, "id") ? ", id DESC" : "";

    Result<Query> counting = database.prepare(fmt::format(
        "SELECT count(*), coalesce(sum(coalesce(strftime('%Y-%m', created_at), substr(created_at, 1, 7)) "
        "= ?1), 0) FROM attack_events WHERE {}",
        where));
    if (counting) counting->text(1, month_of(now));
    const Result<Counts> counts = read_counts(std::move(counting));
    if (!counts) return counts.error();
    Result<std::optional<LastAttack>> last = read_last(database.prepare(fmt::format(
        "SELECT created_at, {}, {}, {} FROM attack_events WHERE {} ORDER BY julianday(created_at) DESC{} "
        "LIMIT 1",
        or_null("attack_vector"), or_null("target_ip"), or_null("megabits_per_second"), where, order)));
    if (!last) return last.error();
    return AttackHistory{.attacks_total = counts->total,
                         .attacks_this_month = counts->this_month,
                         .mitigations = 0,
                         .last = std::move(*last)};
}

/// From our own table: an attack is a distinct attack id.
Result<AttackHistory> from_events(Database& database, WallTime now) {
    const std::string month = month_of(now);
    Result<Query> counting = database.prepare(
        "SELECT (SELECT count(DISTINCT attack_id) FROM network_analytics_events WHERE attack_id <> ''), "
        "(SELECT count(DISTINCT attack_id) FROM network_analytics_events WHERE attack_id <> '' AND "
        "event_datetime >= ?1 AND event_datetime < ?1 || '~')");
    if (counting) counting->text(1, month);
    const Result<Counts> counts = read_counts(std::move(counting));
    if (!counts) return counts.error();
    Result<std::optional<LastAttack>> last = read_last(database.prepare(
        "SELECT event_datetime, attack_vector, destination_ip, NULL FROM network_analytics_events "
        "WHERE attack_id <> '' ORDER BY event_datetime DESC, id DESC LIMIT 1"));
    if (!last) return last.error();
    return AttackHistory{.attacks_total = counts->total,
                         .attacks_this_month = counts->this_month,
                         .mitigations = 0,
                         .last = std::move(*last)};
}

}  // namespace

Result<AttackHistory> SqliteStore::attack_history(WallTime now) {
    if (Status ready = state_->ready_to_read(); !ready) return ready.error();
    Database& database = *state_->database;
    const Result<bool> has_events = state_->has_table(kEventTable);
    if (!has_events) return has_events.error();
    Result<std::vector<TableColumn>> columns = columns_of(database, "attack_events");
    // kInternal: a view whose tables are gone has no columns to tell.
    if (!columns && columns.error().code == ErrorCode::kInternal) columns = std::vector<TableColumn>{};
    if (!columns) return columns.error();

    Result<AttackHistory> history = AttackHistory{};
    const bool kept_for_us = has_column(*columns, "event_type") && has_column(*columns, "created_at");
    if (kept_for_us) history = from_attack_events(database, *columns, now);
    // kCorrupt: a view of that name that does not work any more.
    const bool unusable = !kept_for_us || (!history && history.error().code == ErrorCode::kCorrupt);
    if (unusable && *has_events) history = from_events(database, now);
    if (!history || !*has_events) return history;
    const auto mitigations = database.integer("SELECT count(*) FROM network_analytics_events");
    if (!mitigations) return mitigations.error();
    history->mitigations = static_cast<std::uint64_t>(mitigations->value_or(0));
    return history;
}

}  // namespace cam::store
