#pragma once

#include <optional>

#include "cam/base/byte_reader.h"
#include "cam/model/ip_address.h"

namespace cam::decode {

/// An address of an sFlow datagram; its sender may say that it does not know it.
struct SflowAddress {
    std::optional<IpAddress> address;
};

/// Reads type and bytes (struct address); nullopt for a type that has no known length, behind which nothing
/// can be read, and for one that is cut.
inline std::optional<SflowAddress> read_sflow_address(ByteReader& reader) noexcept {
    const std::optional<std::uint32_t> type = reader.u32();
    if (!type) return std::nullopt;
    switch (*type) {
        case 0:
            return SflowAddress{};
        case 1: {
            const auto bytes = reader.bytes<4>();
            if (!bytes) return std::nullopt;
            return SflowAddress{IpAddress::v4(*bytes)};
        }
        case 2: {
            const auto bytes = reader.bytes<16>();
            if (!bytes) return std::nullopt;
            return SflowAddress{IpAddress::v6(*bytes)};
        }
        default:
            return std::nullopt;
    }
}

}  // namespace cam::decode
