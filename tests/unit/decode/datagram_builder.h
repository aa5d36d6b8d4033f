#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "unit/decode/wire_bytes.h"

// Datagrams of NetFlow v5, v9 and IPFIX, right or wrong. Sets come from the functions below, or byte by byte.
namespace cam::decode::test {

/// A field of a template. Enterprise elements exist in IPFIX only.
struct Field {
    std::uint16_t id = 0;
    std::uint16_t length = 0;
    std::uint32_t enterprise = 0;
};
using Fields = std::vector<Field>;
inline constexpr std::uint16_t kOpen = 65535;  ///< the length of a variable field

inline WireBytes join(const std::vector<WireBytes>& parts) {
    WireBytes out;
    for (const WireBytes& part : parts) out.add(part);
    return out;
}

/// A set as it should be, padded to four bytes.
inline WireBytes set(std::uint16_t id, const WireBytes& body) {
    WireBytes padded = body;
    padded.pad();
    return WireBytes{}.u16(id).u16(4 + padded.size()).add(padded);
}
/// A set whose length is a lie.
inline WireBytes set_of_length(std::uint16_t id, std::uint16_t length, const WireBytes& body) {
    return WireBytes{}.u16(id).u16(length).add(body);
}

inline WireBytes fields_of(const Fields& fields) {
    WireBytes out;
    for (const Field& field : fields) {
        out.u16(field.enterprise == 0 ? field.id : field.id | 0x8000U).u16(field.length);
        if (field.enterprise != 0) out.u32(field.enterprise);
    }
    return out;
}

/// The same in v9 and IPFIX.
inline WireBytes template_record(std::uint16_t id, const Fields& fields) {
    return WireBytes{}.u16(id).u16(fields.size()).add(fields_of(fields));
}
inline WireBytes netflow9_options_record(std::uint16_t id, const Fields& scopes, const Fields& options) {
    return WireBytes{}
        .u16(id)
        .u16(scopes.size() * 4)
        .u16(options.size() * 4)
        .add(fields_of(scopes))
        .add(fields_of(options));
}
inline WireBytes ipfix_options_record(std::uint16_t id, const Fields& scopes, const Fields& options) {
    return WireBytes{}
        .u16(id)
        .u16(scopes.size() + options.size())
        .u16(scopes.size())
        .add(fields_of(scopes))
        .add(fields_of(options));
}

// Sets of templates.
inline WireBytes netflow9_template(std::uint16_t id, const Fields& fields) {
    return set(0, template_record(id, fields));
}
inline WireBytes netflow9_options(std::uint16_t id, const Fields& scopes, const Fields& options) {
    return set(1, netflow9_options_record(id, scopes, options));
}
inline WireBytes ipfix_template(std::uint16_t id, const Fields& fields) {
    return set(2, template_record(id, fields));
}
inline WireBytes ipfix_options(std::uint16_t id, const Fields& scopes, const Fields& options) {
    return set(3, ipfix_options_record(id, scopes, options));
}
inline WireBytes ipfix_withdrawal(std::uint16_t id) {
    return set(2, WireBytes{}.u16(id).u16(0));
}

/// 2026-01-19 22:51:50 UTC.
inline constexpr std::uint32_t kExportSeconds = 1'768'863'110;

struct Netflow9 {
    std::uint32_t sequence = 0;
    std::uint32_t source_id = 1;
    std::uint32_t uptime_ms = 3'600'000;
    std::uint32_t seconds = kExportSeconds;
    std::uint16_t count = 1;  ///< nobody looks at it
};
inline WireBytes netflow9(const Netflow9& about, const std::vector<WireBytes>& sets) {
    return WireBytes{}
        .u16(9)
        .u16(about.count)
        .u32(about.uptime_ms)
        .u32(about.seconds)
        .u32(about.sequence)
        .u32(about.source_id)
        .add(join(sets));
}

struct Ipfix {
    std::uint32_t sequence = 0;
    std::uint32_t domain = 1;
    std::uint32_t seconds = kExportSeconds;
    int longer = 0;  ///< by how much the length of the message is wrong
};
inline WireBytes ipfix(const Ipfix& about, const std::vector<WireBytes>& sets) {
    const WireBytes body = join(sets);
    return WireBytes{}
        .u16(10)
        .u16(static_cast<std::uint64_t>(static_cast<int>(16 + body.size()) + about.longer))
        .u32(about.seconds)
        .u32(about.sequence)
        .u32(about.domain)
        .add(body);
}

struct Netflow5Record {
    std::uint32_t source = 0xc0000201;       ///< 192.0.2.1
    std::uint32_t destination = 0xc6336407;  ///< 198.51.100.7
    std::uint32_t packets = 10;
    std::uint32_t bytes = 1000;
    std::uint32_t first_ms = 3'590'000;
    std::uint32_t last_ms = 3'599'000;
    std::uint16_t source_port = 40000;
    std::uint16_t destination_port = 443;
    std::uint8_t tcp_flags = 0x12;
    std::uint8_t protocol = 6;
};
struct Netflow5 {
    std::uint32_t sequence = 0;
    std::uint16_t engine = 0;    ///< type and id
    std::uint16_t sampling = 0;  ///< two bits of mode, 14 of interval
    std::uint32_t uptime_ms = 3'600'000;
    std::uint32_t seconds = kExportSeconds;
    std::uint32_t nanoseconds = 250'000'000;
    int more = 0;  ///< by how much the count is wrong
};
inline WireBytes netflow5(const Netflow5& about, const std::vector<Netflow5Record>& records) {
    WireBytes out = WireBytes{}
                        .u16(5)
                        .u16(static_cast<std::uint64_t>(static_cast<int>(records.size()) + about.more))
                        .u32(about.uptime_ms)
                        .u32(about.seconds)
                        .u32(about.nanoseconds)
                        .u32(about.sequence)
                        .u16(about.engine)
                        .u16(about.sampling);
    for (const Netflow5Record& record : records) {
        out.u32(record.source).u32(record.destination).u32(0xc0000263);  // next hop 192.0.2.99
        out.u16(7).u16(8).u32(record.packets).u32(record.bytes).u32(record.first_ms).u32(record.last_ms);
        out.u16(record.source_port).u16(record.destination_port).u8(0).u8(record.tcp_flags);
        out.u8(record.protocol).u8(0xb8).u16(64500).u16(64501).u8(24).u8(22).u16(0);
    }
    return out;
}

}  // namespace cam::decode::test
