#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "cam/model/flow_record.h"
#include "decode/template_field.h"

namespace cam::decode {

/// What the value of a column is.
enum class ColumnKind : std::uint8_t {
    kBytes,
    kPackets,
    kProtocol,
    kTos,
    kTcpFlags,
    kSourcePort,
    kDestinationPort,
    kInputInterface,
    kOutputInterface,
    kSourceAs,
    kDestinationAs,
    kSourceMask,
    kDestinationMask,
    kTtl,
    kIcmpType,
    kIcmpCode,
    kIcmpTypeAndCode,
    kSourceVlan,
    kDestinationVlan,
    kEtherType,
    kFragmentId,
    kFragmentOffset,
    kIpv6FlowLabel,
    kForwardingStatus,
    kDirection,
    kSampler,
    kMplsLabel,
    kSource4,
    kSource6,
    kDestination4,
    kDestination6,
    kNextHop4,
    kNextHop6,
    kBgpNextHop4,
    kBgpNextHop6,
    kSourceMac,
    kDestinationMac,
    kStartUptime,  ///< milliseconds of the exporter's uptime
    kEndUptime,
    kStartUptimeSince,  ///< pair: uptime, when it began (milliseconds since 1970)
    kEndUptimeSince,
    kStartSeconds,
    kEndSeconds,
    kStartMilliseconds,
    kEndMilliseconds,
    kStartNtp,  ///< 64 bits of NTP's format (RFC 7011 6.1.9)
    kEndNtp,
    kStartBefore,  ///< microseconds before the export
    kEndBefore,
    kEndByDuration,  ///< milliseconds after the start; runs behind it
    kEndByDurationMicroseconds,
    kRateProbability,  ///< a float64, or a float32
    kRatePopulation,   ///< pair: size, population
    kRatePacketSpace,  ///< pair: interval, space
    kRateInterval,     ///< one packet in n
    kFrameSection,     ///< the beginning of an Ethernet frame
    kIpSection,        ///< the beginning of an IP packet
};

/// Whether an address of IPv4 gives way to the one of IPv6 that its record also has, where it is 0.0.0.0.
enum class WhenZero : std::uint8_t { kTake, kLeave };

/// Some records of one layout that lie one behind the other, and where they go. Whoever builds this has
/// checked that `count` records of `stride` bytes lie at `first`.
struct Rows {
    const std::uint8_t* first = nullptr;
    std::size_t stride = 0;  ///< bytes from one record to the next
    FlowRecord* out = nullptr;
    std::size_t count = 0;
    const SetContext* context = nullptr;
};

/// One field of a layout: where it lies in each record, and the loop that moves it into the flow records. A
/// set is decoded column by column, so that what kind of field it is gets decided once per set and not once
/// per record. Whoever builds this has checked that `offset + width` lies inside the record.
struct Column {
    using Run = void (*)(const Column&, const Rows&);
    Run run = nullptr;
    std::uint16_t offset = 0;
    std::uint16_t width = 0;
    std::uint16_t second_offset = 0;  ///< of fields that mean something only together
    std::uint16_t second_width = 0;
    std::uint16_t field = 0;  ///< its place among the template's fields
    std::uint16_t second_field = 0;
    ColumnKind kind = ColumnKind::kBytes;
    WhenZero when_zero = WhenZero::kTake;
    std::optional<FlowField> present;  ///< what a record lacks where this value has an impossible length
};

/// The loop for a kind of field of this width; nullptr if a field of this width cannot hold one (a length of
/// 0, an address of five bytes). kVariableLength: not nullptr where some width can; ask again with the width
/// of each value.
Column::Run column_run(ColumnKind kind, std::uint16_t width, WhenZero when_zero);

}  // namespace cam::decode
