#include "decode/sflow_sample.h"

#include <cstddef>
#include <optional>

#include "cam/decode/packet_header.h"
#include "decode/fixed_bytes.h"
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

/// The length of the packet alone: only where no frame tells its own.
void set_bytes_of_packet(std::uint32_t length, FlowRecord& record) noexcept {
    if (!record.has(FlowField::kBytes)) set_bytes(length, record);
}

/// struct sampled_header. `stripped` is part of the frame length already and so tells nothing more; the
/// padding behind the header is not asked for, since some agents leave it out.
bool read_raw_header(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<16>(body);
    if (!head) return false;
    const std::optional<ByteReader> frame = body.sub(head.u32<12>());
    if (!frame) return false;
    set_bytes(head.u32<4>(), record);
    if (const std::optional<LinkType> link = link_of(head.u32<0>())) {
        decode_packet_header(*frame, *link, record);
    }
    return true;
}

/// struct sampled_ethernet: addresses of six bytes, padded to eight.
bool read_ethernet(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<24>(body);
    if (!head) return false;
    set_bytes(head.u32<0>(), record);
    record.source_mac = head.array<4, 6>();
    record.destination_mac = head.array<12, 6>();
    record.ether_type = head.u16<22>();
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
    record.tos = numbers.u8<15>();
    record.fields.add(FlowField::kTos);
    if (record.protocol != kTcp && record.protocol != kUdp && record.protocol != kSctp) return;
    record.source_port = numbers.u16<2>();
    record.destination_port = numbers.u16<6>();
    record.fields.add(FlowField::kSourcePort);
    record.fields.add(FlowField::kDestinationPort);
    if (record.protocol != kTcp) return;
    record.tcp_flags = numbers.u16<10>() & 0x1ffU;
    record.fields.add(FlowField::kTcpFlags);
}

bool read_ipv4(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<32>(body);
    if (!head) return false;
    set_bytes_of_packet(head.u32<0>(), record);
    record.protocol = head.u8<7>();
    record.source = IpAddress::v4(head.array<8, 4>());
    record.destination = IpAddress::v4(head.array<12, 4>());
    constexpr FlowFields kTold{FlowField::kProtocol, FlowField::kSource, FlowField::kDestination};
    record.fields.add(kTold);
    read_ports(head.sub<16, 16>(), record);
    return true;
}

bool read_ipv6(ByteReader body, FlowRecord& record) noexcept {
    const auto head = take<56>(body);
    if (!head) return false;
    set_bytes_of_packet(head.u32<0>(), record);
    record.protocol = head.u8<7>();
    record.source = IpAddress::v6(head.array<8, 16>());
    record.destination = IpAddress::v6(head.array<24, 16>());
    constexpr FlowFields kTold{FlowField::kProtocol, FlowField::kSource, FlowField::kDestination};
    record.fields.add(kTold);
    read_ports(head.sub<40, 16>(), record);
    return true;
}

/// struct extended_switch. No VLAN (0, or the all ones that some send) is none.
bool read_switch(ByteReader body, FlowRecord& record) noexcept {
    constexpr std::uint32_t kLastVlan = 4095;
    const auto head = take<16>(body);
    if (!head) return false;
    const std::uint32_t source = head.u32<0>();
    const std::uint32_t destination = head.u32<8>();
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
    if (masks.u32<0>() <= kLongestMask && masks.u32<4>() <= kLongestMask) {
        record.source_mask = masks.u8<3>();
        record.destination_mask = masks.u8<7>();
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
    for (std::uint32_t segments = head.u32<12>(); segments > 0; --segments) {
        const auto segment = take<8>(body);
        if (!segment) return false;
        const std::uint32_t count = segment.u32<4>();
        if (count > body.remaining() / 4) return false;
        if (count == 0) continue;
        if (!body.skip((std::size_t{count} - 1) * 4)) return false;
        last_as = body.u32();
    }
    if (next_hop->address) {
        record.bgp_next_hop = *next_hop->address;
        record.fields.add(FlowField::kBgpNextHop);
    }
    record.source_as = head.u32<4>();
    record.fields.add(FlowField::kSourceAs);
    if (last_as) {
        record.destination_as = *last_as;
        record.fields.add(FlowField::kDestinationAs);
    }
    return true;
}

/// The kinds of records that are understood.
enum class Kind : std::uint8_t { kRaw, kEthernet, kIpv4, kIpv6, kSwitch, kRouter, kGateway, kOther };

Kind kind_of(std::uint32_t format) noexcept {
    switch (format) {
        case kRawHeader:
            return Kind::kRaw;
        case kSampledEthernet:
            return Kind::kEthernet;
        case kSampledIpv4:
            return Kind::kIpv4;
        case kSampledIpv6:
            return Kind::kIpv6;
        case kExtendedSwitch:
            return Kind::kSwitch;
        case kExtendedRouter:
            return Kind::kRouter;
        case kExtendedGateway:
            return Kind::kGateway;
        default:
            return Kind::kOther;
    }
}

/// Merges the records of one sample, the first of each kind.
class Merger {
public:
    explicit Merger(FlowRecord& record) : record_(record) {}

    /// False if what holds the packet is cut.
    bool add(std::uint32_t format, ByteReader body) noexcept {
        const Kind kind = kind_of(format);
        if (kind == Kind::kOther || (seen_ & bit(kind)) != 0) return true;
        seen_ |= bit(kind);
        switch (kind) {
            case Kind::kRaw:
                raw_ = body;
                return true;
            case Kind::kEthernet:
                return read_ethernet(body, record_);
            case Kind::kIpv4:
                return read_ipv4(body, record_);
            case Kind::kIpv6:
                return read_ipv6(body, record_);
            case Kind::kSwitch:
                switch_ = body;
                return true;
            case Kind::kRouter:
                note(read_router(body, record_));
                return true;
            case Kind::kGateway:
                note(read_gateway(body, record_));
                return true;
            case Kind::kOther:
                return true;
        }
        return true;
    }

    /// What has the last word, wherever it stood: the raw header over sampled IPv4 and IPv6, and over it,
    /// since the switch may have taken the tag off or put it on, the switch.
    bool finish() noexcept {
        if ((seen_ & bit(Kind::kRaw)) != 0 && !read_raw_header(raw_, record_)) return false;
        if ((seen_ & bit(Kind::kSwitch)) != 0) note(read_switch(switch_, record_));
        return true;
    }
    /// Extended records that did not fit.
    [[nodiscard]] unsigned malformed() const noexcept { return malformed_; }

private:
    static unsigned bit(Kind kind) noexcept { return 1U << static_cast<unsigned>(kind); }
    void note(bool was_read) noexcept { malformed_ += was_read ? 0U : 1U; }

    FlowRecord& record_;
    ByteReader raw_;
    ByteReader switch_;
    unsigned seen_ = 0;
    unsigned malformed_ = 0;
};

}  // namespace

bool read_sampled_packet(ByteReader records, std::uint32_t count, FlowRecord& record, DecodeReport& report) {
    Merger merger{record};
    // Each turn consumes at least eight bytes, whatever the count claims.
    for (; count > 0; --count) {
        const auto head = take<8>(records);
        if (!head) return false;
        const std::optional<ByteReader> body = records.sub(head.u32<4>());
        if (!body || !merger.add(head.u32<0>(), *body)) return false;
    }
    if (!merger.finish()) return false;
    report.dropped[static_cast<std::size_t>(DropReason::kMalformed)] += merger.malformed();
    return true;
}

}  // namespace cam::decode
