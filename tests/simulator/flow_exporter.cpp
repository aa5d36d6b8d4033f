#include "simulator/flow_exporter.h"

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cam::simulator {
namespace {

std::pair<sockaddr_storage, socklen_t> name_of(const std::string& host, std::uint16_t port) {
    const FlowAddress address = FlowAddress::of(host);
    sockaddr_storage out{};
    if (address.is_v6()) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, address.bytes.data(), address.bytes.size());
        std::memcpy(&out, &v6, sizeof v6);
        return {out, sizeof v6};
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, address.bytes.data(), address.bytes.size());
    std::memcpy(&out, &v4, sizeof v4);
    return {out, sizeof v4};
}

}  // namespace

FlowExporter::FlowExporter(const Options& options) : encoder_(options.encoding) {
    const auto [from, from_size] = name_of(options.source, 0);
    const auto [to, to_size] = name_of(options.destination, options.port);
    socket_ = ::socket(from.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0 || ::bind(socket_, reinterpret_cast<const sockaddr*>(&from), from_size) != 0 ||
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), to_size) != 0) {
        const std::string why = std::strerror(errno);
        if (socket_ >= 0) ::close(socket_);
        throw std::runtime_error("flow exporter: " + options.source + " to " + options.destination + ": " +
                                 why);
    }
}

FlowExporter::~FlowExporter() {
    ::close(socket_);
}

std::size_t FlowExporter::send(std::span<const Flow> flows) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    const auto datagrams = encoder_.encode(flows, static_cast<std::uint32_t>(seconds));
    for (const std::string& datagram : datagrams) {
        // ECONNREFUSED tells of an earlier datagram that nobody took, as with a router whose collector is
        // away.
        const bool sent =
            ::send(socket_, datagram.data(), datagram.size(), 0) >= 0 ||
            (errno == ECONNREFUSED && ::send(socket_, datagram.data(), datagram.size(), 0) >= 0);
        if (!sent) throw std::runtime_error(std::string("flow exporter: ") + std::strerror(errno));
    }
    return datagrams.size();
}

}  // namespace cam::simulator
