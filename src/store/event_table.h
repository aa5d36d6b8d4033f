#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/result.h"
#include "sqlite_database.h"

namespace cam::store {

constexpr std::string_view kEventTable = "network_analytics_events";

/// A column of network_analytics_events as the contract wants it.
struct EventColumn {
    std::string_view name;
    std::string_view type;
    std::string_view constraint;
};

/// In the order of the contract: the 21 of the Python monitor's CREATE TABLE, then those its v1.3.6 added.
constexpr std::array<EventColumn, 24> kEventColumns{{
    {"id", "INTEGER", "PRIMARY KEY AUTOINCREMENT"},
    {"event_hash", "TEXT", "UNIQUE NOT NULL"},
    {"attack_id", "TEXT", ""},
    {"event_datetime", "DATETIME", ""},
    {"attack_vector", "TEXT", ""},
    {"rule_name", "TEXT", ""},
    {"rule_id", "TEXT", ""},
    {"source_ip", "TEXT", ""},
    {"source_port", "INTEGER", ""},
    {"destination_ip", "TEXT", ""},
    {"destination_port", "INTEGER", ""},
    {"protocol", "TEXT", ""},
    {"tcp_flags", "TEXT", ""},
    {"colo_code", "TEXT", ""},
    {"colo_country", "TEXT", ""},
    {"packets", "INTEGER", ""},
    {"bits", "INTEGER", ""},
    {"outcome", "TEXT", ""},
    {"mitigation_reason", "TEXT", ""},
    {"notified_at", "DATETIME", "DEFAULT CURRENT_TIMESTAMP"},
    {"raw_data", "JSON", ""},
    {"source_asn", "INTEGER", ""},
    {"source_asn_name", "TEXT", ""},
    {"source_country", "TEXT", ""},
}};

/// A column as a table has it now.
struct TableColumn {
    std::string name;
    std::string type;
    std::string default_value;  ///< SQL; empty: none
    bool not_null = false;
    bool primary_key = false;
    bool generated = false;
};

/// The columns of a table or view; empty if there is none of that name.
Result<std::vector<TableColumn>> columns_of(Database& database, std::string_view table);
/// Names of SQL objects compare without regard to ASCII case.
[[nodiscard]] bool same_name(std::string_view a, std::string_view b);
[[nodiscard]] bool has_column(const std::vector<TableColumn>& columns, std::string_view name);

/// Creates network_analytics_events, or brings one that somebody else made to the contract's shape without
/// losing a row, a foreign column, an index or a trigger. Inside the caller's transaction.
Status adopt_event_table(Database& database);

}  // namespace cam::store
