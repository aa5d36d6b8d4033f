#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cam/base/result.h"
#include "cam/model/ip_address.h"

namespace cam::net {

/// One datagram; valid during the call that hands it out.
struct Datagram {
    IpAddress source;
    std::uint16_t source_port = 0;
    std::span<const std::uint8_t> payload;
    bool is_truncated = false;  ///< longer than the buffer: the tail is lost
};

/// Receives UDP on several addresses with recvmmsg. One thread at a time; each flow worker owns one.
class UdpReceiver {
public:
    struct Address {
        std::string host;        ///< literal address, with or without brackets
        std::uint16_t port = 0;  ///< 0: any free one
    };
    struct Options {
        std::vector<Address> listen;
        std::size_t receive_buffer_bytes = 16'777'216;  ///< asked of the kernel per socket
        std::size_t batch = 64;                         ///< datagrams per system call
    };
    /// Makes one receiver per worker on the same addresses (SO_REUSEPORT). The kernel gives all datagrams of
    /// one source address to the same worker, whatever their port. kBusy: an address is taken; kInvalid: it
    /// is none of ours. Nothing is bound if one fails.
    static Result<std::vector<std::unique_ptr<UdpReceiver>>> open(const Options& options,
                                                                  std::size_t workers);
    ~UdpReceiver();

    /// Hands each waiting datagram to `take`, one batch per ready socket at most; waits up to `longest` for
    /// the first. Returns how many there were; 0: none came, or `wake` was called.
    Result<std::size_t> receive(std::chrono::milliseconds longest,
                                const std::function<void(std::span<const Datagram>)>& take);
    /// Ends a wait from another thread. Safe from any thread.
    void wake();

    /// Datagrams that the kernel dropped because the socket's buffer was full, since the start (SO_RXQ_OVFL).
    [[nodiscard]] std::uint64_t kernel_drops() const noexcept;
    /// The smallest buffer that the kernel granted; less than asked: raise net.core.rmem_max.
    [[nodiscard]] std::size_t granted_buffer_bytes() const noexcept;
    /// The ports bound, in the order of `listen`.
    [[nodiscard]] std::vector<std::uint16_t> ports() const;

private:
    struct State;
    explicit UdpReceiver(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::net
