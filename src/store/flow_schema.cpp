#include "flow_schema.h"

#include <cstddef>

#include <spdlog/fmt/fmt.h>

namespace cam::store {
namespace {

/// Times are as in the other tables. Lists of prefixes are JSON arrays, for json_each. IF NOT EXISTS: a file
/// restored from `.dump` has the tables, but user_version 0.
constexpr std::array<std::string_view, 7> kRulesAndAlerts{
    "CREATE TABLE IF NOT EXISTS flow_routers (\n"
    "    id TEXT PRIMARY KEY NOT NULL,\n"
    "    name TEXT NOT NULL,\n"
    "    address TEXT UNIQUE NOT NULL,\n"
    "    default_sampling INTEGER NOT NULL DEFAULT 0,\n"
    "    created_at DATETIME NOT NULL,\n"
    "    updated_at DATETIME NOT NULL\n"
    ")",
    "CREATE TABLE IF NOT EXISTS flow_rules (\n"
    "    id TEXT PRIMARY KEY NOT NULL,\n"
    "    name TEXT NOT NULL,\n"
    "    type TEXT NOT NULL,\n"
    "    scope TEXT NOT NULL DEFAULT 'per_prefix',\n"
    "    prefixes JSON NOT NULL,\n"
    "    bandwidth_threshold INTEGER,\n"
    "    packet_threshold INTEGER,\n"
    "    duration_minutes INTEGER NOT NULL DEFAULT 1,\n"
    "    zscore_sensitivity TEXT,\n"
    "    zscore_target TEXT,\n"
    "    created_at DATETIME NOT NULL,\n"
    "    updated_at DATETIME NOT NULL\n"
    ")",
    "CREATE TABLE IF NOT EXISTS flow_alerts (\n"
    "    id TEXT PRIMARY KEY NOT NULL,\n"
    "    rule_id TEXT NOT NULL,\n"
    "    rule_name TEXT NOT NULL,\n"
    "    type TEXT NOT NULL,\n"
    "    scope TEXT NOT NULL,\n"
    "    target TEXT NOT NULL,\n"
    "    started_at DATETIME NOT NULL,\n"
    "    raised_at DATETIME NOT NULL,\n"
    "    ended_at DATETIME,\n"
    "    end_reason TEXT NOT NULL DEFAULT '',\n"
    "    metric TEXT NOT NULL,\n"
    "    value REAL NOT NULL,\n"
    "    threshold REAL NOT NULL,\n"
    "    traffic_class TEXT NOT NULL DEFAULT 'all',\n"
    "    baseline REAL,\n"
    "    peak_bits_per_second REAL NOT NULL,\n"
    "    peak_packets_per_second REAL NOT NULL,\n"
    "    current_bits_per_second REAL NOT NULL,\n"
    "    current_packets_per_second REAL NOT NULL,\n"
    "    prefixes JSON NOT NULL\n"
    ")",
    "CREATE UNIQUE INDEX IF NOT EXISTS idx_flow_alerts_active ON flow_alerts(rule_id, target) "
    "WHERE ended_at IS NULL",
    "CREATE INDEX IF NOT EXISTS idx_flow_alerts_started ON flow_alerts(started_at)",
    "CREATE INDEX IF NOT EXISTS idx_flow_alerts_rule ON flow_alerts(rule_id, started_at)",
    "CREATE INDEX IF NOT EXISTS idx_flow_alerts_ended ON flow_alerts(ended_at) WHERE ended_at IS NOT NULL",
};

/// Minutes are numbers, minutes since 1970: a row of flow_minutes is about a hundred bytes, and there are
/// many. WITHOUT ROWID in the order of time: a new minute is appended, an old one goes in one piece.
constexpr std::array<std::string_view, 5> kTraffic{
    "CREATE TABLE IF NOT EXISTS flow_prefixes (id INTEGER PRIMARY KEY AUTOINCREMENT, prefix TEXT UNIQUE NOT "
    "NULL)",
    "CREATE TABLE IF NOT EXISTS flow_collected_minutes (\n"
    "    minute INTEGER PRIMARY KEY,\n"
    "    from_ms INTEGER NOT NULL,\n"
    "    to_ms INTEGER NOT NULL,\n"
    "    covered_ms INTEGER NOT NULL\n"
    ")",
    "CREATE TABLE IF NOT EXISTS flow_contributors (\n"
    "    minute INTEGER NOT NULL,\n"
    "    prefix_id INTEGER NOT NULL,\n"
    "    facet INTEGER NOT NULL,\n"
    "    key TEXT NOT NULL,\n"
    "    bytes INTEGER NOT NULL,\n"
    "    packets INTEGER NOT NULL,\n"
    "    flows INTEGER NOT NULL,\n"
    "    PRIMARY KEY (minute, prefix_id, facet, key)\n"
    ") WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS flow_decoder_state (\n"
    "    exporter TEXT PRIMARY KEY NOT NULL,\n"
    "    saved_at DATETIME NOT NULL,\n"
    "    seen_at DATETIME NOT NULL,\n"
    "    bytes BLOB NOT NULL\n"
    ")",
    "CREATE INDEX IF NOT EXISTS idx_flow_decoder_state_seen ON flow_decoder_state(seen_at)",
};

/// Of one minute, as a rate of whole units. A real number on the way: eight times 2^63 is no integer.
std::string rate(std::string_view column, unsigned times) {
    return fmt::format("CAST(m.{} * {}.0 / 60 AS INTEGER)", column, times);
}

TrafficClass class_at(std::size_t index) {
    return static_cast<TrafficClass>(index);
}

// The columns are those of version 2 for good.
static_assert(kTrafficClassCount == 10, "a new class needs a migration that adds its columns");

std::string minutes_table() {
    std::string sql =
        "CREATE TABLE IF NOT EXISTS flow_minutes (\n    minute INTEGER NOT NULL,\n    prefix_id INTEGER NOT "
        "NULL";
    for (std::size_t i = 0; i < kTrafficClassCount; ++i) {
        for (const std::string_view property : kVolumeProperties) {
            sql += fmt::format(",\n    {} INTEGER NOT NULL DEFAULT 0", volume_column(class_at(i), property));
        }
    }
    return sql += ",\n    PRIMARY KEY (minute, prefix_id)\n) WITHOUT ROWID";
}

std::string traffic_view() {
    std::string sql =
        "CREATE VIEW IF NOT EXISTS flow_traffic AS SELECT datetime(m.minute * 60, 'unixepoch') AS time, "
        "m.minute AS minute, p.prefix AS prefix";
    for (std::size_t i = 0; i < kTrafficClassCount; ++i) {
        sql += fmt::format(",\n    {} AS {}", rate(volume_column(class_at(i), "bytes"), 8),
                           volume_column(class_at(i), "bits_per_second"));
        sql += fmt::format(",\n    {} AS {}", rate(volume_column(class_at(i), "packets"), 1),
                           volume_column(class_at(i), "packets_per_second"));
    }
    return sql += "\n    FROM flow_minutes AS m JOIN flow_prefixes AS p ON p.id = m.prefix_id";
}

std::string contributors_view() {
    std::string facets = "CASE m.facet";
    for (std::size_t i = 0; i < kTrafficFacetCount; ++i) {
        facets += fmt::format(" WHEN {} THEN '{}'", i, name(static_cast<TrafficFacet>(i)));
    }
    return fmt::format(
        "CREATE VIEW IF NOT EXISTS flow_top AS SELECT datetime(m.minute * 60, 'unixepoch') AS time, m.minute "
        "AS minute, p.prefix AS prefix, {} END AS facet, m.key AS key, {} AS bits_per_second, {} AS "
        "packets_per_second, m.bytes AS bytes, m.packets AS packets, m.flows AS flows\n"
        "    FROM flow_contributors AS m JOIN flow_prefixes AS p ON p.id = m.prefix_id",
        facets, rate("bytes", 8), rate("packets", 1));
}

/// So that a change is seen whoever makes it, an operator with `sqlite3` too.
std::string generation_trigger(std::string_view table, std::string_view event) {
    return fmt::format(
        "CREATE TRIGGER IF NOT EXISTS {}_{} AFTER {} ON {} BEGIN\n"
        "    INSERT INTO monitor_state (key, value, updated_at) VALUES ('flow_generation', '1', "
        "strftime('%Y-%m-%d %H:%M:%f', 'now'))\n"
        "    ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1, updated_at = "
        "excluded.updated_at;\nEND",
        table, event, event, table);
}

}  // namespace

std::string volume_column(TrafficClass traffic_class, std::string_view property) {
    if (traffic_class == TrafficClass::kAll) return std::string(property);
    return fmt::format("{}_{}", name(traffic_class), property);
}

Status create_flow_tables(Database& database) {
    for (const std::string_view sql : kRulesAndAlerts) {
        if (Status made = database.run(sql); !made) return made;
    }
    for (const std::string_view sql : kTraffic) {
        if (Status made = database.run(sql); !made) return made;
    }
    for (const std::string& sql : {minutes_table(), traffic_view(), contributors_view()}) {
        if (Status made = database.run(sql); !made) return made;
    }
    for (const std::string_view table : {"flow_routers", "flow_rules"}) {
        for (const std::string_view event : {"insert", "update", "delete"}) {
            if (Status made = database.run(generation_trigger(table, event)); !made) return made;
        }
    }
    return Done{};
}

}  // namespace cam::store
