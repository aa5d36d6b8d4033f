#include "simulator/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "simulator/http_connection.h"

namespace cam::simulator {
namespace {

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

int listen_on_loopback(std::uint16_t port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("socket");
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 128) != 0) {
        const int why = errno;
        ::close(listener);
        errno = why;
        fail("cannot listen on 127.0.0.1:" + std::to_string(port));
    }
    return listener;
}

std::uint16_t port_of(int listener) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
    return ntohs(address.sin_port);
}

void reset_on_close(int socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace

void HttpServer::start(std::uint16_t port) {
    if (listener_ >= 0) return;
    listener_ = listen_on_loopback(port);
    port_ = port_of(listener_);
    stop_signal_ = ::eventfd(0, EFD_CLOEXEC);
    if (stop_signal_ < 0) fail("eventfd");
    acceptor_ = std::thread([this] { accept_loop(); });
}

void HttpServer::stop() {
    if (listener_ < 0) return;
    const std::uint64_t one = 1;
    if (::write(stop_signal_, &one, sizeof one) < 0) fail("eventfd write");
    acceptor_.join();
    {
        const std::lock_guard lock(mutex_);
        for (Connection& connection : connections_) {
            if (connection.socket >= 0) ::shutdown(connection.socket, SHUT_RDWR);
        }
    }
    // Only the acceptor adds connections, and it has ended.
    for (Connection& connection : connections_) connection.thread.join();
    connections_.clear();
    ::close(listener_);
    ::close(stop_signal_);
    listener_ = stop_signal_ = -1;
}

void HttpServer::accept_loop() {
    std::array<pollfd, 2> events{pollfd{listener_, POLLIN, 0}, pollfd{stop_signal_, POLLIN, 0}};
    for (;;) {
        if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return;
        if (events[1].revents != 0) return;
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) continue;
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        reap_finished();
        const std::lock_guard lock(mutex_);
        Connection& connection = connections_.emplace_back();
        connection.socket = socket;
        connection.number = ++accepted_;
        connection.thread = std::thread([this, &connection, socket] { serve(connection, socket); });
    }
}

void HttpServer::reap_finished() {
    const std::lock_guard lock(mutex_);
    connections_.remove_if([](Connection& connection) {
        if (connection.socket >= 0) return false;
        connection.thread.join();
        return true;
    });
}

void HttpServer::serve(Connection& connection, int socket) {
    HttpConnection http(socket, stop_signal_);
    auto next = HttpConnection::Next::kRead;
    while (next == HttpConnection::Next::kRead) {
        auto request = http.read_request();
        if (!request) break;
        request->connection = connection.number;
        next = http.answer(*request, handler_(*request));
    }
    if (next == HttpConnection::Next::kReset) reset_on_close(socket);
    const std::lock_guard lock(mutex_);
    ::close(socket);
    connection.socket = -1;
}

}  // namespace cam::simulator
