#pragma once

#include <array>
#include <cstdint>

#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

/// The values of a FlowMessage (GoFlow2's flow record) that a flow record does not hold as they are. Kafka
/// topics and ClickHouse tables of ours carry the same ones as GoFlow2's. Pure functions.
namespace cam::flow_message {

/// `type`: GoFlow2's numbers of the export protocols.
[[nodiscard]] constexpr std::uint8_t type(ExportProtocol protocol) noexcept {
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

/// `src_mac` and `dst_mac`: the address as a number, its first byte the highest of six.
[[nodiscard]] constexpr std::uint64_t mac(const std::array<std::uint8_t, 6>& address) noexcept {
    std::uint64_t number = 0;
    for (const std::uint8_t byte : address) number = number << 8U | byte;
    return number;
}

/// `etype`: of the addresses where the record has one, whatever ether type was told: GoFlow2 looks behind the
/// labels of MPLS, and does not read IPFIX element 256. Without an address the ether type that was told
/// (GoFlow2 knows it of sampled frames only); 0: neither.
[[nodiscard]] inline std::uint16_t etype(const FlowRecord& record) noexcept {
    constexpr std::uint16_t kIpv4 = 0x0800;
    constexpr std::uint16_t kIpv6 = 0x86dd;
    const auto of = [](const IpAddress& address) {
        return address.family() == IpAddress::Family::kV4 ? kIpv4 : kIpv6;
    };
    if (record.has(FlowField::kDestination)) return of(record.destination);
    if (record.has(FlowField::kSource)) return of(record.source);
    return record.has(FlowField::kEtherType) ? record.ether_type : std::uint16_t{0};
}

}  // namespace cam::flow_message
