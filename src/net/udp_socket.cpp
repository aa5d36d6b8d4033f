#include "udp_socket.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>

#include <spdlog/fmt/fmt.h>

#include "cam/base/listen_error.h"

namespace cam::net {
namespace {

struct Bindable {
    sockaddr_storage storage{};
    socklen_t size = 0;
    std::string text;
};

std::optional<Bindable> bindable(const UdpReceiver::Address& address) {
    const bool has_brackets =
        address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']';
    const std::string bare = has_brackets ? address.host.substr(1, address.host.size() - 2) : address.host;
    Bindable out;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, bare.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        std::memcpy(&out.storage, &v4, sizeof v4);
        out.size = sizeof v4;
        out.text = fmt::format("{}:{}", bare, address.port);
        return out;
    }
    if (::inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        std::memcpy(&out.storage, &v6, sizeof v6);
        out.size = sizeof v6;
        out.text = fmt::format("[{}]:{}", bare, address.port);
        return out;
    }
    return std::nullopt;
}

Error failed(const std::string& address, int fault) {
    return {listen_error(fault),
            fmt::format("cannot listen on UDP {}: {}", address, std::system_category().message(fault))};
}

constexpr std::uint32_t kMix = 0x9E3779B1;  // odd, from the golden ratio (Knuth 6.4)
constexpr unsigned kMixShift = 16;

bool set(const UniqueFd& socket, int level, int option, int value) {
    return ::setsockopt(socket.get(), level, option, &value, sizeof value) == 0;
}

Result<UniqueFd, int> bound_socket(const Bindable& where, Stack stack, bool shares) {
    const int family = where.storage.ss_family;
    UniqueFd fd{::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP)};
    if (!fd.valid()) return errno;
    if (shares && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) return errno;
    if (family == AF_INET6 && !set(fd, IPPROTO_IPV6, IPV6_V6ONLY, stack == Stack::kDual ? 0 : 1)) {
        return errno;
    }
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&where.storage), where.size) != 0) return errno;
    return fd;
}

std::uint16_t port_of(const UniqueFd& socket) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
    if (storage.ss_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &storage, sizeof v4);
        return ntohs(v4.sin_port);
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    return ntohs(v6.sin6_port);
}

/// The kernel doubles what it is told, for its own bookkeeping, and says the doubled number.
std::size_t grow_buffer(const UniqueFd& socket, std::size_t wanted) {
    const int bytes = static_cast<int>(wanted);
    if (!set(socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) set(socket, SOL_SOCKET, SO_RCVBUF, bytes);
    int granted = 0;
    socklen_t size = sizeof granted;
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &granted, &size) != 0 || granted < 0) return 0;
    return static_cast<std::size_t>(granted) / 2;
}

}  // namespace

Result<UdpSocket> bind_udp(const UdpReceiver::Address& address, Stack stack, Join join,
                           std::size_t receive_buffer_bytes) {
    const std::optional<Bindable> where = bindable(address);
    if (!where) {
        return Error{
            ErrorCode::kInvalid,
            fmt::format("cannot listen on UDP {}: expected a literal IPv4 or IPv6 address", address.host)};
    }
    if (join == Join::kFirst) {
        // A socket that shares its port would join another process' group, and take half of its datagrams.
        const Result<UniqueFd, int> probe = bound_socket(*where, stack, false);
        if (!probe) return failed(where->text, probe.error());
    }
    Result<UniqueFd, int> fd = bound_socket(*where, stack, true);
    if (!fd) return failed(where->text, fd.error());
    if (!set(*fd, SOL_SOCKET, SO_RXQ_OVFL, 1)) return failed(where->text, errno);
    UdpSocket made;
    made.granted_buffer_bytes = grow_buffer(*fd, receive_buffer_bytes);
    made.port = port_of(*fd);
    made.fd = std::move(fd).value();
    return made;
}

bool spread_by_source_address(const UniqueFd& socket, std::size_t members) {
    // In this hook offset 0 is the UDP payload; SKF_NET_OFF reaches back to the IP header (socket(7),
    // SO_ATTACH_REUSEPORT_CBPF). A socket for both stacks sees both versions.
    constexpr auto kIp = static_cast<std::uint32_t>(SKF_NET_OFF);
    constexpr std::uint32_t kSource4 = kIp + 12;
    constexpr std::uint32_t kSource6 = kIp + 8;
    std::array<sock_filter, 19> program{{
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kIp),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource4),
        BPF_JUMP(BPF_JMP | BPF_JA, 10, 0, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6 + 4),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6 + 8),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSource6 + 12),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, kMix),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, kMixShift),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, static_cast<std::uint32_t>(members)),
        BPF_STMT(BPF_RET | BPF_A, 0),
    }};
    const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    return ::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &attached, sizeof attached) == 0;
}

// What the filter above computes.
std::size_t UdpReceiver::worker_of(const IpAddress& source, std::size_t workers) noexcept {
    const std::array<std::uint8_t, 16>& bytes = source.bytes();
    std::uint32_t mixed = 0;
    for (std::size_t at = 0; at < source.width() / 8; at += 4) {
        std::uint32_t word = 0;
        for (std::size_t i = 0; i < 4; ++i) word = word << 8U | bytes[at + i];
        mixed ^= word;
    }
    return ((mixed * kMix) >> kMixShift) % workers;
}

}  // namespace cam::net
