#pragma once

#include <cstdint>
#include <optional>

#include "cam/base/byte_reader.h"
#include "cam/model/flow_record.h"

namespace cam::decode {

/// What the first byte of a captured packet belongs to.
enum class LinkType : std::uint8_t {
    kEthernet,   ///< Ethernet II or 802.3, without preamble; tags as they come
    kEtherType,  ///< an ether type of two bytes and what it names
    kPpp,        ///< PPP (RFC 1661), with or without address and control (RFC 1662)
    kIp,         ///< IPv4 or IPv6, told apart by their version
    kMpls,       ///< a label stack (RFC 3032)
};

/// What a packet tells of itself that is no field of a flow record.
struct PacketHeader {
    /// Of the IP packet by its own header, in bytes; nullopt without one (not IP, cut, or 0 as segmentation
    /// offload and jumbograms write it).
    std::optional<std::uint32_t> length;
    /// What was captured of it behind the IP header and its extensions; empty without one. Lies in the frame.
    ByteReader payload;
    bool more_fragments = false;
    bool is_cut = false;  ///< fewer bytes were captured than `length` says
};

/// Reads the beginning of a packet that was captured somewhere else, and writes what it tells into `record`:
/// MAC addresses, VLAN, ether type, top label, addresses, protocol, TOS, TTL, flow label, fragment, ports,
/// TCP flags, ICMP type and code. Never touches bytes, packets and sampling. Members that are not read keep
/// their values.
///
/// The outer packet is the one that is told: of a tunnel (GRE, IPIP, 6in4, VXLAN) its carrier. Behind a label
/// stack the payload is taken for IP if its first four bits are 4 or 6 (RFC 4928). A packet that is cut or
/// makes no sense ends the reading; what was read before it stays. Ports, flags and ICMP types are read only
/// inside the packet's own length and only from the first fragment. The protocol behind IPv6 extension
/// headers (RFC 8200) is the last "next header" that was captured.
///
/// Time is linear in the captured bytes. Safe from any thread.
PacketHeader decode_packet_header(ByteReader frame, LinkType link, FlowRecord& record) noexcept;

}  // namespace cam::decode
