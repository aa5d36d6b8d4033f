#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "unit/decode/wire_bytes.h"

// Packets as a sampler captures them: 192.0.2.1 -> 198.51.100.7, 2001:db8::1 -> 2001:db8::2,
// 02:00:00:00:00:01 -> 02:00:00:00:00:02, ports 40000 -> 443.
namespace cam::decode::test {

inline WireBytes ethernet(std::uint16_t type, const WireBytes& payload,
                          std::initializer_list<std::uint32_t> tags = {}) {
    WireBytes out{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    for (const std::uint32_t tag : tags) out.u32(tag);
    return out.u16(type).add(payload);
}

struct Ipv4 {
    std::uint8_t protocol = 17;
    std::uint8_t words = 5;        ///< of the header, as it claims; so many are written, at least 5
    std::uint16_t fragment = 0;    ///< flags and offset
    std::uint16_t total = 0xffff;  ///< 0xffff: as long as it is
    std::uint8_t version = 4;
};
inline WireBytes ipv4(const Ipv4& about, const WireBytes& payload) {
    const std::size_t header = about.words > 5 ? std::size_t{about.words} * 4 : 20;
    WireBytes out;
    out.u8(static_cast<unsigned>(about.version) << 4U | about.words).u8(0xb8);
    out.u16(about.total == 0xffff ? header + payload.size() : about.total);
    out.u16(0x1234).u16(about.fragment).u8(61).u8(about.protocol).u16(0);
    out.add({192, 0, 2, 1}).add({198, 51, 100, 7}).fill(header - 20, 1);
    return out.add(payload);
}

struct Ipv6 {
    std::uint8_t next_header = 17;
    std::uint16_t payload_bytes = 0xffff;  ///< 0xffff: as many as there are
};
inline WireBytes ipv6(const Ipv6& about, const WireBytes& payload) {
    WireBytes out;
    out.u32(0x6b812345).u16(about.payload_bytes == 0xffff ? payload.size() : about.payload_bytes);
    out.u8(about.next_header).u8(64);
    out.u32(0x20010db8).fill(11).u8(1).u32(0x20010db8).fill(11).u8(2);
    return out.add(payload);
}

inline WireBytes udp_datagram(std::size_t payload = 8) {
    return WireBytes{}.u16(40000).u16(443).u16(8 + payload).u16(0).fill(payload);
}
inline WireBytes tcp_segment(std::uint16_t flags) {
    return WireBytes{}.u16(40000).u16(443).u32(1).u32(2).u16(0x5000U | flags).u16(512).u32(0);
}

}  // namespace cam::decode::test
