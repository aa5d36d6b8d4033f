#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/model/attack.h"
#include "cam/model/prefix.h"
#include "sqlite_database.h"

namespace cam::store {

/// What grouping needs of one stored event. Views are valid during the call that hands it over.
struct AttackRow {
    std::int64_t id = 0;
    std::string_view datetime = {};  ///< empty: none
    std::string_view attack_id = {}, vector = {}, rule_name = {}, rule_id = {}, source = {}, destination = {};
    std::uint64_t packets = 0;
    std::uint64_t bits = 0;
    // Only of one attack's events; else empty.
    std::string_view destination_port = {}, protocol = {}, colo_code = {}, colo_country = {}, source_asn = {},
                     source_asn_name = {}, source_country = {};
};

/// Which dated events are read.
struct RowRange {
    std::optional<WallTime> since = {}, until = {};
    std::optional<std::string> vector = {};
    std::optional<Prefix> prefix = {};
};

/// Hands over the events of the range, newest first, of which at most SqliteStore::kMostGrouped are looked
/// at. The answer is the datetime of the last that was looked at if there are more; else none. Without the
/// table: no event.
Result<std::optional<WallTime>> each_row(Database& database, const RowRange& range,
                                         const std::function<void(const AttackRow&)>& take);
/// The same for all events of one attack, the last claimed first, dated or not. kNotFound.
Result<std::optional<WallTime>> each_row_of(Database& database, std::string_view attack_id,
                                            const std::function<void(const AttackRow&)>& take);

/// Which attack an event belongs to: its attack id, or one made of target, vector and rule. Same as the
/// messages group (rules::group_by_attack).
[[nodiscard]] std::string attack_id_of(const AttackRow& row);
/// Empty for what Cloudflare writes when there is nothing.
[[nodiscard]] std::string_view known(std::string_view text);

/// Saturates.
void add(DroppedVolume& sum, const AttackRow& row);

}  // namespace cam::store
