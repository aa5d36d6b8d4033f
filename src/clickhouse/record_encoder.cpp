#include "cam/clickhouse/record_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "cam/base/check.h"
#include "cam/model/flow_message_values.h"

namespace cam::clickhouse {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t kMostCollectorBytes = 255;
/// The end of what ClickHouse's DateTime64 holds is far later; a flow's clock is not worth more.
constexpr std::int64_t kLatest = 4'102'444'800'000;  // 2100-01-01

using Bytes16 = std::array<std::uint8_t, 16>;
using Records = std::span<const FlowRecord>;

struct Column {
    std::string_view name;
    std::string_view type;
};

constexpr std::string_view kTime = "DateTime64(3, 'UTC')";
/// In the order in which `add` fills them. Types are those of the table; the server turns texts into its
/// LowCardinality itself.
constexpr std::array<Column, 39> kColumns{{
    {"collector", "String"},
    {"received", kTime},
    {"sampler_address", "IPv6"},
    {"type", "Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4)"},
    {"sampling_rate", "UInt64"},
    {"sampling_source",
     "Enum8('record' = 0, 'options' = 1, 'sflow_sample' = 2, 'header' = 3, 'router_default' = 4, 'none' = 5, "
     "'goflow2' = 6)"},
    {"flow_start", kTime},
    {"flow_end", kTime},
    {"bytes", "UInt64"},
    {"packets", "UInt64"},
    {"src_addr", "IPv6"},
    {"dst_addr", "IPv6"},
    {"etype", "UInt16"},
    {"proto", "UInt8"},
    {"src_port", "UInt16"},
    {"dst_port", "UInt16"},
    {"in_if", "UInt32"},
    {"out_if", "UInt32"},
    {"tcp_flags", "UInt16"},
    {"src_as", "UInt32"},
    {"dst_as", "UInt32"},
    {"src_mac", "UInt64"},
    {"dst_mac", "UInt64"},
    {"src_vlan", "UInt16"},
    {"dst_vlan", "UInt16"},
    {"ip_tos", "UInt8"},
    {"forwarding_status", "UInt8"},
    {"ip_ttl", "UInt8"},
    {"icmp_type", "UInt8"},
    {"icmp_code", "UInt8"},
    {"ipv6_flow_label", "UInt32"},
    {"fragment_id", "UInt32"},
    {"fragment_offset", "UInt16"},
    {"next_hop", "IPv6"},
    {"src_net", "UInt8"},
    {"dst_net", "UInt8"},
    {"bgp_next_hop", "IPv6"},
    {"observation_domain_id", "UInt32"},
    {"mpls_label", "Array(UInt32)"},
}};

Bytes16 ipv6_bytes(const IpAddress& address) {
    if (address.family() == IpAddress::Family::kV6) return address.bytes();
    Bytes16 mapped{};
    mapped[10] = 0xff;
    mapped[11] = 0xff;
    std::copy_n(address.bytes().begin(), 4, mapped.begin() + 12);
    return mapped;
}

std::int64_t milliseconds(WallTime time) {
    return std::clamp<std::int64_t>(time.time_since_epoch().count(), 0, kLatest);
}

/// LEB128, as the format writes its lengths.
void append_length(std::string& out, std::uint64_t size) {
    do {
        const auto low = static_cast<char>(size & 0x7fU);
        size >>= 7U;
        out += static_cast<char>(size > 0 ? low | '\x80' : low);
    } while (size > 0);
}

void append_text(std::string& out, std::string_view text) {
    append_length(out, text.size());
    out += text;
}

/// Appends what `value` gives of each record to one column after the other.
class Filler {
public:
    Filler(std::vector<std::string>& columns, Records records) : columns_(columns), records_(records) {}

