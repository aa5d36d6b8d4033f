#pragma once

#include <cstdint>
#include <optional>

#include "cam/model/flow_record.h"
#include "decode/column.h"

namespace cam::decode {

/// A place in a flow record that fields of a template compete for.
enum class Slot : std::uint8_t {
    kSection,
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
    kSource6,  ///< in front of IPv4, which wins where a record has both
    kSource4,
    kDestination6,
    kDestination4,
    kNextHop6,
    kNextHop4,
    kBgpNextHop6,
    kBgpNextHop4,
    kStart,
    kEnd,
    kSourceMask,
    kDestinationMask,
    kTtl,
    kIcmp,
    kIcmpCode,
    kSourceMac,
    kDestinationMac,
    kSourceVlan,
    kDestinationVlan,
    kEtherType,
    kFragmentId,
    kFragmentOffset,
    kIpv6FlowLabel,
    kForwardingStatus,
    kDirection,
    kMplsLabel,
    kSampler,
    kProbability,  ///< rates run in this order; the last one that tells a rate wins
    kPopulation,   ///< with kSampleSize
    kSampleSize,
    kPacketSpace,  ///< with kPacketInterval
    kPacketInterval,
    kRandomInterval,
    kInterval,
    kBoot,  ///< with uptimes in kStart and kEnd
};
inline constexpr std::size_t kSlotCount = 47;

/// What an information element is to us.
struct Element {
    Slot slot;
    ColumnKind kind;
    std::uint8_t rank;               ///< 0 is best; of equals the template's first field wins
    std::optional<FlowField> field;  ///< that it makes present
};

/// nullopt for elements whose values we do not use; they are skipped by their length. `id` is an element of
/// IANA's registry; the field types of NetFlow v9 below 128 are the same.
[[nodiscard]] std::optional<Element> element_of(std::uint16_t id);

}  // namespace cam::decode
