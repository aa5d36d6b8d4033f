#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace cam::clickhouse {

/// A column of `raw` that the daemon's own records fill. `width`: bytes of one value in EncodedRecords.
struct RecordColumn {
    std::string_view name;
    std::string_view type;
    std::size_t width;
};

inline constexpr std::string_view kTimeType = "DateTime64(3, 'UTC')";
inline constexpr std::string_view kExporterType =
    "Enum8('FLOWUNKNOWN' = 0, 'SFLOW_5' = 1, 'NETFLOW_V5' = 2, 'NETFLOW_V9' = 3, 'IPFIX' = 4)";
inline constexpr std::string_view kSamplingType =
    "Enum8('record' = 0, 'options' = 1, 'sflow_sample' = 2, 'header' = 3, 'router_default' = 4, 'none' = 5, "
    "'goflow2' = 6)";

/// In the order in which RecordEncoder fills them. Types are those of the table. `mpls_label` is kept as a
/// number: 2^32 + the label, or 0 for none.
inline constexpr std::array<RecordColumn, 38> kRecordColumns{{
    {"received", kTimeType, 8},
    {"sampler_address", "IPv6", 16},
    {"type", kExporterType, 1},
    {"sampling_rate", "UInt64", 8},
    {"sampling_source", kSamplingType, 1},
    {"flow_start", kTimeType, 8},
    {"flow_end", kTimeType, 8},
    {"bytes", "UInt64", 8},
    {"packets", "UInt64", 8},
    {"src_addr", "IPv6", 16},
    {"dst_addr", "IPv6", 16},
    {"etype", "UInt16", 2},
    {"proto", "UInt8", 1},
    {"src_port", "UInt16", 2},
    {"dst_port", "UInt16", 2},
    {"in_if", "UInt32", 4},
    {"out_if", "UInt32", 4},
    {"tcp_flags", "UInt16", 2},
    {"src_as", "UInt32", 4},
    {"dst_as", "UInt32", 4},
    {"src_mac", "UInt64", 8},
    {"dst_mac", "UInt64", 8},
    {"src_vlan", "UInt16", 2},
    {"dst_vlan", "UInt16", 2},
    {"ip_tos", "UInt8", 1},
    {"forwarding_status", "UInt8", 1},
    {"ip_ttl", "UInt8", 1},
    {"icmp_type", "UInt8", 1},
    {"icmp_code", "UInt8", 1},
    {"ipv6_flow_label", "UInt32", 4},
    {"fragment_id", "UInt32", 4},
    {"fragment_offset", "UInt16", 2},
    {"next_hop", "IPv6", 16},
    {"src_net", "UInt8", 1},
    {"dst_net", "UInt8", 1},
    {"bgp_next_hop", "IPv6", 16},
    {"observation_domain_id", "UInt32", 4},
    {"mpls_label", "Array(UInt32)", 8},
}};

inline constexpr std::size_t kReceivedColumn = 0;
inline constexpr std::size_t kDestinationColumn = 10;
inline constexpr std::size_t kLabelColumn = 37;
static_assert(kRecordColumns[kReceivedColumn].name == "received");
static_assert(kRecordColumns[kDestinationColumn].name == "dst_addr");
static_assert(kRecordColumns[kLabelColumn].name == "mpls_label");

}  // namespace cam::clickhouse
