#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cam/model/ip_address.h"
#include "cam/model/prefix.h"

namespace cam {

/// The start of a minute, UTC.
using MinuteTime = std::chrono::sys_time<std::chrono::minutes>;

/// What `advanced_ddos` looks at one by one. A packet belongs to kAll and to every other class that fits: a
/// SYN is kTcp and kTcpSyn. docs/protocols.md says which flow belongs where.
enum class TrafficClass : std::uint8_t {
    kAll,
    kTcp,
    kTcpSyn,  ///< SYN without ACK
    kTcpAck,  ///< ACK alone
    kTcpRst,  ///< RST
    kUdp,
    kIcmp,  ///< ICMP and ICMPv6
    kGre,
    kEsp,
    kOther,
};
inline constexpr std::size_t kTrafficClassCount = 10;

[[nodiscard]] constexpr const char* name(TrafficClass traffic_class) {
    switch (traffic_class) {
        case TrafficClass::kAll:
            return "all";
        case TrafficClass::kTcp:
            return "tcp";
        case TrafficClass::kTcpSyn:
            return "tcp_syn";
        case TrafficClass::kTcpAck:
            return "tcp_ack";
        case TrafficClass::kTcpRst:
            return "tcp_rst";
        case TrafficClass::kUdp:
            return "udp";
        case TrafficClass::kIcmp:
            return "icmp";
        case TrafficClass::kGre:
            return "gre";
        case TrafficClass::kEsp:
            return "esp";
        case TrafficClass::kOther:
            return "other";
    }
    return "other";
}

/// Estimated (observed times sampling rate) counts of a minute; flows are records times their rate. Sums
/// saturate.
struct Volume {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::uint64_t flows = 0;

    Volume& operator+=(const Volume& other) noexcept {
        bytes = sum(bytes, other.bytes);
        packets = sum(packets, other.packets);
        flows = sum(flows, other.flows);
        return *this;
    }
    [[nodiscard]] bool empty() const noexcept { return bytes == 0 && packets == 0 && flows == 0; }
    [[nodiscard]] double bits_per_second() const noexcept { return static_cast<double>(bytes) * 8 / 60; }
    [[nodiscard]] double packets_per_second() const noexcept { return static_cast<double>(packets) / 60; }
    [[nodiscard]] double flows_per_second() const noexcept { return static_cast<double>(flows) / 60; }
    friend bool operator==(const Volume&, const Volume&) = default;

private:
    static std::uint64_t sum(std::uint64_t a, std::uint64_t b) noexcept {
        constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
        return a > kMost - b ? kMost : a + b;
    }
};

using ClassVolumes = std::array<Volume, kTrafficClassCount>;  ///< by TrafficClass

/// A minute of traffic to a prefix (contract section 6).
struct PrefixMinute {
    Prefix prefix;
    MinuteTime minute;
    ClassVolumes classes{};
    [[nodiscard]] const Volume& all() const noexcept { return classes[0]; }
};

/// What a minute's traffic of a prefix was made of, by one property.
enum class TrafficFacet : std::uint8_t {
    kSource,           ///< /24 or /64 of the source
    kSourceAs,         ///< AS number
    kSourceCountry,    ///< ISO 3166-1 alpha-2
    kSourcePort,       ///< protocol/port, such as `17/53`
    kDestinationPort,  ///< protocol/port
    kDestination,      ///< host address
    kInterface,        ///< exporter and its input interface, such as `192.0.2.1#12`
    kExporter,         ///< address
};
inline constexpr std::size_t kTrafficFacetCount = 8;

[[nodiscard]] constexpr const char* name(TrafficFacet facet) {
    switch (facet) {
        case TrafficFacet::kSource:
            return "source";
        case TrafficFacet::kSourceAs:
            return "source_as";
        case TrafficFacet::kSourceCountry:
            return "source_country";
        case TrafficFacet::kSourcePort:
            return "source_port";
        case TrafficFacet::kDestinationPort:
            return "destination_port";
        case TrafficFacet::kDestination:
            return "destination";
        case TrafficFacet::kInterface:
            return "interface";
        case TrafficFacet::kExporter:
            return "exporter";
    }
    return "source";
}

/// One of the largest contributors to a minute of a prefix. In bounded space: a small contributor may be
/// missing, and the volume of a shown one is an estimate.
struct Contributor {
    Prefix prefix;
    MinuteTime minute;
    TrafficFacet facet;
    std::string key;
    Volume volume;
};

}  // namespace cam
