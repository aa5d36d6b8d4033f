#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace cam {

/// Sends any bytes as datagrams from an address of the loopback range to 127.0.0.1. One thread at a time.
class UdpSender {
public:
    UdpSender(const std::string& source, std::uint16_t port)
        : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in from{};
        from.sin_family = AF_INET;
        sockaddr_in to = from;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::inet_pton(AF_INET, source.c_str(), &from.sin_addr) != 1 ||
            ::bind(socket_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
            ::close(socket_);
            throw std::runtime_error("no socket from " + source);
        }
    }
    ~UdpSender() { ::close(socket_); }
    UdpSender(const UdpSender&) = delete;
    UdpSender& operator=(const UdpSender&) = delete;

    /// False if the machine refuses it.
    bool send(std::string_view datagram) const {
        return ::send(socket_, datagram.data(), datagram.size(), 0) >= 0;
    }

private:
    int socket_;
};

}  // namespace cam
