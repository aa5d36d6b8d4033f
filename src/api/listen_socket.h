#pragma once

#include <cstdint>
#include <string>

#include "cam/base/result.h"
#include "cam/base/unique_fd.h"

namespace cam::api {

/// A TCP socket that listens; what it bound.
struct ListenSocket {
    UniqueFd fd;  ///< non-blocking, closed on exec
    std::uint16_t port;
    bool is_loopback;
    std::string address;  ///< `127.0.0.1:8090`, `[::1]:8090`
};

/// Listens on `host`, an address (IPv6 with or without brackets) or a name; port 0 is any free one. Never
/// shares a port with another process. kBusy: taken; kInvalid: no address, or none of this machine; kRefused:
/// not permitted.
[[nodiscard]] Result<ListenSocket> listen_on(const std::string& host, std::uint16_t port);

}  // namespace cam::api
