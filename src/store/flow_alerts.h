#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cam/base/result.h"
#include "cam/model/alert.h"
#include "sqlite_database.h"

namespace cam::store {

/// The columns that alert_at() reads, in its order.
constexpr std::string_view kAlertColumns =
    "id, rule_id, rule_name, type, scope, prefixes, started_at, raised_at, ended_at, end_reason, metric, "
    "value, threshold, traffic_class, baseline, peak_bits_per_second, peak_packets_per_second, "
    "current_bits_per_second, current_packets_per_second, spread, zscore_target";
/// kCorrupt names the alert and the column that cannot be read.
Result<Alert> alert_at(Database& database, const Query& row);

/// What an alert is about: its prefix, or `all` for the prefixes of a rule summed.
[[nodiscard]] std::string target_of(const Alert& alert);

/// The active alert of the same rule and target.
Result<std::optional<Alert>> find_active(Database& database, const Alert& alert);
/// Whether an alert of the same rule, target and start is there, active or over.
Result<bool> is_known(Database& database, const Alert& alert);
/// Writes a new alert, `alert.id` included. Inside the caller's transaction.
Status insert_alert(Database& database, const Alert& alert);
/// Peak and current, if the alert is active.
Status update_alert(Database& database, const Alert& alert);
/// True if the alert was active until now.
Result<bool> end_alert(Database& database, const Alert& alert);

}  // namespace cam::store
