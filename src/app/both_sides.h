#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/traffic_history.h"
#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/model/attack.h"
#include "cam/model/rule.h"
#include "cam/model/traffic_series.h"
#include "cam/store/flow_store.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// The minutes of an attack that are shown, those before it that tell what is usual, and those in which it
/// ran. Half open.
struct AttackSpan {
    MinuteTime usual_from;
    MinuteTime first;  ///< the first minute with an event
    MinuteTime last;   ///< the last
    MinuteTime from;
    MinuteTime to;
    bool is_cut = false;  ///< the attack is longer than what is shown
};
/// At most a day is shown, the latest. None: the attack has no time.
[[nodiscard]] std::optional<AttackSpan> attack_span(const Attack& attack, WallTime now);

/// A prefix whose traffic to the target is measured.
struct WatchedPrefix {
    Prefix prefix;
    std::vector<std::string> rule_ids;
    /// Since when one of these rules has it without a change: a minute of silence after that is zero, one
    /// before may be unknown. None: no rule has it.
    std::optional<WallTime> watched_since;
};
/// The prefixes that cover the address, the longest first: those of rules, and those with stored traffic.
Result<std::vector<WatchedPrefix>> watched_prefixes(store::FlowStore& flows, const IpAddress& target);

/// What arrived in each minute, as far as it is known.
struct ArrivedMinute {
    MinuteTime start;
    std::optional<TrafficRate> rate;
};
Result<std::vector<ArrivedMinute>> arrived_minutes(TrafficHistory& history, const WatchedPrefix& watched,
                                                   MinuteTime from, MinuteTime to);

/// Lays both sides beside each other and fills `minutes`, `usual_bits_per_second` and `leaked_share`.
/// `arrived` holds the minutes from `span.usual_from` on to the attack, and those that are shown.
void compare(const AttackSpan& span, const store::AttackMinutes& dropped,
             const std::vector<ArrivedMinute>& arrived, BothSides& both);

}  // namespace cam::app
