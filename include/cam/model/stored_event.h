#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cam/base/clock.h"

namespace cam {

/// A row of network_analytics_events, column by column; NULL is nullopt.
struct StoredEvent {
    std::int64_t id = 0;
    std::string event_hash;
    std::optional<std::string> attack_id, event_datetime, attack_vector, rule_name, rule_id, source_ip,
        destination_ip, protocol, tcp_flags, colo_code, colo_country, outcome, mitigation_reason, notified_at,
        source_asn_name, source_country;
    std::optional<std::int64_t> source_port, destination_port, packets, bits, source_asn;
};

/// Which stored events a reader wants, newest first.
struct EventQuery {
    std::optional<WallTime> since;  ///< event_datetime at or after
    std::optional<std::string> attack_id;
    std::uint32_t limit = 100;
};

}  // namespace cam
