#include "decode/sflow_sample.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "decode/fixed_bytes.h"
#include "decode/packet_header.h"
#include "decode/sflow_address.h"

namespace cam::decode {
namespace {

// Flow record formats of enterprise 0, of the same numbers as their data_format.
constexpr std::uint32_t kRawHeader = 1;
constexpr std::uint32_t kSampledEthernet = 2;
constexpr std::uint32_t kSampledIpv4 = 3;
constexpr std::uint32_t kSampledIpv6 = 4;
constexpr std::uint32_t kExtendedSwitch = 1001;
constexpr std::uint32_t kExtendedRouter = 1002;
constexpr std::uint32_t kExtendedGateway = 1003;

/// enum header_protocol; those that are not here are counted by their length only.
std::optional<LinkType> link_of(std::uint32_t header_protocol) noexcept {
    switch (header_protocol) {
        case 1:
            return LinkType::kEthernet;
        case 7:   // PPP
        case 14:  // POS: PPP in HDLC-like framing
            return LinkType::kPpp;
        case 11:
        case 12:
            return LinkType::kIp;
        case 13:
            return LinkType::kMpls;
        default:
            return std::nullopt;
    }
}

void set_bytes(std::uint32_t length, FlowRecord& record) noexcept {
    record.bytes = length;
    record.fields.add(FlowField::kBytes);
}

/// struct sampled_header. `stripped` is part of the frame length already and so tells nothing more; the
/// padding behind the header is not asked for, since some agents leave it out.
bool read_raw_header(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<16>(body);
    if (!head) return false;
    const std::optional<ByteReader> frame = body.sub(u32_at<12>(*head));
    if (!frame) return false;
    set_bytes(u32_at<4>(*head), record);
    if (const std::optional<LinkType> link = link_of(u32_at<0>(*head))) {
        decode_packet_header(*frame, *link, record);
    }
    return true;
}

/// struct sampled_ethernet: addresses of six bytes, padded to eight.
bool read_ethernet(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<24>(body);
    if (!head) return false;
    set_bytes(u32_at<0>(*head), record);
    record.source_mac = array_at<4, 6>(*head);
    record.destination_mac = array_at<12, 6>(*head);
    record.ether_type = u16_at<22>(*head);
    record.fields.add(FlowField::kSourceMac);
    record.fields.add(FlowField::kDestinationMac);
    record.fields.add(FlowField::kEtherType);
    return true;
}

/// The last four numbers of struct sampled_ipv4 and sampled_ipv6: ports, TCP flags, TOS or priority. Ports
/// and flags stand there for every protocol, with no meaning for most.
void read_ports(FixedBytes<16> numbers, FlowRecord& record) noexcept {
    constexpr std::uint8_t kTcp = 6;
    constexpr std::uint8_t kUdp = 17;
    constexpr std::uint8_t kSctp = 132;
    record.tos = u8_at<15>(numbers);
    record.fields.add(FlowField::kTos);
    if (record.protocol != kTcp && record.protocol != kUdp && record.protocol != kSctp) return;
    record.source_port = u16_at<2>(numbers);
    record.destination_port = u16_at<6>(numbers);
    record.fields.add(FlowField::kSourcePort);
    record.fields.add(FlowField::kDestinationPort);
    if (record.protocol != kTcp) return;
    record.tcp_flags = u16_at<10>(numbers) & 0x1ffU;
    record.fields.add(FlowField::kTcpFlags);
}

bool read_ipv4(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<32>(body);
    if (!head) return false;
    set_bytes(u32_at<0>(*head), record);
    record.protocol = u8_at<7>(*head);
    record.source = IpAddress::v4(array_at<8, 4>(*head));
    record.destination = IpAddress::v4(array_at<12, 4>(*head));
    for (const FlowField field : {FlowField::kProtocol, FlowField::kSource, FlowField::kDestination}) {
        record.fields.add(field);
    }
    read_ports(head->subspan<16, 16>(), record);
    return true;
}

bool read_ipv6(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<56>(body);
    if (!head) return false;
    set_bytes(u32_at<0>(*head), record);
    record.protocol = u8_at<7>(*head);
    record.source = IpAddress::v6(array_at<8, 16>(*head));
    record.destination = IpAddress::v6(array_at<24, 16>(*head));
    for (const FlowField field : {FlowField::kProtocol, FlowField::kSource, FlowField::kDestination}) {
        record.fields.add(field);
    }
    read_ports(head->subspan<40, 16>(), record);
    return true;
}

/// struct extended_switch. No VLAN (0, or the all ones that some send) is none.
bool read_switch(ByteReader body, FlowRecord& record) noexcept {
    constexpr std::uint32_t kLastVlan = 4095;
    const auto head = take<16>(body);
    if (!head) return false;
    const std::uint32_t source = u32_at<0>(*head);
    const std::uint32_t destination = u32_at<8>(*head);
    if (source != 0 && source <= kLastVlan) {
        record.source_vlan = static_cast<std::uint16_t>(source);
        record.fields.add(FlowField::kSourceVlan);
    }
    if (destination != 0 && destination <= kLastVlan) {
        record.destination_vlan = static_cast<std::uint16_t>(destination);
        record.fields.add(FlowField::kDestinationVlan);
    }
    return true;
}

/// struct extended_router.
bool read_router(ByteReader body, FlowRecord& record) noexcept {
    constexpr std::uint32_t kLongestMask = 128;
    const std::optional<SflowAddress> next_hop = read_sflow_address(body);
    const auto masks = take<8>(body);
    if (!next_hop || !masks) return false;
    if (next_hop->address) {
        record.next_hop = *next_hop->address;
        record.fields.add(FlowField::kNextHop);
    }
    if (u32_at<0>(*masks) <= kLongestMask && u32_at<4>(*masks) <= kLongestMask) {
        record.source_mask = u8_at<3>(*masks);
        record.destination_mask = u8_at<7>(*masks);
        record.fields.add(FlowField::kSourceMask);
        record.fields.add(FlowField::kDestinationMask);
    }
    return true;
}

/// struct extended_gateway as far as the AS path; communities and local preference are not looked at. The
/// counts are held against the bytes that are left, and nothing is kept of the path but its last AS, the
/// destination's.
bool read_gateway(ByteReader body, FlowRecord& record) noexcept {
    const std::optional<SflowAddress> next_hop = read_sflow_address(body);
    const auto head = take<16>(body);  // the router's own AS, the source's, the source peer's, segments
    if (!next_hop || !head) return false;
    std::optional<std::uint32_t> last_as;
    for (std::uint32_t segments = u32_at<12>(*head); segments > 0; --segments) {
        const auto segment = take<8>(body);
        if (!segment) return false;
        const std::uint32_t count = u32_at<4>(*segment);
        if (count > body.remaining() / 4) return false;
        if (count == 0) continue;
        if (!body.skip((std::size_t{count} - 1) * 4)) return false;
        last_as = body.u32();
    }
    if (next_hop->address) {
        record.bgp_next_hop = *next_hop->address;
        record.fields.add(FlowField::kBgpNextHop);
    }
    record.source_as = u32_at<4>(*head);
    record.fields.add(FlowField::kSourceAs);
    if (last_as) {
        record.destination_as = *last_as;
        record.fields.add(FlowField::kDestinationAs);
    }
    return true;
}

/// The records of a sample that are understood, the first of each kind.
struct Records {
    std::optional<ByteReader> raw;
    std::optional<ByteReader> ethernet;
    std::optional<ByteReader> ipv4;
    std::optional<ByteReader> ipv6;
    std::optional<ByteReader> switching;
    std::optional<ByteReader> router;
    std::optional<ByteReader> gateway;

