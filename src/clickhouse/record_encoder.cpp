#include "cam/clickhouse/record_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "cam/base/check.h"

namespace cam::clickhouse {
namespace {

static_assert(std::endian::native == std::endian::little, "RowBinary is little-endian");

/// A row without its collector.
constexpr std::size_t kMostRowBytes = 320;
constexpr std::size_t kMostCollectorBytes = 255;
/// The end of what ClickHouse's DateTime64 holds is far later; a flow's clock is not worth more.
constexpr std::int64_t kLatest = 4'102'444'800'000;  // 2100-01-01

using Bytes16 = std::array<std::uint8_t, 16>;

Bytes16 ipv6_bytes(const IpAddress& address) {
    if (address.family() == IpAddress::Family::kV6) return address.bytes();
    Bytes16 mapped{};
    mapped[10] = 0xff;
    mapped[11] = 0xff;
    std::copy_n(address.bytes().begin(), 4, mapped.begin() + 12);
    return mapped;
}

/// A row in the making.
class Row {
public:
    template <typename Value>
    void put(Value value) {
        static_assert(std::is_integral_v<Value>);
        check(size_ + sizeof value <= bytes_.size(), "a row is longer than its bound");
        std::memcpy(bytes_.data() + size_, &value, sizeof value);
        size_ += sizeof value;
    }
    void put(const Bytes16& value) {
        check(size_ + value.size() <= bytes_.size(), "a row is longer than its bound");
        std::memcpy(bytes_.data() + size_, value.data(), value.size());
        size_ += value.size();
    }
    void put_if(bool known, const IpAddress& address) { put(known ? ipv6_bytes(address) : Bytes16{}); }
    template <typename Value>
    void put_if(bool known, Value value) {
        put(known ? value : Value{0});
    }
    void put_time(WallTime time) {
        put(std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kLatest));
    }
    [[nodiscard]] std::string_view text() const { return {bytes_.data(), size_}; }

private:
    std::array<char, kMostRowBytes> bytes_;  // NOLINT: only what was put is read
    std::size_t size_ = 0;
};

/// GoFlow2's numbers of the export protocols.
std::int8_t type_number(ExportProtocol protocol) {
    switch (protocol) {
        case ExportProtocol::kSflow5:
            return 1;
        case ExportProtocol::kNetflow5:
            return 2;
        case ExportProtocol::kNetflow9:
            return 3;
        case ExportProtocol::kIpfix:
            return 4;
    }
    return 0;
}

std::uint64_t mac_number(const std::array<std::uint8_t, 6>& mac) {
    std::uint64_t number = 0;
    for (const std::uint8_t byte : mac) number = number << 8U | byte;
    return number;
}

std::uint16_t ether_type(const FlowRecord& record) {
    constexpr std::uint16_t kIpv4 = 0x0800;
    constexpr std::uint16_t kIpv6 = 0x86dd;
    if (record.has(FlowField::kEtherType)) return record.ether_type;
    if (!record.has(FlowField::kDestination)) return 0;
    return record.destination.family() == IpAddress::Family::kV4 ? kIpv4 : kIpv6;
}

void put_addresses_and_counts(Row& row, const FlowRecord& record) {
    row.put_if(record.has(FlowField::kStart),
               std::clamp<std::int64_t>(record.start.time_since_epoch().count(), 0, kLatest));
    row.put_if(record.has(FlowField::kEnd),
               std::clamp<std::int64_t>(record.end.time_since_epoch().count(), 0, kLatest));
    row.put(record.bytes);
    row.put(record.packets);
    row.put_if(record.has(FlowField::kSource), record.source);
    row.put_if(record.has(FlowField::kDestination), record.destination);
    row.put(ether_type(record));
    row.put_if(record.has(FlowField::kProtocol), record.protocol);
    row.put_if(record.has(FlowField::kSourcePort), record.source_port);
    row.put_if(record.has(FlowField::kDestinationPort), record.destination_port);
    row.put_if(record.has(FlowField::kInputInterface), record.input_interface);
    row.put_if(record.has(FlowField::kOutputInterface), record.output_interface);
    row.put_if(record.has(FlowField::kTcpFlags), record.tcp_flags);
    row.put_if(record.has(FlowField::kSourceAs), record.source_as);
    row.put_if(record.has(FlowField::kDestinationAs), record.destination_as);
}

void put_rest(Row& row, const FlowRecord& record) {
    row.put_if(record.has(FlowField::kSourceMac), mac_number(record.source_mac));
    row.put_if(record.has(FlowField::kDestinationMac), mac_number(record.destination_mac));
    row.put_if(record.has(FlowField::kSourceVlan), record.source_vlan);
    row.put_if(record.has(FlowField::kDestinationVlan), record.destination_vlan);
    row.put_if(record.has(FlowField::kTos), record.tos);
    row.put_if(record.has(FlowField::kForwardingStatus), record.forwarding_status);
    row.put_if(record.has(FlowField::kTtl), record.ttl);
    row.put_if(record.has(FlowField::kIcmp), record.icmp_type);
    row.put_if(record.has(FlowField::kIcmp), record.icmp_code);
    row.put_if(record.has(FlowField::kIpv6FlowLabel), record.ipv6_flow_label);
    row.put_if(record.has(FlowField::kFragment), record.fragment_id);
    row.put_if(record.has(FlowField::kFragment), record.fragment_offset);
    row.put_if(record.has(FlowField::kNextHop), record.next_hop);
    row.put_if(record.has(FlowField::kSourceMask), record.source_mask);
    row.put_if(record.has(FlowField::kDestinationMask), record.destination_mask);
    row.put_if(record.has(FlowField::kBgpNextHop), record.bgp_next_hop);
    row.put(record.domain);
    if (record.has(FlowField::kMplsLabel)) {
        row.put(std::uint8_t{1});  // an array of one
        row.put(record.mpls_label);
    } else {
        row.put(std::uint8_t{0});
    }
}

}  // namespace

