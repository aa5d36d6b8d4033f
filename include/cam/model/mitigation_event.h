#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/model/ip_address.h"

namespace cam {

/// SHA-256 that identifies an event over polls and restarts; see `event_hash`.
using EventHash = std::array<std::uint8_t, 32>;

/// The contract's identity of an event (section 3): SHA-256 of `datetime|attackId|ipSourceAddress|
/// ipDestinationAddress|destinationPort`. Each part is the text Cloudflare sent, `None` for missing or null.
[[nodiscard]] EventHash event_hash(std::string_view datetime, std::string_view attack_id,
                                   std::string_view source, std::string_view destination,
                                   std::string_view destination_port);
/// 64 lower-case hex digits. The Python monitor stored the first 32 of them.
[[nodiscard]] std::string hex(const EventHash& hash);

/// One record that Cloudflare reports as mitigated. Texts are as Cloudflare sent them; a missing or null one
/// is nullopt. `packets` and `bits` are Cloudflare's estimates: samples times their interval.
struct MitigationEvent {
    EventHash hash{};
    std::optional<std::string> datetime;
    std::optional<WallTime> time;  ///< `datetime`, where it could be read
    std::optional<std::string> attack_id;
    std::optional<std::string> attack_vector;
    std::optional<std::string> rule_name;
    std::optional<std::string> rule_id;
    std::optional<std::string> source_ip;
    std::optional<IpAddress> source;  ///< `source_ip`, where it is an address
    std::optional<std::uint32_t> source_port;
    std::optional<std::string> destination_ip;
    std::optional<IpAddress> destination;  ///< `destination_ip`, where it is an address
    std::optional<std::uint32_t> destination_port;
    std::optional<std::string> protocol;
    std::optional<std::string> tcp_flags;
    std::optional<std::string> colo_code;
    std::optional<std::string> colo_country;
    std::optional<std::string> colo_city;
    std::optional<std::string> outcome;
    std::optional<std::string> verdict;
    std::optional<std::string> direction;
    std::optional<std::string> mitigation_reason;
    std::optional<std::uint32_t> source_asn;
    std::optional<std::string> source_asn_name;
    std::optional<std::string> source_country;
    std::optional<std::uint64_t> packets;
    std::optional<std::uint64_t> bits;
    std::string raw;  ///< the event's JSON, byte for byte as Cloudflare sent it
};

/// A half-open span of wall time: `from` <= t < `to`.
struct TimeWindow {
    WallTime from;
    WallTime to;
    [[nodiscard]] std::chrono::milliseconds length() const { return to - from; }
    friend bool operator==(const TimeWindow&, const TimeWindow&) = default;
};

}  // namespace cam
