#include "api/listen_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

namespace cam::api {
namespace {

int option(int fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(fd, SOL_SOCKET, name, &value, &size);
    return value;
}

TEST(ListenSocketTest, TakesAFreePortForZero) {
    const auto socket = listen_on("127.0.0.1", 0);
    ASSERT_TRUE(socket);
    EXPECT_NE(socket->port, 0);
    EXPECT_TRUE(socket->is_loopback);
    EXPECT_EQ(socket->address, "127.0.0.1:" + std::to_string(socket->port));
}

TEST(ListenSocketTest, TakesIpv6WithAndWithoutBrackets) {
    for (const char* host : {"::1", "[::1]"}) {
        const auto socket = listen_on(host, 0);
        if (!socket) GTEST_SKIP() << "no IPv6 here: " << socket.error().detail;
        EXPECT_TRUE(socket->is_loopback);
        EXPECT_EQ(socket->address, "[::1]:" + std::to_string(socket->port));
    }
}

TEST(ListenSocketTest, KnowsThatAnyAddressIsNotLoopback) {
    const auto socket = listen_on("0.0.0.0", 0);
    ASSERT_TRUE(socket);
    EXPECT_FALSE(socket->is_loopback);
}

TEST(ListenSocketTest, NeverSharesAPort) {
    const auto first = listen_on("127.0.0.1", 0);
    ASSERT_TRUE(first);
    EXPECT_EQ(option(first->fd.get(), SO_REUSEPORT), 0);
    EXPECT_EQ(option(first->fd.get(), SO_REUSEADDR), 1);
    const auto second = listen_on("127.0.0.1", first->port);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_EQ(second.error().detail,
              "cannot listen on 127.0.0.1:" + std::to_string(first->port) + ": Address already in use");
}

TEST(ListenSocketTest, IsNotInheritedByOtherPrograms) {
    const auto socket = listen_on("127.0.0.1", 0);
    ASSERT_TRUE(socket);
    EXPECT_NE(::fcntl(socket->fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(ListenSocketTest, RefusesAddressesOfOthersAndTextThatIsNone) {
    for (const char* host : {"192.0.2.1", "999.1.1.1", "not an address", "", "[]", "::zz"}) {
        const auto socket = listen_on(host, 0);
        ASSERT_FALSE(socket) << host;
        EXPECT_EQ(socket.error().code, ErrorCode::kInvalid) << host;
    }
}

}  // namespace
}  // namespace cam::api