    template <typename Value>
    void all(const Value& value) {
        using Cell = std::remove_cvref_t<decltype(value(records_.front()))>;
        static_assert(std::is_trivially_copyable_v<Cell>);
        std::string& column = columns_[next_++];
        std::size_t at = column.size();
        column.resize(at + records_.size() * sizeof(Cell));
        for (const FlowRecord& record : records_) {
            const Cell cell = value(record);
            std::memcpy(&column[at], &cell, sizeof cell);
            at += sizeof cell;
        }
    }
    /// A number of the record, 0 if it does not tell it.
    template <typename Number>
    void known(FlowField field, Number FlowRecord::*member) {
        all([=](const FlowRecord& record) { return record.has(field) ? record.*member : Number{0}; });
    }
    void address(FlowField field, IpAddress FlowRecord::*member) {
        all([=](const FlowRecord& record) {
            return record.has(field) ? ipv6_bytes(record.*member) : Bytes16{};
        });
    }
    void time(FlowField field, WallTime FlowRecord::*member) {
        all([=](const FlowRecord& record) { return record.has(field) ? milliseconds(record.*member) : 0; });
    }
    void mac(FlowField field, std::array<std::uint8_t, 6> FlowRecord::*member) {
        all([=](const FlowRecord& record) {
            return record.has(field) ? flow_message::mac(record.*member) : 0;
        });
    }
    [[nodiscard]] std::size_t next() const { return next_; }
    void skip() { ++next_; }

private:
    std::vector<std::string>& columns_;
    Records records_;
    std::size_t next_ = 0;
};

void fill_what_is_counted(Filler& filler) {
    filler.all([](const FlowRecord& record) {
        return static_cast<std::int8_t>(flow_message::type(record.export_protocol));
    });
    filler.all([](const FlowRecord& record) {
        const bool told = record.sampling_source != SamplingSource::kNone;
        return told ? std::uint64_t{record.sampling.n()} : 0;
    });
    filler.all([](const FlowRecord& record) { return static_cast<std::int8_t>(record.sampling_source); });
    filler.time(FlowField::kStart, &FlowRecord::start);
    filler.time(FlowField::kEnd, &FlowRecord::end);
    filler.all([](const FlowRecord& record) { return record.bytes; });
    filler.all([](const FlowRecord& record) { return record.packets; });
    filler.address(FlowField::kSource, &FlowRecord::source);
    filler.address(FlowField::kDestination, &FlowRecord::destination);
    filler.all([](const FlowRecord& record) { return flow_message::etype(record); });
    filler.known(FlowField::kProtocol, &FlowRecord::protocol);
    filler.known(FlowField::kSourcePort, &FlowRecord::source_port);
    filler.known(FlowField::kDestinationPort, &FlowRecord::destination_port);
    filler.known(FlowField::kInputInterface, &FlowRecord::input_interface);
    filler.known(FlowField::kOutputInterface, &FlowRecord::output_interface);
    filler.known(FlowField::kTcpFlags, &FlowRecord::tcp_flags);
    filler.known(FlowField::kSourceAs, &FlowRecord::source_as);
    filler.known(FlowField::kDestinationAs, &FlowRecord::destination_as);
}

void fill_the_rest(Filler& filler) {
    filler.mac(FlowField::kSourceMac, &FlowRecord::source_mac);
    filler.mac(FlowField::kDestinationMac, &FlowRecord::destination_mac);
    filler.known(FlowField::kSourceVlan, &FlowRecord::source_vlan);
    filler.known(FlowField::kDestinationVlan, &FlowRecord::destination_vlan);
    filler.known(FlowField::kTos, &FlowRecord::tos);
    filler.known(FlowField::kForwardingStatus, &FlowRecord::forwarding_status);
    filler.known(FlowField::kTtl, &FlowRecord::ttl);
    filler.known(FlowField::kIcmp, &FlowRecord::icmp_type);
    filler.known(FlowField::kIcmp, &FlowRecord::icmp_code);
    filler.known(FlowField::kIpv6FlowLabel, &FlowRecord::ipv6_flow_label);
    filler.known(FlowField::kFragment, &FlowRecord::fragment_id);
    filler.known(FlowField::kFragment, &FlowRecord::fragment_offset);
    filler.address(FlowField::kNextHop, &FlowRecord::next_hop);
    filler.known(FlowField::kSourceMask, &FlowRecord::source_mask);
    filler.known(FlowField::kDestinationMask, &FlowRecord::destination_mask);
    filler.address(FlowField::kBgpNextHop, &FlowRecord::bgp_next_hop);
    filler.all([](const FlowRecord& record) { return record.domain; });
}

}  // namespace

const std::string& record_columns() {
    static const std::string columns = [] {
        std::string out;
        for (const Column& column : kColumns) {
            if (!out.empty()) out += ", ";
            out += column.name;
        }
        return out;
    }();
    return columns;
}

RecordEncoder::RecordEncoder(std::string_view collector) : columns_(kColumns.size()) {
    append_text(collector_, collector.substr(0, kMostCollectorBytes));
}

void RecordEncoder::add(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records) {
    if (records.empty()) return;
    const Bytes16 sampler = ipv6_bytes(exporter.address());
    for (std::size_t i = 0; i < records.size(); ++i) columns_.front() += collector_;
    Filler filler{columns_, records};
    filler.skip();
    filler.all([at = milliseconds(received)](const FlowRecord&) { return at; });
    filler.all([&sampler](const FlowRecord&) { return sampler; });
    fill_what_is_counted(filler);
    fill_the_rest(filler);
    check(filler.next() + 1 == kColumns.size(), "a column is not filled");
    // The last column is an array: where each one ends, then all their values.
    std::string& ends = columns_.back();
    for (const FlowRecord& record : records) {
        if (record.has(FlowField::kMplsLabel)) labels_.push_back(record.mpls_label);
        const std::uint64_t end = labels_.size();
        ends.append(reinterpret_cast<const char*>(&end), sizeof end);  // NOLINT: bytes of a number
    }
    rows_ += records.size();
}

std::size_t RecordEncoder::bytes() const noexcept {
    std::size_t sum = labels_.size() * sizeof(std::uint32_t);
    for (const std::string& column : columns_) sum += column.size();
    return sum;
}

EncodedRecords RecordEncoder::take() {
    constexpr std::size_t kHeader = 2048;
    EncodedRecords out;
    if (rows_ == 0) return out;
    out.bytes.reserve(bytes() + kHeader);
    append_length(out.bytes, kColumns.size());
    append_length(out.bytes, rows_);
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
        append_text(out.bytes, kColumns[i].name);
        append_text(out.bytes, kColumns[i].type);
        out.bytes += columns_[i];
        columns_[i].clear();  // keeps its memory for the next block
    }
    out.bytes.append(reinterpret_cast<const char*>(labels_.data()),  // NOLINT: bytes of numbers
                     labels_.size() * sizeof(std::uint32_t));
    labels_.clear();
    out.rows = std::exchange(rows_, 0);
    return out;
}

}  // namespace cam::clickhouse
