#include "unit/api/raw_client.h"

#include <array>
#include <charconv>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

namespace cam::api {

RawClient::RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{10, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd_.close();
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string RawClient::read_to_end() {
    return read_past({});
}

std::string RawClient::read_past(std::string_view mark) {
    std::string text;
    std::array<char, 4096> piece;
    while (mark.empty() || text.find(mark) == std::string::npos) {
        const ssize_t got = ::recv(fd_.get(), piece.data(), piece.size(), 0);
        if (got <= 0) break;
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
}

int status_of(std::string_view answer) {
    constexpr std::string_view kStart = "HTTP/1.1 ";
    int status = 0;
    if (answer.starts_with(kStart)) {
        std::from_chars(answer.data() + kStart.size(), answer.data() + answer.size(), status);
    }
    return status;
}

std::string body_of(std::string_view answer) {
    const std::size_t end = answer.find("\r\n\r\n");
    return std::string{end == std::string_view::npos ? "" : answer.substr(end + 4)};
}

TEST(RawClientTest, ReadsTheStatusAndTheBodyOfAnAnswer) {
    EXPECT_EQ(status_of("HTTP/1.1 404 Not Found\r\n\r\nx"), 404);
    EXPECT_EQ(status_of("nonsense"), 0);
    EXPECT_EQ(body_of("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"), "body");
}

}  // namespace cam::api
