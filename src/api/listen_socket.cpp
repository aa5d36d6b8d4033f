#include "api/listen_socket.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <spdlog/fmt/fmt.h>

#include "cam/base/listen_error.h"
#include "cam/model/ip_address.h"

namespace cam::api {
namespace {

constexpr int kBacklog = 64;

std::string text_of(std::string_view host, std::uint16_t port) {
    if (host.find(':') == std::string_view::npos) return fmt::format("{}:{}", host, port);
    return fmt::format("[{}]:{}", host, port);
}

struct Bound {
    IpAddress address;
    std::uint16_t port;
};

std::optional<Bound> bound_address(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return std::nullopt;
    if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        return Bound{IpAddress::v4(std::bit_cast<std::array<std::uint8_t, 4>>(v4.sin_addr)),
                     ntohs(v4.sin_port)};
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    return Bound{IpAddress::v6(std::bit_cast<std::array<std::uint8_t, 16>>(v6.sin6_addr)),
                 ntohs(v6.sin6_port)};
}

bool is_loopback(const IpAddress& address) {
    if (address.family() == IpAddress::Family::kV4) return address.bytes()[0] == 127;
    return address.text() == "::1";
}

/// The socket, or errno.
Result<UniqueFd, int> listen_at(const addrinfo& where) {
    UniqueFd fd{
        ::socket(where.ai_family, where.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, where.ai_protocol)};
    if (!fd.valid()) return errno;
    // REUSEADDR lets a restart bind while old connections linger. Not REUSEPORT (httplib's default): with it,
    // two daemons would share the port, and each would get half of the requests.
    const int yes = 1;
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) return errno;
    if (::bind(fd.get(), where.ai_addr, where.ai_addrlen) != 0) return errno;
    if (::listen(fd.get(), kBacklog) != 0) return errno;
    return fd;
}

}  // namespace

Result<ListenSocket> listen_on(const std::string& host, std::uint16_t port) {
    const bool has_brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
    const std::string bare = has_brackets ? host.substr(1, host.size() - 2) : host;
    const std::string wanted = text_of(bare, port);
    if (bare.empty()) return Error{ErrorCode::kInvalid, "cannot listen: the address is empty"};

    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int fault = ::getaddrinfo(bare.c_str(), std::to_string(port).c_str(), &hints, &found);
        fault != 0) {
        return Error{ErrorCode::kInvalid,
                     fmt::format("cannot listen on {}: {}", wanted, ::gai_strerror(fault))};
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
    int why = EADDRNOTAVAIL;
    for (const addrinfo* where = found; where != nullptr; where = where->ai_next) {
        Result<UniqueFd, int> fd = listen_at(*where);
        if (!fd) {
            why = fd.error();
            if (why == EADDRINUSE) break;  // not the name's next address: the first one is what was meant
            continue;
        }
        const std::optional<Bound> bound = bound_address(fd->get());
        if (!bound) return Error{ErrorCode::kInternal, fmt::format("cannot listen on {}", wanted)};
        return ListenSocket{.fd = std::move(fd).value(),
                            .port = bound->port,
                            .is_loopback = is_loopback(bound->address),
                            .address = text_of(bound->address.text(), bound->port)};
    }
    return Error{listen_error(why),
                 fmt::format("cannot listen on {}: {}", wanted, std::system_category().message(why))};
}

}  // namespace cam::api
