#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/socket.h>

#include "cam/base/result.h"
#include "cam/base/unique_fd.h"
#include "cam/net/udp_receiver.h"

namespace cam::net {

/// A bound UDP socket of a group that shares its port.
struct UdpSocket {
    UniqueFd fd;
    std::uint16_t port = 0;
    std::size_t granted_buffer_bytes = 0;
};

/// Whether an IPv6 socket also takes IPv4.
enum class Stack { kSingle, kDual };

/// The group's first socket makes sure that no other process has the port; the others join it.
enum class Join { kFirst, kMember };

/// Non-blocking, closed on exec, counting the kernel's drops. Errors as UdpReceiver::open.
[[nodiscard]] Result<UdpSocket> bind_udp(const UdpReceiver::Address& address, Stack stack, Join join,
                                         std::size_t receive_buffer_bytes);

/// Lets the kernel choose among the `members` of the socket's group, in the order they were bound, by the
/// datagram's source address. False if it does not know how.
[[nodiscard]] bool spread_by_source_address(const UniqueFd& socket, std::size_t members);

}  // namespace cam::net
