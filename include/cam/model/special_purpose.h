#pragma once

#include <optional>
#include <string_view>

#include "cam/model/ip_address.h"

namespace cam {

/// What an address that cannot be a real source on the Internet is for, in words for people: `private range`,
/// `loopback`, `link-local`, `multicast`, `documentation`, …; nullopt for an address that can be real. From
/// the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890, 8190 and what was registered since,
/// up to RFC 9780; entries that are not globally reachable), multicast (RFC 5771, RFC 4291), reserved IPv4
/// space (RFC 1112 section 4) and the IPv6 space that IANA has given to nobody (all but 2000::/3). An address
/// of 6to4 (2002::/16) or of NAT64's well-known prefix (64:ff9b::/96) is judged by the IPv4 address in it. A
/// packet from such an address is spoofed. Safe from any thread.
[[nodiscard]] std::optional<std::string_view> special_purpose(const IpAddress& address);

}  // namespace cam
