#include "api/socket_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/socket.h>

namespace cam::api {
namespace {

constexpr std::size_t kPiece = 4096;
/// How often a wait looks whether others have come to wait.
constexpr std::chrono::milliseconds kLook{50};

}  // namespace

void SocketStream::begin(Patience patience) {
    patience_ = patience;
    began_ = around_.clock.steady();
}

bool SocketStream::wait_for(short events) const {
    std::array<pollfd, 2> sockets{pollfd{socket_, events, 0}, pollfd{around_.stop_signal, POLLIN, 0}};
    for (;;) {
        const auto allowed = around_.waiting.load() > 0 ? patience_.crowded : patience_.calm;
        const std::chrono::milliseconds left = began_ + allowed - around_.clock.steady();
        if (left.count() <= 0) return false;
        const auto slice = std::min(left, kLook);
        const int ready = ::poll(sockets.data(), sockets.size(), static_cast<int>(slice.count()));
        if (ready < 0 && errno != EINTR) return false;
        if (ready <= 0) continue;
        return sockets[1].revents == 0;
    }
}

ssize_t SocketStream::receive(char* to, size_t size) {
    for (;;) {
        const ssize_t got = ::recv(socket_, to, size, 0);
        if (got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return got;
        if (!wait_for(POLLIN)) return -1;
    }
}

bool SocketStream::fill() {
    std::array<char, kPiece> piece;
    const ssize_t got = receive(piece.data(), piece.size());
    if (got <= 0) return false;
    if (at_ == buffer_.size()) {
        buffer_.clear();
        at_ = 0;
    }
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
    return true;
}

SocketStream::Head SocketStream::read_head(std::size_t most, Patience idle, Patience whole) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    buffer_.erase(0, std::exchange(at_, 0));
    head_size_ = 0;
    begin(idle);
    for (;;) {
        buffer_.erase(0, buffer_.find_first_not_of("\r\n"));  // RFC 9112 2.2: blank lines before a request
        if (!buffer_.empty()) break;
        if (!fill()) return Head::kGone;
    }
    begin(whole);
    for (std::size_t searched = 0;;) {
        const std::size_t end = buffer_.find(kEnd, searched);
        const std::size_t size = end == std::string::npos ? buffer_.size() : end + kEnd.size();
        if (size > most) return Head::kTooLarge;
        if (end != std::string::npos) {
            head_size_ = size;
            return Head::kWhole;
        }
        searched = buffer_.size() - std::min(buffer_.size(), kEnd.size() - 1);
        if (!fill()) return Head::kLate;
    }
}

void SocketStream::replace_head(const std::string& head) {
    buffer_.replace(at_, head_size_, head);
    head_size_ = head.size();
}

void SocketStream::drain(std::size_t most, Patience patience) {
    begin(patience);
    ::shutdown(socket_, SHUT_WR);
    std::array<char, kPiece> piece;
    for (std::size_t taken = 0; taken < most;) {
        const ssize_t got = receive(piece.data(), piece.size());
        if (got <= 0) return;
        taken += static_cast<std::size_t>(got);
        if (!wait_for(POLLIN)) return;
    }
}

bool SocketStream::is_readable() const {
    return at_ < buffer_.size() || wait_for(POLLIN);
}

bool SocketStream::is_writable() const {
    return wait_for(POLLOUT);
}

ssize_t SocketStream::read(char* to, size_t size) {
    if (at_ == buffer_.size() && !fill()) return -1;
    const std::size_t count = buffer_.copy(to, size, at_);
    at_ += count;
    return static_cast<ssize_t>(count);
}

ssize_t SocketStream::write(const char* from, size_t size) {
    for (;;) {
        const ssize_t sent = ::send(socket_, from, size, MSG_NOSIGNAL);
        if (sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return sent;
        if (!wait_for(POLLOUT)) return -1;
    }
}

// httplib would add the addresses to the request's headers; nothing here asks for them.
void SocketStream::get_remote_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
}

void SocketStream::get_local_ip_and_port(std::string& ip, int& port) const {
    ip.clear();
    port = 0;
}

}  // namespace cam::api
