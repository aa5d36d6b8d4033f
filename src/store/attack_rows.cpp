#include "attack_rows.h"

#include <limits>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/model/mitigation_event.h"
#include "cam/store/sqlite_store.h"
#include "event_rows.h"

namespace cam::store {
namespace {

constexpr std::string_view kUnnamed = "unnamed-";
constexpr std::size_t kUnnamedDigits = 16;

constexpr std::string_view kColumns =
    "rowid, event_datetime, attack_id, attack_vector, rule_name, rule_id, source_ip, destination_ip, "
    "packets, "
    "bits";
constexpr std::string_view kMoreColumns =
    ", destination_port, protocol, colo_code, colo_country, source_asn, source_asn_name, source_country";

AttackRow row_at(const Query& query) {
    return {.id = query.integer(0),
            .datetime = query.peek(1),
            .attack_id = query.peek(2),
            .vector = query.peek(3),
            .rule_name = query.peek(4),
            .rule_id = query.peek(5),
            .source = query.peek(6),
            .destination = query.peek(7),
            .packets = query.count(8),
            .bits = query.count(9)};
}

bool fits(const RowRange& range, const AttackRow& row) {
    if (range.vector && row.vector != *range.vector) return false;
    if (!range.prefix) return true;
    const auto destination = IpAddress::parse(row.destination);
    return destination && range.prefix->contains(*destination);
}

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return a > kMost - b ? kMost : a + b;
}

/// `SELECT …` whose last parameter is the limit.
Result<Query> select_of(Database& database, std::string_view attack_id) {
    const std::string_view named =
        "SELECT {}{} FROM network_analytics_events WHERE attack_id = ?1 ORDER BY rowid DESC LIMIT ?2";
    const std::string_view unnamed =
        "SELECT {}{} FROM network_analytics_events WHERE (attack_id IS NULL OR attack_id IN ('', 'Unknown')) "
        "AND ?1 <> '' ORDER BY rowid DESC LIMIT ?2";
    const bool is_unnamed = attack_id.starts_with(kUnnamed);
    Result<Query> query =
        database.query(fmt::format(fmt::runtime(is_unnamed ? unnamed : named), kColumns, kMoreColumns));
    if (query) query->view(1, attack_id).number(2, std::int64_t{SqliteStore::kMostGrouped} + 1);
    return query;
}

}  // namespace

std::string_view known(std::string_view text) {
    return text == "Unknown" ? std::string_view{} : text;
}

std::string attack_id_of(const AttackRow& row) {
    const std::string_view id = known(row.attack_id);
    if (!id.empty()) return std::string(id);
    const auto target = IpAddress::parse(row.destination);
    const std::string_view rule = known(row.rule_id).empty() ? known(row.rule_name) : known(row.rule_id);
    const EventHash hash =
        event_hash("unnamed", target ? target->text() : std::string(known(row.destination)),
                   known(row.vector), rule, "");
    return std::string(kUnnamed) + hex(hash).substr(0, kUnnamedDigits);
}

void add(DroppedVolume& sum, const AttackRow& row) {
    sum.packets = saturating_sum(sum.packets, row.packets);
    sum.bits = saturating_sum(sum.bits, row.bits);
    ++sum.events;
}

Result<std::optional<WallTime>> each_row(Database& database, const RowRange& range,
                                         const std::function<void(const AttackRow&)>& take) {
    static const std::string kSql = fmt::format(
        "SELECT {} FROM network_analytics_events WHERE event_datetime >= ?1 AND event_datetime < ?2 ORDER BY "
        "event_datetime DESC, rowid DESC LIMIT ?3",
        kColumns);
    Result<Query> query = database.query(kSql);
    if (!query) return query.error();
    query->text(1, range.since ? first_datetime(*range.since) : "")
        .text(2, range.until ? first_datetime(*range.until) : "~")
        .number(3, std::int64_t{SqliteStore::kMostGrouped} + 1);
    for (std::uint32_t looked_at = 0;; ++looked_at) {
        const Result<bool> more = query->step();
        if (!more) return more.error();
        if (!*more) return std::optional<WallTime>{};
        const AttackRow row = row_at(*query);
        if (looked_at == SqliteStore::kMostGrouped) return parse_time(row.datetime);
        if (fits(range, row)) take(row);
    }
}

Result<std::optional<WallTime>> each_row_of(Database& database, std::string_view attack_id,
                                            const std::function<void(const AttackRow&)>& take) {
    const bool is_unnamed = attack_id.starts_with(kUnnamed);
    Result<Query> query = select_of(database, attack_id);
    if (!query) return query.error();
    bool found = false;
    for (std::uint32_t looked_at = 0;; ++looked_at) {
        const Result<bool> more = query->step();
        if (!more) return more.error();
        if (!*more) break;
        AttackRow row = row_at(*query);
        if (looked_at == SqliteStore::kMostGrouped) return parse_time(row.datetime);
        if (is_unnamed && attack_id_of(row) != attack_id) continue;
        found = true;
        int column = 10;
        for (std::string_view* text :
             {&row.destination_port, &row.protocol, &row.colo_code, &row.colo_country, &row.source_asn,
              &row.source_asn_name, &row.source_country}) {
            *text = query->peek(column++);
        }
        take(row);
    }
    if (found) return std::optional<WallTime>{};
    return Error{ErrorCode::kNotFound, "no event belongs to such an attack"};
}

}  // namespace cam::store
