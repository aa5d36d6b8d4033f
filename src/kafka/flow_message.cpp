#include "cam/kafka/flow_message.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "cam/model/flow_message_values.h"

namespace cam::kafka {
namespace {

constexpr std::size_t kLongestMessage = 512;  // the fields below come to less than 300
constexpr std::uint32_t kVarintType = 0;
constexpr std::uint32_t kBytesType = 2;

/// Field numbers of GoFlow2's pb/flow.proto.
enum class Field : std::uint32_t {
    kType = 1,
    kSamplingRate = 3,
    kSource = 6,
    kDestination = 7,
    kBytes = 9,
    kPackets = 10,
    kSampler = 11,
    kNextHop = 12,
    kSourceAs = 14,
    kDestinationAs = 15,
    kSourceNet = 16,
    kDestinationNet = 17,
    kInputInterface = 18,
    kOutputInterface = 19,
    kProtocol = 20,
    kSourcePort = 21,
    kDestinationPort = 22,
    kTos = 23,
    kForwardingStatus = 24,
    kTtl = 25,
    kTcpFlags = 26,
    kSourceMac = 27,
    kDestinationMac = 28,
    kVlan = 29,
    kEtherType = 30,
    kIcmpType = 31,
    kIcmpCode = 32,
    kSourceVlan = 33,
    kDestinationVlan = 34,
    kFragmentId = 35,
    kFragmentOffset = 36,
    kIpv6FlowLabel = 37,
    kObservationDomain = 70,
    kMplsLabel = 81,
    kBgpNextHop = 100,
    kReceived = 110,
    kStart = 111,
    kEnd = 112,
};

/// A protobuf message in the making, without a look at the heap.
class Writer {
public:
    /// proto3: a number that is 0 is not written.
    void number(Field field, std::uint64_t value) {
        if (value == 0) return;
        tag(field, kVarintType);
        varint(value);
    }
    void address(Field field, const IpAddress& value) {
        const std::size_t width = value.width() / 8;
        tag(field, kBytesType);
        varint(width);
        for (std::size_t i = 0; i < width; ++i) bytes_[size_++] = static_cast<char>(value.bytes()[i]);
    }
    void time(Field field, WallTime value) {
        const std::int64_t milliseconds = value.time_since_epoch().count();
        constexpr std::int64_t kNanoseconds = 1'000'000;
        if (milliseconds > 0) number(field, static_cast<std::uint64_t>(milliseconds) * kNanoseconds);
    }
    void packed(Field field, std::uint64_t value) {
        tag(field, kBytesType);
        varint(varint_size(value));
        varint(value);
    }
    /// Behind its own length.
    void append_to(std::string& out) const {
        Writer length;
        length.varint(size_);
        out.append(length.bytes_.data(), length.size_);
        out.append(bytes_.data(), size_);
    }

private:
    void tag(Field field, std::uint32_t type) { varint(static_cast<std::uint32_t>(field) << 3U | type); }
    void varint(std::uint64_t value) {
        while (value >= 0x80) {
            bytes_[size_++] = static_cast<char>(value | 0x80U);
            value >>= 7U;
        }
        bytes_[size_++] = static_cast<char>(value);
    }
    static std::size_t varint_size(std::uint64_t value) {
        std::size_t size = 1;
        while ((value >>= 7U) != 0) ++size;
        return size;
    }
    std::array<char, kLongestMessage> bytes_;
    std::size_t size_ = 0;
};

void write_what_counts(const FlowRecord& record, Writer& out) {
    if (record.sampling_source != SamplingSource::kNone) {
        out.number(Field::kSamplingRate, record.sampling.n());
    }
    if (record.has(FlowField::kSource)) out.address(Field::kSource, record.source);
    if (record.has(FlowField::kDestination)) out.address(Field::kDestination, record.destination);
    out.number(Field::kBytes, record.bytes);
    out.number(Field::kPackets, record.packets);
    const auto number = [&](FlowField present, Field field, std::uint64_t value) {
        if (record.has(present)) out.number(field, value);
    };
    number(FlowField::kProtocol, Field::kProtocol, record.protocol);
    number(FlowField::kSourcePort, Field::kSourcePort, record.source_port);
    number(FlowField::kDestinationPort, Field::kDestinationPort, record.destination_port);
    number(FlowField::kTcpFlags, Field::kTcpFlags, record.tcp_flags);
    number(FlowField::kInputInterface, Field::kInputInterface, record.input_interface);
    number(FlowField::kOutputInterface, Field::kOutputInterface, record.output_interface);
    number(FlowField::kSourceAs, Field::kSourceAs, record.source_as);
    number(FlowField::kDestinationAs, Field::kDestinationAs, record.destination_as);
    out.number(Field::kEtherType, flow_message::etype(record));
    if (record.has(FlowField::kStart)) out.time(Field::kStart, record.start);
    if (record.has(FlowField::kEnd)) out.time(Field::kEnd, record.end);
}

void write_the_rest(const FlowRecord& record, Writer& out) {
    const auto number = [&](FlowField present, Field field, std::uint64_t value) {
        if (record.has(present)) out.number(field, value);
    };
    number(FlowField::kTos, Field::kTos, record.tos);
    number(FlowField::kTtl, Field::kTtl, record.ttl);
    number(FlowField::kIcmp, Field::kIcmpType, record.icmp_type);
    number(FlowField::kIcmp, Field::kIcmpCode, record.icmp_code);
    number(FlowField::kSourceMask, Field::kSourceNet, record.source_mask);
    number(FlowField::kDestinationMask, Field::kDestinationNet, record.destination_mask);
    number(FlowField::kForwardingStatus, Field::kForwardingStatus, record.forwarding_status);
    number(FlowField::kSourceVlan, Field::kSourceVlan, record.source_vlan);
    number(FlowField::kSourceVlan, Field::kVlan, record.source_vlan);
    number(FlowField::kDestinationVlan, Field::kDestinationVlan, record.destination_vlan);
    number(FlowField::kFragment, Field::kFragmentId, record.fragment_id);
    number(FlowField::kFragment, Field::kFragmentOffset, record.fragment_offset);
    number(FlowField::kIpv6FlowLabel, Field::kIpv6FlowLabel, record.ipv6_flow_label);
    number(FlowField::kSourceMac, Field::kSourceMac, flow_message::mac(record.source_mac));
    number(FlowField::kDestinationMac, Field::kDestinationMac, flow_message::mac(record.destination_mac));
    if (record.has(FlowField::kMplsLabel)) out.packed(Field::kMplsLabel, record.mpls_label);
    if (record.has(FlowField::kNextHop)) out.address(Field::kNextHop, record.next_hop);
    if (record.has(FlowField::kBgpNextHop)) out.address(Field::kBgpNextHop, record.bgp_next_hop);
    const bool has_domain = record.export_protocol == ExportProtocol::kNetflow9 ||
                            record.export_protocol == ExportProtocol::kIpfix;
    if (has_domain) out.number(Field::kObservationDomain, record.domain);
}

}  // namespace

void append_flow_message(const ExporterKey& exporter, WallTime received, const FlowRecord& record,
                         std::string& out) {
    Writer message;
    message.number(Field::kType, flow_message::type(record.export_protocol));
    message.time(Field::kReceived, received);
    message.address(Field::kSampler, exporter.address());
    if (record.export_protocol == ExportProtocol::kSflow5) {
        message.time(Field::kStart, received);  // as GoFlow2: a sampled packet is as old as its datagram
        message.time(Field::kEnd, received);
    }
    write_what_counts(record, message);
    write_the_rest(record, message);
    message.append_to(out);
}

}  // namespace cam::kafka
