#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "cam/base/check.h"
#include "cam/base/unique_fd.h"

namespace cam::net {

/// One connection as its peer sees it, for answers that no HTTP library would give.
class RawConnection {
public:
    explicit RawConnection(int fd) : fd_(fd) {}

    /// Reads until the end of a request's header; false if the peer left.
    bool read_header() {
        while (received_.find("\r\n\r\n") == std::string::npos) {
            if (!read_some()) return false;
        }
        return true;
    }
    /// Blocks until the peer is gone.
    void wait_for_end() {
        while (read_some()) received_.clear();
    }
    void send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Ends the connection with RST instead of FIN.
    void reset() {
        const linger hard{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        fd_.close();
    }
    void shut() { ::shutdown(fd_.get(), SHUT_RDWR); }

private:
    bool read_some() {
        char buffer[4096];
        const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (got <= 0) return false;
        received_.append(buffer, static_cast<std::size_t>(got));
        return true;
    }
    UniqueFd fd_;
    std::string received_;
};

/// Listens on a free port of 127.0.0.1 and gives every connection, one after the other, to `serve`. The last
/// one must have ended, or end with its peer, before this is destroyed.
class RawServer {
public:
    explicit RawServer(std::function<void(RawConnection&)> serve)
        : serve_(std::move(serve)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);  // the sockets API wants it
        check(::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 16) == 0 &&
                  ::getsockname(listener_.get(), any, &size) == 0,
              "a test cannot listen on 127.0.0.1");
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this] { accept_all(); });
    }
    ~RawServer() {
        stopping_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
    }
    RawServer(const RawServer&) = delete;
    RawServer& operator=(const RawServer&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
    [[nodiscard]] int connections() const { return connections_; }

private:
    void accept_all() {
        while (!stopping_) {
            const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0 && errno == EINTR) continue;
            if (fd < 0) return;
            ++connections_;
            RawConnection connection{fd};
            serve_(connection);
        }
    }
    std::function<void(RawConnection&)> serve_;
    UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<int> connections_{0};
    std::jthread thread_;
};

}  // namespace cam::net
