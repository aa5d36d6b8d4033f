#include "cam/clickhouse/record_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>
#include <utility>

#include "cam/base/check.h"
#include "cam/model/flow_message_values.h"
#include "clickhouse/record_columns.h"

namespace cam::clickhouse {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t kMostCollectorBytes = 255;
/// The end of what ClickHouse's DateTime64 holds is far later; a flow's clock is not worth more.
constexpr std::int64_t kLatest = 4'102'444'800'000;  // 2100-01-01

using Bytes16 = std::array<std::uint8_t, 16>;
using Records = std::span<const FlowRecord>;

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
    filler.all([](const FlowRecord& record) {
        constexpr std::uint64_t kTold = std::uint64_t{1} << 32U;
        return record.has(FlowField::kMplsLabel) ? kTold | record.mpls_label : 0;
    });
}

}  // namespace

RecordEncoder::RecordEncoder(std::string_view collector)
    : collector_(collector.substr(0, kMostCollectorBytes)), columns_(kRecordColumns.size()) {}

void RecordEncoder::add(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records) {
    if (records.empty()) return;
    const Bytes16 sampler = ipv6_bytes(exporter.address());
    Filler filler{columns_, records};
    filler.all([at = milliseconds(received)](const FlowRecord&) { return at; });
    filler.all([&sampler](const FlowRecord&) { return sampler; });
    fill_what_is_counted(filler);
    fill_the_rest(filler);
    check(filler.next() == kRecordColumns.size(), "a column is not filled");
    rows_ += records.size();
}

std::size_t RecordEncoder::bytes() const noexcept {
    std::size_t sum = 0;
    for (const std::string& column : columns_) sum += column.size();
    return sum;
}

EncodedRecords RecordEncoder::take() {
    EncodedRecords out;
    if (rows_ == 0) return out;
    out.bytes.reserve(bytes());
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        check(columns_[i].size() == rows_ * kRecordColumns.at(i).width, "a column is of another width");
        out.bytes += columns_[i];
        columns_[i].clear();  // keeps its memory for the next rows
    }
    out.rows = std::exchange(rows_, 0);
    out.collector = collector_;
    return out;
}

}  // namespace cam::clickhouse