const std::string& record_columns() {
    static const std::string columns =
        "collector, received, type, sampler_address, sampling_rate, sampling_source, flow_start, flow_end, "
        "bytes, "
        "packets, src_addr, dst_addr, etype, proto, src_port, dst_port, in_if, out_if, tcp_flags, src_as, "
        "dst_as, "
        "src_mac, dst_mac, src_vlan, dst_vlan, ip_tos, forwarding_status, ip_ttl, icmp_type, icmp_code, "
        "ipv6_flow_label, fragment_id, fragment_offset, next_hop, src_net, dst_net, bgp_next_hop, "
        "observation_domain_id, mpls_label";
    return columns;
}

RecordEncoder::RecordEncoder(std::string_view collector) {
    const std::string_view kept = collector.substr(0, kMostCollectorBytes);
    std::size_t size = kept.size();
    do {  // LEB128
        const auto low = static_cast<char>(size & 0x7fU);
        size >>= 7U;
        collector_ += static_cast<char>(size > 0 ? low | '\x80' : low);
    } while (size > 0);
    collector_ += kept;
}

void RecordEncoder::add(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records) {
    const Bytes16 sampler = ipv6_bytes(exporter.address());
    for (const FlowRecord& record : records) {
        Row row;
        row.put_time(received);
        row.put(type_number(record.export_protocol));
        row.put(sampler);
        const bool told = record.sampling_source != SamplingSource::kNone;
        row.put_if(told, std::uint64_t{record.sampling.n()});
        row.put(static_cast<std::int8_t>(record.sampling_source));
        put_addresses_and_counts(row, record);
        put_rest(row, record);
        encoded_.bytes += collector_;
        encoded_.bytes += row.text();
    }
    encoded_.rows += records.size();
}

EncodedRecords RecordEncoder::take() {
    EncodedRecords out = std::move(encoded_);
    encoded_ = {};
    encoded_.bytes.reserve(out.bytes.size());  // the next one will be as long
    return out;
}

}  // namespace cam::clickhouse
