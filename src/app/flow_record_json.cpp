#include "app/flow_record_json.h"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {
namespace {

/// Writes members one after the other. All names and texts are ours or hold no character that JSON escapes.
class Line {
public:
    explicit Line(std::string& out) : out_(out) {}

    template <std::integral Number>
    void member(std::string_view name, Number value) {
        begin(name);
        const fmt::format_int digits(value);
        out_.append(digits.data(), digits.size());
    }
    void member(std::string_view name, std::string_view text) {
        begin(name);
        out_ += '"';
        out_ += text;
        out_ += '"';
    }
    void member(std::string_view name, const IpAddress& address) {
        member(name, std::string_view{address.text()});
    }
    void member(std::string_view name, WallTime time) {
        std::string text = rfc3339(time);
        const auto fraction = (time - std::chrono::floor<std::chrono::seconds>(time)).count();
        text.replace(text.size() - 1, 1, fmt::format(".{:03}Z", fraction));
        member(name, std::string_view{text});
    }
    void member(std::string_view name, const std::array<std::uint8_t, 6>& mac) {
        member(name, std::string_view{fmt::format("{:02x}", fmt::join(mac, ":"))});
    }
    /// null if it is not told.
    template <typename Value>
    void known(bool is_told, std::string_view name, const Value& value) {
        if (is_told) return member(name, value);
        begin(name);
        out_ += "null";
    }
    /// Left out if it is not told.
    template <typename Value>
    void optional(bool is_told, std::string_view name, const Value& value) {
        if (is_told) member(name, value);
    }
    void end() { out_ += "}\n"; }

private:
    void begin(std::string_view name) {
        out_ += is_first_ ? "{\"" : ",\"";
        is_first_ = false;
        out_ += name;
        out_ += "\":";
    }
    std::string& out_;
    bool is_first_ = true;
};

void add_always(Line& line, const ExporterKey& exporter, const FlowRecord& record) {
    using F = FlowField;
    line.member("exporter", exporter.address());
    line.member("version", std::string_view{name(record.export_protocol)});
    line.member("domain", record.domain);
    line.known(record.has(F::kSource), "src_addr", record.source);
    line.known(record.has(F::kDestination), "dst_addr", record.destination);
    line.known(record.has(F::kSourcePort), "src_port", record.source_port);
    line.known(record.has(F::kDestinationPort), "dst_port", record.destination_port);
    line.known(record.has(F::kProtocol), "protocol", record.protocol);
    line.known(record.has(F::kBytes), "bytes", record.bytes);
    line.known(record.has(F::kPackets), "packets", record.packets);
    line.member("sampling_rate", record.sampling.n());
    line.member("sampling_source", std::string_view{name(record.sampling_source)});
    line.known(record.has(F::kTcpFlags), "tcp_flags", record.tcp_flags);
    line.known(record.has(F::kInputInterface), "in_if", record.input_interface);
    line.known(record.has(F::kOutputInterface), "out_if", record.output_interface);
    line.known(record.has(F::kSourceAs), "src_as", record.source_as);
    line.known(record.has(F::kDestinationAs), "dst_as", record.destination_as);
    line.known(record.has(F::kStart), "flow_start", record.start);
    line.known(record.has(F::kEnd), "flow_end", record.end);
}

struct Icmp {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
};

/// Exporters of v5, and some of v9, tell type * 256 + code as the destination port. 0 there is an echo reply,
/// or nothing.
std::optional<Icmp> icmp_of(const FlowRecord& record) {
    using F = FlowField;
    constexpr std::uint8_t kIcmp = 1;
    constexpr std::uint8_t kIcmpv6 = 58;
    if (record.has(F::kIcmp)) return Icmp{record.icmp_type, record.icmp_code};
    const bool may_hide_it = record.export_protocol == ExportProtocol::kNetflow5 ||
                             record.export_protocol == ExportProtocol::kNetflow9;
    const bool is_icmp = record.has(F::kProtocol) && (record.protocol == kIcmp || record.protocol == kIcmpv6);
    const std::uint16_t port = record.has(F::kDestinationPort) ? record.destination_port : std::uint16_t{0};
    if (!may_hide_it || !is_icmp || port == 0) return std::nullopt;
    return Icmp{static_cast<std::uint8_t>(port >> 8U), static_cast<std::uint8_t>(port & 0xffU)};
}

void add_where_told(Line& line, const FlowRecord& record) {
    using F = FlowField;
    line.optional(record.has(F::kOtherBytes), "other_bytes", record.bytes);
    line.optional(record.has(F::kOtherPackets), "other_packets", record.packets);
    line.optional(record.has(F::kTos), "tos", record.tos);
    line.optional(record.has(F::kTtl), "ttl", record.ttl);
    const std::optional<Icmp> icmp = icmp_of(record);
    line.optional(icmp.has_value(), "icmp_type", icmp.value_or(Icmp{}).type);
    line.optional(icmp.has_value(), "icmp_code", icmp.value_or(Icmp{}).code);
    line.optional(record.has(F::kSourceMask), "src_mask", record.source_mask);
    line.optional(record.has(F::kDestinationMask), "dst_mask", record.destination_mask);
    line.optional(record.has(F::kNextHop), "next_hop", record.next_hop);
    line.optional(record.has(F::kBgpNextHop), "bgp_next_hop", record.bgp_next_hop);
    line.optional(record.has(F::kSourceMac), "src_mac", record.source_mac);
    line.optional(record.has(F::kDestinationMac), "dst_mac", record.destination_mac);
    line.optional(record.has(F::kSourceVlan), "src_vlan", record.source_vlan);
    line.optional(record.has(F::kDestinationVlan), "dst_vlan", record.destination_vlan);
    line.optional(record.has(F::kEtherType), "ether_type", record.ether_type);
    line.optional(record.has(F::kFragment), "fragment_id", record.fragment_id);
    line.optional(record.has(F::kFragment), "fragment_offset", record.fragment_offset);
    line.optional(record.has(F::kIpv6FlowLabel), "ipv6_flow_label", record.ipv6_flow_label);
    line.optional(record.has(F::kMplsLabel), "mpls_label", record.mpls_label);
    line.optional(record.has(F::kForwardingStatus), "forwarding_status", record.forwarding_status);
    line.optional(record.has(F::kDirection), "direction", record.direction);
    line.optional(record.has(F::kSampler), "sampler", record.sampler);
}

}  // namespace

void append_json_line(const ExporterKey& exporter, const FlowRecord& record, WallTime received,
                      std::string& out) {
    Line line{out};
    add_always(line, exporter, record);
    add_where_told(line, record);
    line.member("received", received);
    line.end();
}

}  // namespace cam::app