    /// Where records of this format are kept; nullptr for what is skipped.
    std::optional<ByteReader>* place_of(std::uint32_t format) noexcept {
        switch (format) {
            case kRawHeader:
                return &raw;
            case kSampledEthernet:
                return &ethernet;
            case kSampledIpv4:
                return &ipv4;
            case kSampledIpv6:
                return &ipv6;
            case kExtendedSwitch:
                return &switching;
            case kExtendedRouter:
                return &router;
            case kExtendedGateway:
                return &gateway;
            default:
                return nullptr;
        }
    }
};

/// Each turn consumes at least eight bytes, whatever `count` claims. nullopt if a record does not fit.
std::optional<Records> find_records(ByteReader rest, std::uint32_t count) noexcept {
    std::optional<Records> found{std::in_place};
    for (; count > 0; --count) {
        const auto head = take<8>(rest);
        if (!head) return std::nullopt;
        const std::optional<ByteReader> body = rest.sub(u32_at<4>(*head));
        if (!body) return std::nullopt;
        std::optional<ByteReader>* const place = found->place_of(u32_at<0>(*head));
        if (place != nullptr && !*place) *place = body;
    }
    return found;
}

/// From the least to the most telling, so that the last word is the raw header's.
bool read_packet(const Records& records, FlowRecord& record) noexcept {
    if (records.ethernet && !read_ethernet(*records.ethernet, record)) return false;
    if (records.ipv4 && !read_ipv4(*records.ipv4, record)) return false;
    if (records.ipv6 && !read_ipv6(*records.ipv6, record)) return false;
    return !records.raw || read_raw_header(*records.raw, record);
}

/// How many of them did not fit.
unsigned read_extended(const Records& records, FlowRecord& record) noexcept {
    unsigned malformed = 0;
    if (records.switching && !read_switch(*records.switching, record)) ++malformed;
    if (records.router && !read_router(*records.router, record)) ++malformed;
    if (records.gateway && !read_gateway(*records.gateway, record)) ++malformed;
    return malformed;
}

}  // namespace

bool read_sampled_packet(ByteReader records, std::uint32_t count, FlowRecord& record, DecodeReport& report) {
    const std::optional<Records> found = find_records(records, count);
    if (!found || !read_packet(*found, record)) return false;
    report.dropped[static_cast<std::size_t>(DropReason::kMalformed)] += read_extended(*found, record);
    return true;
}

}  // namespace cam::decode
