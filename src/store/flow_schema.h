#pragma once

#include <array>
#include <string>
#include <string_view>

#include "cam/base/result.h"
#include "cam/model/traffic.h"
#include "sqlite_database.h"

namespace cam::store {

/// Creates the tables of the flow monitor, as schema version 2 has them. Inside the caller's transaction.
Status create_flow_tables(Database& database);

/// The column of flow_minutes for one property (`bytes`, `packets`, `flows`) of a class: `tcp_syn_packets`;
/// the plain name for kAll.
[[nodiscard]] std::string volume_column(TrafficClass traffic_class, std::string_view property);
inline constexpr std::array<std::string_view, 3> kVolumeProperties{"bytes", "packets", "flows"};

}  // namespace cam::store
