#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/prefix.h"

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
    std::optional<WallTime> until = {};       ///< event_datetime before
    std::optional<std::string> vector = {};   ///< attack_vector is exactly this
    std::optional<Prefix> prefix = {};        ///< destination_ip lies in it
    std::optional<std::string> source = {};   ///< source_ip is exactly this
    std::optional<std::int64_t> cursor = {};  ///< only what comes after the event of this id
};

/// A part of the events that a query asks for.
struct EventPage {
    std::vector<StoredEvent> events;
    /// The cursor of the rest; none: there is no more. A page can be short, even empty, and have a cursor:
    /// what a page looks at is bounded.
    std::optional<std::int64_t> next_cursor;
};

/// All of one event.
struct EventDetail {
    StoredEvent event;
    std::optional<std::string> raw_data;  ///< the JSON that Cloudflare sent, byte for byte
};

}  // namespace cam
