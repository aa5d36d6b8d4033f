#pragma once

#include <cstdint>
#include <utility>

#include "cam/model/ip_address.h"

namespace cam::aggregate {

/// Eight bytes in network order as a number.
[[nodiscard]] inline std::uint64_t big_endian(const std::uint8_t* bytes) noexcept {
    std::uint64_t number = 0;
    for (unsigned i = 0; i < 8; ++i) number = number << 8U | bytes[i];
    return number;
}

/// An IPv4 address as a number.
[[nodiscard]] inline std::uint32_t v4_bits(const IpAddress& address) noexcept {
    return static_cast<std::uint32_t>(big_endian(address.bytes().data()) >> 32U);
}

/// An IPv6 address as two numbers, network and interface.
struct V6Bits {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
};
[[nodiscard]] inline V6Bits v6_bits(const IpAddress& address) noexcept {
    return {.high = big_endian(address.bytes().data()), .low = big_endian(address.bytes().data() + 8)};
}

}  // namespace cam::aggregate
