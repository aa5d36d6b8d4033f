// cam-udp-sink: receives datagrams with recvmmsg and forgets them: what no collector can be cheaper than. On
// SIGTERM it prints one JSON object: datagrams, bytes, the kernel's drops and its own CPU time.

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace {

volatile std::sig_atomic_t stopping = 0;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: cam-udp-sink PORT\n";
        return 2;
    }
    struct sigaction action {};
    action.sa_handler = [](int) { stopping = 1; };
    ::sigaction(SIGTERM, &action, nullptr);

    constexpr std::size_t kBatch = 64;
    constexpr std::size_t kLargest = 65'536;
    static std::array<std::array<char, kLargest>, kBatch> buffers;
    std::array<mmsghdr, kBatch> messages{};
    std::array<iovec, kBatch> parts{};
    std::array<std::array<char, CMSG_SPACE(sizeof(std::uint32_t))>, kBatch> controls{};
    for (std::size_t i = 0; i < kBatch; ++i) {
        parts[i] = {buffers[i].data(), kLargest};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = controls[i].data();
    }
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int size = 16 * 1024 * 1024;
    const int yes = 1;
    if (::setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
        ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    ::setsockopt(socket, SOL_SOCKET, SO_RXQ_OVFL, &yes, sizeof yes);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
        std::cerr << "cam-udp-sink: cannot bind: " << std::strerror(errno) << "\n";
        return 1;
    }
    std::uint64_t datagrams = 0;
    std::uint64_t bytes = 0;
    std::uint32_t drops = 0;
    while (stopping == 0) {
        for (mmsghdr& message : messages) message.msg_hdr.msg_controllen = sizeof controls[0];
        const int count = ::recvmmsg(socket, messages.data(), kBatch, MSG_WAITFORONE, nullptr);
        if (count <= 0) continue;
        for (int i = 0; i < count; ++i) bytes += messages[static_cast<std::size_t>(i)].msg_len;
        datagrams += static_cast<std::uint64_t>(count);
        msghdr& last = messages[static_cast<std::size_t>(count) - 1].msg_hdr;
        if (cmsghdr* told = CMSG_FIRSTHDR(&last); told != nullptr && told->cmsg_type == SO_RXQ_OVFL) {
            std::memcpy(&drops, CMSG_DATA(told), sizeof drops);
        }
    }
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    std::cout << "{\"datagrams\": " << datagrams << ", \"bytes\": " << bytes << ", \"drops\": " << drops
              << ", \"cpu_seconds\": " << seconds(used.ru_utime) + seconds(used.ru_stime) << "}" << std::endl;
    return 0;
}
