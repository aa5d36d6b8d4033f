#include "cam/decode/packet_header.h"

#include <algorithm>
#include <cstddef>

#include "decode/fixed_bytes.h"

namespace cam::decode {
namespace {

// Ether types (IEEE 802 numbers).
constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kVlan = 0x8100;          // 802.1Q
constexpr std::uint16_t kProviderVlan = 0x88a8;  // 802.1ad
constexpr std::uint16_t kOldQinq = 0x9100;
constexpr std::uint16_t kOlderQinq = 0x9200;
constexpr std::uint16_t kIpv6 = 0x86dd;
constexpr std::uint16_t kMplsUnicast = 0x8847;
constexpr std::uint16_t kMplsMulticast = 0x8848;
constexpr std::uint16_t kPppoeSession = 0x8864;
constexpr std::uint16_t kSmallestEtherType = 0x0600;  // below, it is a length (IEEE 802.3 3.2.6)

// IANA protocol numbers.
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kDccp = 33;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragmentHeader = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kSctp = 132;
constexpr std::uint8_t kMobility = 135;
constexpr std::uint8_t kUdpLite = 136;
constexpr std::uint8_t kHostIdentity = 139;
constexpr std::uint8_t kShim6 = 140;

constexpr std::uint16_t kMoreFragments = 0x2000;
constexpr std::uint16_t kOffsetMask = 0x1fff;

void read_tcp(ByteReader segment, FlowRecord& record) noexcept {
    constexpr std::uint16_t kFlags = 0x01ff;
    const auto head = take<14>(segment);
    if (!head) return;
    record.tcp_flags = head.u16<12>() & kFlags;
    record.fields.add(FlowField::kTcpFlags);
}

void read_transport(ByteReader payload, FlowRecord& record) noexcept {
    switch (record.protocol) {
        case kIcmp:
        case kIcmpv6: {
            const auto head = take<2>(payload);
            if (!head) return;
            record.icmp_type = head.u8<0>();
            record.icmp_code = head.u8<1>();
            record.fields.add(FlowField::kIcmp);
            return;
        }
        case kTcp:
            read_tcp(payload, record);
            break;
        case kUdp:
        case kUdpLite:
        case kDccp:
        case kSctp:
            break;
        default:
            return;
    }
    const auto ports = take<4>(payload);
    if (!ports) return;
    record.source_port = ports.u16<0>();
    record.destination_port = ports.u16<2>();
    record.fields.add(FlowField::kSourcePort);
    record.fields.add(FlowField::kDestinationPort);
}

/// RFC 791 3.1.
PacketHeader read_ipv4(ByteReader packet, FlowRecord& record) noexcept {
    constexpr std::size_t kHeaderBytes = 20;
    const std::size_t captured = packet.remaining();
    const auto head = take<kHeaderBytes>(packet);
    if (!head) return {};
    const std::uint8_t first = head.u8<0>();
    const std::size_t header_bytes = std::size_t{first & 0x0fU} * 4;
    if (first >> 4U != 4 || header_bytes < kHeaderBytes) return {};
    record.tos = head.u8<1>();
    record.ttl = head.u8<8>();
    record.protocol = head.u8<9>();
    record.source = IpAddress::v4(head.array<12, 4>());
    record.destination = IpAddress::v4(head.array<16, 4>());
    constexpr FlowFields kTold{FlowField::kTos, FlowField::kTtl, FlowField::kProtocol, FlowField::kSource,
                               FlowField::kDestination};
    record.fields.add(kTold);
    PacketHeader told;
    const std::uint16_t total = head.u16<2>();
    if (total != 0) told.length = total;
    const std::uint16_t fragment = head.u16<6>();
    told.more_fragments = (fragment & kMoreFragments) != 0;
    if ((fragment & (kMoreFragments | kOffsetMask)) != 0) {
        record.fragment_id = head.u16<4>();
        record.fragment_offset = fragment & kOffsetMask;
        record.fields.add(FlowField::kFragment);
    }
    // What lies behind the packet's own length is padding of the link, not a transport header.
    const std::size_t end = total == 0 ? captured : std::min<std::size_t>(captured, total);
    told.is_cut = end < total;
    if (header_bytes > end || !packet.skip(header_bytes - kHeaderBytes)) return told;
    told.payload = packet.sub(end - header_bytes).value_or(ByteReader{});
    if ((fragment & kOffsetMask) == 0) read_transport(told.payload, record);
    return told;
}

/// The length in bytes of an extension header whose second byte is `units`; 0 for what is no such header.
std::size_t extension_bytes(std::uint8_t header, std::uint8_t units) noexcept {
    switch (header) {
        case kHopByHop:
        case kRouting:
        case kDestinationOptions:
        case kMobility:
        case kHostIdentity:
        case kShim6:
            return (std::size_t{units} + 1) * 8;
        case kFragmentHeader:
            return 8;  // its second byte is reserved
        case kAuthentication:
            return (std::size_t{units} + 2) * 4;  // RFC 4302 2.2
        default:
            return 0;
    }
}

/// Follows the chain behind `record.protocol` (RFC 8200 4) to what `told.payload` is then; each turn consumes
/// at least eight bytes. False if that is no transport header.
bool skip_extensions(PacketHeader& told, FlowRecord& record) noexcept {
    while (extension_bytes(record.protocol, 0) != 0) {
        ByteReader ahead = told.payload;
        const auto head = take<8>(ahead);
        if (!head) return false;
        const std::size_t bytes = extension_bytes(record.protocol, head.u8<1>());
        const bool is_fragment = record.protocol == kFragmentHeader;
        record.protocol = head.u8<0>();
        if (!told.payload.skip(bytes)) return false;
        if (!is_fragment) continue;
        const std::uint16_t offset_and_more = head.u16<2>();
        told.more_fragments = (offset_and_more & 1U) != 0;
        record.fragment_offset = static_cast<std::uint16_t>(offset_and_more >> 3U);
        record.fragment_id = head.u32<4>();
        record.fields.add(FlowField::kFragment);
        if (record.fragment_offset != 0) return false;
    }
    return true;
}

/// RFC 8200 3.
PacketHeader read_ipv6(ByteReader packet, FlowRecord& record) noexcept {
    constexpr std::size_t kHeaderBytes = 40;
    const auto head = take<kHeaderBytes>(packet);
    if (!head || head.u8<0>() >> 4U != 6) return {};
    const std::uint32_t first = head.u32<0>();
    record.tos = static_cast<std::uint8_t>(first >> 20U & 0xffU);
    record.ipv6_flow_label = first & 0xfffffU;
    record.protocol = head.u8<6>();
    record.ttl = head.u8<7>();
    record.source = IpAddress::v6(head.array<8, 16>());
    record.destination = IpAddress::v6(head.array<24, 16>());
    constexpr FlowFields kTold{FlowField::kTos, FlowField::kIpv6FlowLabel, FlowField::kProtocol,
                               FlowField::kTtl, FlowField::kSource,        FlowField::kDestination};
    record.fields.add(kTold);
    PacketHeader told;
    const std::size_t payload_bytes = head.u16<4>();
    if (payload_bytes != 0) told.length = static_cast<std::uint32_t>(kHeaderBytes + payload_bytes);
    // 0: a jumbogram (RFC 2675), or a packet that was taken before segmentation offload.
    const std::size_t captured = packet.remaining();
    const std::size_t inside = payload_bytes == 0 ? captured : std::min(captured, payload_bytes);
    told.is_cut = inside < payload_bytes;
    told.payload = packet.sub(inside).value_or(ByteReader{});
    if (skip_extensions(told, record)) read_transport(told.payload, record);
    return told;
}

PacketHeader read_ip(ByteReader packet, FlowRecord& record) noexcept {
    if (packet.empty()) return {};
    switch (packet.rest().front() >> 4U) {
        case 4:
            return read_ipv4(packet, record);
        case 6:
            return read_ipv6(packet, record);
        default:
            return {};
    }
}

/// RFC 3032 2.1: down to the bottom of the stack.
PacketHeader read_mpls(ByteReader stack, FlowRecord& record) noexcept {
    constexpr std::uint32_t kBottom = 0x100;
    bool is_top = true;
    while (const std::optional<std::uint32_t> entry = stack.u32()) {
        if (is_top) {
            record.mpls_label = *entry >> 12U;
            record.fields.add(FlowField::kMplsLabel);
            is_top = false;
        }
        if ((*entry & kBottom) != 0) return read_ip(stack, record);
    }
    return {};
}

/// RFC 1661 2, its protocol field never compressed.
PacketHeader read_ppp(ByteReader frame, FlowRecord& record) noexcept {
    constexpr std::uint16_t kAllStations = 0xff03;
    std::optional<std::uint16_t> protocol = frame.u16();
    if (protocol == kAllStations) protocol = frame.u16();
    if (!protocol) return {};
    switch (*protocol) {
        case 0x0021:
        case 0x0057:
            return read_ip(frame, record);
        case 0x0281:
        case 0x0283:
            return read_mpls(frame, record);
        default:
            return {};
    }
}

PacketHeader read_ether_type(std::uint16_t type, ByteReader payload, FlowRecord& record) noexcept {
    record.ether_type = type;
    record.fields.add(FlowField::kEtherType);
    switch (type) {
        case kIpv4:
            return read_ipv4(payload, record);
        case kIpv6:
            return read_ipv6(payload, record);
        case kMplsUnicast:
        case kMplsMulticast:
            return read_mpls(payload, record);
        case kPppoeSession:  // RFC 2516 4: version, code, session, length
            return payload.skip(6) ? read_ppp(payload, record) : PacketHeader{};
        default:
            return {};
    }
}

/// 802.2 behind an 802.3 length: only SNAP names an ether type (IEEE 802 10.3).
PacketHeader read_snap(std::uint16_t length, ByteReader payload, FlowRecord& record) noexcept {
    std::optional<ByteReader> inside = payload.sub(std::min<std::size_t>(length, payload.remaining()));
    if (!inside) return {};
    const auto head = take<8>(*inside);
    if (!head || head.u16<0>() != 0xaaaa || head.u8<2>() != 0x03) return {};
    const std::uint32_t organization = head.u32<2>() & 0xffffffU;
    if (organization != 0x000000 && organization != 0x0000f8) return {};  // RFC 1042, bridge tunnel
    return read_ether_type(head.u16<6>(), *inside, record);
}

bool is_tag(std::uint16_t type) noexcept {
    return type == kVlan || type == kProviderVlan || type == kOldQinq || type == kOlderQinq;
}

/// An ether type or a length, tags before it.
PacketHeader read_tagged(ByteReader frame, FlowRecord& record) noexcept {
    std::optional<std::uint16_t> type = frame.u16();
    bool is_outer = true;
    while (type && is_tag(*type)) {
        const auto tag = take<2>(frame);
        if (!tag) return {};
        const std::uint16_t vlan = tag.u16<0>() & 0x0fffU;
        if (is_outer && vlan != 0) {  // 0: a priority tag, of no VLAN
            record.source_vlan = vlan;
            record.fields.add(FlowField::kSourceVlan);
        }
        is_outer = false;
        type = frame.u16();
    }
    if (!type) return {};
    if (*type < kSmallestEtherType) return read_snap(*type, frame, record);
    return read_ether_type(*type, frame, record);
}

PacketHeader read_ethernet(ByteReader frame, FlowRecord& record) noexcept {
    const auto head = take<12>(frame);
    if (!head) return {};
    record.destination_mac = head.array<0, 6>();
    record.source_mac = head.array<6, 6>();
    record.fields.add(FlowField::kDestinationMac);
    record.fields.add(FlowField::kSourceMac);
    return read_tagged(frame, record);
}

}  // namespace

PacketHeader decode_packet_header(ByteReader frame, LinkType link, FlowRecord& record) noexcept {
    switch (link) {
        case LinkType::kEthernet:
            return read_ethernet(frame, record);
        case LinkType::kEtherType:
            return read_tagged(frame, record);
        case LinkType::kPpp:
            return read_ppp(frame, record);
        case LinkType::kIp:
            return read_ip(frame, record);
        case LinkType::kMpls:
            return read_mpls(frame, record);
    }
    return {};
}

}  // namespace cam::decode
