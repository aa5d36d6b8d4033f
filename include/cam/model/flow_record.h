#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <type_traits>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/ip_address.h"
#include "cam/model/sampling_rate.h"

namespace cam {

/// The fields that a flow record may lack. What is not present is unknown, whatever its member holds.
enum class FlowField : std::uint8_t {
    kSource,
    kDestination,
    kSourcePort,
    kDestinationPort,
    kProtocol,
    kBytes,
    kPackets,
    kTcpFlags,
    kInputInterface,
    kOutputInterface,
    kSourceAs,
    kDestinationAs,
    kStart,
    kEnd,
    kTos,
    kTtl,
    kIcmp,  ///< type and code
    kSourceMask,
    kDestinationMask,
    kNextHop,
    kBgpNextHop,
    kSourceMac,
    kDestinationMac,
    kSourceVlan,
    kDestinationVlan,
    kEtherType,
    kFragment,  ///< identification, offset or both
    kIpv6FlowLabel,
    kForwardingStatus,
    kDirection,
    kMplsLabel,  ///< top of the stack
    kSampler,
    kOtherBytes,    ///< no kBytes, yet `bytes` tells the volume: a total, an initiator's count, a frame's
                    ///< length
    kOtherPackets,  ///< the same of `packets`
};

/// Which fields are present. A value type.
class FlowFields {
public:
    constexpr FlowFields() = default;
    constexpr FlowFields(std::initializer_list<FlowField> fields) {
        for (const FlowField field : fields) add(field);
    }
    constexpr void add(FlowField field) noexcept { bits_ |= bit(field); }
    constexpr void add(FlowFields fields) noexcept { bits_ |= fields.bits_; }
    constexpr void remove(FlowField field) noexcept { bits_ &= ~bit(field); }
    [[nodiscard]] constexpr bool has(FlowField field) const noexcept { return (bits_ & bit(field)) != 0; }
    friend constexpr bool operator==(FlowFields, FlowFields) = default;

private:
    static constexpr std::uint64_t bit(FlowField field) noexcept {
        return std::uint64_t{1} << static_cast<unsigned>(field);
    }
    std::uint64_t bits_ = 0;
};

/// Bits of `tcp_flags`; FIN to CWR are the low byte of the TCP header's flags (RFC 9293), NS the next.
namespace tcp {
inline constexpr std::uint16_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20;
}

/// One decoded flow, or one sampled packet of sFlow: *observed* counts and the rate they were sampled with.
/// Numbers are in host order. No owner of anything, so a batch of them is one block of memory. A value type.
struct FlowRecord {
    FlowFields fields;
    /// Observed, of layer 3; of an sFlow sample the length of its frame. What counting adds up: 0 if unknown.
    /// With kBytes the exporter's delta counter (element 1), with kOtherBytes what stands in for it.
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;  ///< observed; likewise
    SamplingRate sampling = SamplingRate::every();
    SamplingSource sampling_source = SamplingSource::kNone;  ///< kNone: the rate is not told, and is 1
    ExportProtocol export_protocol = ExportProtocol::kNetflow5;
    std::uint8_t protocol = 0;  ///< IANA protocol number
    std::uint8_t tos = 0;       ///< IPv4 TOS or IPv6 traffic class
    std::uint32_t domain = 0;   ///< observation domain, source id, v5 engine, sFlow sub-agent
    IpAddress source = IpAddress::v4({});
    IpAddress destination = IpAddress::v4({});
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint16_t tcp_flags = 0;
    std::uint16_t ether_type = 0;
    std::uint32_t input_interface = 0;
    std::uint32_t output_interface = 0;
    std::uint32_t source_as = 0;
    std::uint32_t destination_as = 0;
    WallTime start{};  ///< by the exporter's clock; never decides which minute the flow counts in
    WallTime end{};

    // What the counting does not look at.
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    std::uint8_t ttl = 0;
    std::uint8_t source_mask = 0;
    std::uint8_t destination_mask = 0;
    std::uint8_t forwarding_status = 0;
    std::uint8_t direction = 0;  ///< 0 ingress, 1 egress (IPFIX element 61)
    std::uint16_t source_vlan = 0;
    std::uint16_t destination_vlan = 0;
    std::uint16_t fragment_offset = 0;
    std::uint32_t fragment_id = 0;
    std::uint32_t ipv6_flow_label = 0;
    std::uint32_t mpls_label = 0;
    std::uint64_t sampler = 0;  ///< sampler, selector id or sFlow data source
    IpAddress next_hop = IpAddress::v4({});
    IpAddress bgp_next_hop = IpAddress::v4({});
    std::array<std::uint8_t, 6> source_mac{};
    std::array<std::uint8_t, 6> destination_mac{};

    [[nodiscard]] bool has(FlowField field) const noexcept { return fields.has(field); }
};
static_assert(std::is_trivially_copyable_v<FlowRecord>);

}  // namespace cam
