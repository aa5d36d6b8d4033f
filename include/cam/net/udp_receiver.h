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
    IpAddress source = IpAddress::v4({});
    std::uint16_t source_port = 0;
    std::span<const std::uint8_t> payload;
};

/// Receives UDP on several addresses with recvmmsg. One thread at a time; each flow worker owns one.
class UdpReceiver {
public:
    struct Address {
        std::string host;        ///< a literal address, with or without brackets
        std::uint16_t port = 0;  ///< 0: any free one
    };
    struct Options {
        std::vector<Address> listen;
        std::size_t receive_buffer_bytes = 16'777'216;  ///< asked of the kernel, for each socket
    };
    using Take = std::function<void(std::span<const Datagram>)>;

    /// Makes one receiver per worker, all on the same addresses (SO_REUSEPORT); all datagrams of one source
    /// address go to the same worker, whatever their port. `[::]` also takes IPv4 unless an IPv4 address is
    /// listed with the same port. kBusy: an address is taken; kInvalid: it is no address, or none of this
    /// machine; kRefused: not permitted. After an error nothing is bound.
    static Result<std::vector<std::unique_ptr<UdpReceiver>>> open(const Options& options,
                                                                  std::size_t workers);
    ~UdpReceiver();
    UdpReceiver(const UdpReceiver&) = delete;
    UdpReceiver& operator=(const UdpReceiver&) = delete;

    /// Waits up to `longest` for datagrams and hands over those that wait, at most kBatch per socket. Returns
    /// how many there were; 0: none came, or `wake` was called. Where the kernel's buffer is large enough for
    /// it, a short pause collects datagrams, so that a stream of them costs few system calls.
    Result<std::size_t> receive(std::chrono::milliseconds longest, const Take& take);
    /// Ends the wait, or the next one. Safe from any thread.
    void wake() noexcept;

    /// Datagrams that the kernel dropped because a socket's buffer was full, since the start (SO_RXQ_OVFL).
    [[nodiscard]] std::uint64_t kernel_drops() const noexcept;
    /// The smallest buffer that the kernel granted; less than was asked: net.core.rmem_max is in the way.
    [[nodiscard]] std::size_t granted_buffer_bytes() const noexcept;
    /// The ports bound, in the order of `listen`.
    [[nodiscard]] std::vector<std::uint16_t> ports() const;
    /// False if the kernel refused to spread by source address; then an exporter that sends from several
    /// ports may be split over workers, and lose templates.
    [[nodiscard]] bool is_spread_by_address() const noexcept;
    /// Which of `workers` receivers gets the datagrams of `source`, if the kernel spreads by source address.
    [[nodiscard]] static std::size_t worker_of(const IpAddress& source, std::size_t workers) noexcept;

    static constexpr std::size_t kBatch = 64;

private:
    struct State;
    explicit UdpReceiver(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::net
