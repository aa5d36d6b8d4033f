#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/ip_address.h"
#include "cam/model/maybe_text.h"

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

/// One record that Cloudflare reports as mitigated. Texts are as Cloudflare sent them, a missing or null one
/// is none; they lie in `memory`. `packets` and `bits` are Cloudflare's estimates: samples times their
/// interval.
struct MitigationEvent {
    EventHash hash{};
    MaybeText datetime;
    std::optional<WallTime> time;  ///< `datetime`, where it could be read
    MaybeText attack_id;
    MaybeText attack_vector;
    MaybeText rule_name;
    MaybeText rule_id;
    MaybeText source_ip;
    std::optional<IpAddress> source;  ///< `source_ip`, where it is an address
    std::optional<std::uint32_t> source_port;
    MaybeText destination_ip;
    std::optional<IpAddress> destination;  ///< `destination_ip`, where it is an address
    std::optional<std::uint32_t> destination_port;
    MaybeText protocol;
    MaybeText tcp_flags;
    MaybeText colo_code;
    MaybeText colo_country;
    MaybeText colo_city;
    MaybeText outcome;
    MaybeText verdict;
    MaybeText direction;
    MaybeText mitigation_reason;
    std::optional<std::uint32_t> source_asn;
    MaybeText source_asn_name;
    MaybeText source_country;
    std::optional<std::uint64_t> packets;
    std::optional<std::uint64_t> bits;
    std::string_view raw{};  ///< the event's JSON, byte for byte as Cloudflare sent it
    /// Keeps the texts and `raw` alive: the answer's body, which all events of the answer own together. Null
    /// if they belong to somebody who outlives the event.
    std::shared_ptr<const void> memory{};
};

/// Gives these events memory of their own with nothing else in it, so that the rest of their answer can go.
void store_apart(std::vector<MitigationEvent>& events);

/// A half-open span of wall time: `from` <= t < `to`.
struct TimeWindow {
    WallTime from;
    WallTime to;
    [[nodiscard]] std::chrono::milliseconds length() const { return to - from; }
    friend bool operator==(const TimeWindow&, const TimeWindow&) = default;
};

}  // namespace cam
