#include "cam/net/udp_receiver.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <spdlog/fmt/fmt.h>

#include "udp_socket.h"

namespace cam::net {
namespace {

/// The longest UDP payload: nothing is ever cut.
constexpr std::size_t kLargestDatagram = 65'536;
/// From one slot to the next: not a power of two, or all datagrams would begin in the same few sets of the
/// processor's caches and push each other out before they are read.
constexpr std::size_t kSlotBytes = kLargestDatagram + std::size_t{24} * 64;
/// How long datagrams are collected: so long that the buffer has room for a million of them a second, and no
/// longer than brings anything.
constexpr std::size_t kRoomOfMillisecond = std::size_t{2} * 1024 * 1024;
constexpr std::chrono::milliseconds kLongestCollecting{5};

std::chrono::milliseconds collecting_time(std::size_t buffer_bytes) {
    return std::min(kLongestCollecting, std::chrono::milliseconds{buffer_bytes / kRoomOfMillisecond});
}

/// Address space for a batch. Only pages that datagrams really fill become memory: a few hundred KiB for
/// common sizes. (Huge pages would make it 4 MiB at once.)
class BatchMemory {
public:
    static constexpr std::size_t kBytes = UdpReceiver::kBatch * kSlotBytes;
    BatchMemory()
        : bytes_(static_cast<std::uint8_t*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
        if (valid()) ::madvise(bytes_, kBytes, MADV_NOHUGEPAGE);
    }
    ~BatchMemory() {
        if (valid()) ::munmap(bytes_, kBytes);
    }
    BatchMemory(const BatchMemory&) = delete;
    BatchMemory& operator=(const BatchMemory&) = delete;
    [[nodiscard]] bool valid() const { return static_cast<void*>(bytes_) != MAP_FAILED; }
    [[nodiscard]] std::span<std::uint8_t> slot(std::size_t number) const {
        return {bytes_ + number * kSlotBytes, kLargestDatagram};
    }

private:
    std::uint8_t* bytes_;
};

/// What recvmmsg writes to, for one batch.
class Batch {
public:
    Batch() {
        for (std::size_t i = 0; i < UdpReceiver::kBatch; ++i) {
            if (memory_.valid()) parts_[i] = {memory_.slot(i).data(), kLargestDatagram};
            msghdr& header = messages_[i].msg_hdr;
            header.msg_name = &names_[i];
            header.msg_iov = &parts_[i];
            header.msg_iovlen = 1;
            header.msg_control = controls_[i].bytes.data();
        }
    }
    [[nodiscard]] bool valid() const { return memory_.valid(); }

    /// How many datagrams came; errno as a negative number if the call failed.
    int fill(int socket) {
        for (mmsghdr& message : messages_) {
            message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
            message.msg_hdr.msg_controllen = sizeof(Control);
        }
        const int got = ::recvmmsg(socket, messages_.data(), UdpReceiver::kBatch, MSG_DONTWAIT, nullptr);
        return got < 0 ? -errno : got;
    }

    [[nodiscard]] Datagram datagram(std::size_t number) const {
        const sockaddr_storage& name = names_[number];
        Datagram out;
        if (name.ss_family == AF_INET6) {
            sockaddr_in6 v6{};
            std::memcpy(&v6, &name, sizeof v6);
            out.source = IpAddress::v6(std::bit_cast<std::array<std::uint8_t, 16>>(v6.sin6_addr));
            out.source_port = ntohs(v6.sin6_port);
        } else {
            sockaddr_in v4{};
            std::memcpy(&v4, &name, sizeof v4);
            out.source = IpAddress::v4(std::bit_cast<std::array<std::uint8_t, 4>>(v4.sin_addr));
            out.source_port = ntohs(v4.sin_port);
        }
        out.payload = memory_.slot(number).first(messages_[number].msg_len);
        return out;
    }

    /// The socket's drops so far, as the kernel says with each datagram once there are any. 32 bits,
    /// wrapping.
    [[nodiscard]] std::optional<std::uint32_t> drops(std::size_t number) const {
        const msghdr& header = messages_[number].msg_hdr;
        for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr;
             one = CMSG_NXTHDR(const_cast<msghdr*>(&header), one)) {
            if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SO_RXQ_OVFL) continue;
            std::uint32_t count = 0;
            std::memcpy(&count, CMSG_DATA(one), sizeof count);
            return count;
        }
        return std::nullopt;
    }

private:
    struct Control {
        alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint32_t))> bytes;
    };
    BatchMemory memory_;
    std::array<mmsghdr, UdpReceiver::kBatch> messages_{};
    std::array<iovec, UdpReceiver::kBatch> parts_{};
    std::array<sockaddr_storage, UdpReceiver::kBatch> names_{};
    std::array<Control, UdpReceiver::kBatch> controls_{};
};

bool is_v6(const std::string& host) {
    return host.find(':') != std::string::npos;
}

Stack stack_of(const UdpReceiver::Address& address, const std::vector<UdpReceiver::Address>& all) {
    const bool has_v4_beside = std::any_of(all.begin(), all.end(), [&](const UdpReceiver::Address& other) {
        return !is_v6(other.host) && other.port == address.port;
    });
    return is_v6(address.host) && !has_v4_beside ? Stack::kDual : Stack::kSingle;
}

}  // namespace

struct UdpReceiver::State {
    struct Bound {
        UdpSocket socket;
        std::uint32_t drops = 0;  ///< as last told
    };
    std::vector<Bound> sockets;
    std::vector<pollfd> waits;  ///< the sockets, then the wake signal
    UniqueFd wake_signal;
    Batch batch;
    std::array<Datagram, kBatch> datagrams{};
    std::atomic<std::uint64_t> kernel_drops{0};
    bool is_spread = true;
    std::chrono::milliseconds collecting{0};
    bool may_collect = false;  ///< the last round emptied the sockets

    /// False if woken.
    bool wait(std::chrono::milliseconds longest);
    Result<std::size_t> take_batch(Bound& bound, const Take& take);
    void note_drops(Bound& bound, std::size_t last);
};

bool UdpReceiver::State::wait(std::chrono::milliseconds longest) {
    pollfd& wake = waits.back();
    if (may_collect && collecting.count() > 0) ::poll(&wake, 1, static_cast<int>(collecting.count()));
    const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(longest.count()));
    if (ready <= 0 || wake.revents == 0) return true;
    eventfd_t count = 0;
    ::eventfd_read(wake_signal.get(), &count);
    return false;
}

void UdpReceiver::State::note_drops(Bound& bound, std::size_t last) {
    const std::optional<std::uint32_t> told = batch.drops(last);
    if (!told) return;
    kernel_drops.fetch_add(*told - bound.drops, std::memory_order_relaxed);  // unsigned: right over a wrap
    bound.drops = *told;
}

Result<std::size_t> UdpReceiver::State::take_batch(Bound& bound, const Take& take) {
    const int got = batch.fill(bound.socket.fd.get());
    if (got < 0) {
        const int fault = -got;
        // ECONNREFUSED and its kin are echoes of ICMP; they say nothing about the next datagram.
        if (fault != EBADF && fault != ENOTSOCK && fault != EFAULT && fault != EINVAL) return std::size_t{0};
        return Error{ErrorCode::kInternal, fmt::format("cannot receive on UDP port {}: {}", bound.socket.port,
                                                       std::system_category().message(fault))};
    }
    const auto count = static_cast<std::size_t>(got);
    if (count == 0) return count;
    for (std::size_t i = 0; i < count; ++i) datagrams[i] = batch.datagram(i);
    note_drops(bound, count - 1);
    take({datagrams.data(), count});
    return count;
}

Result<std::vector<std::unique_ptr<UdpReceiver>>> UdpReceiver::open(const Options& options,
                                                                    std::size_t workers) {
    std::vector<std::unique_ptr<UdpReceiver>> receivers;
    for (std::size_t worker = 0; worker < std::max<std::size_t>(workers, 1); ++worker) {
        auto state = std::make_unique<State>();
        state->wake_signal = UniqueFd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!state->wake_signal.valid() || !state->batch.valid()) {
            return Error{ErrorCode::kInternal, fmt::format("cannot make a UDP receiver: {}",
                                                           std::system_category().message(errno))};
        }
        for (std::size_t i = 0; i < options.listen.size(); ++i) {
            Address address = options.listen[i];
            const Stack stack = stack_of(address, options.listen);
            if (worker > 0) address.port = receivers.front()->state_->sockets[i].socket.port;
            auto socket = bind_udp(address, stack, worker == 0 ? Join::kFirst : Join::kMember,
                                   options.receive_buffer_bytes);
            if (!socket) return socket.error();
            state->waits.push_back({socket->fd.get(), POLLIN, 0});
            state->sockets.push_back({std::move(*socket), 0});
        }
        state->waits.push_back({state->wake_signal.get(), POLLIN, 0});
        receivers.push_back(std::unique_ptr<UdpReceiver>(new UdpReceiver(std::move(state))));
    }
    bool is_spread = true;
    for (const State::Bound& first : receivers.front()->state_->sockets) {
        if (receivers.size() > 1) is_spread &= spread_by_source_address(first.socket.fd, receivers.size());
    }
    for (const auto& receiver : receivers) {
        receiver->state_->is_spread = is_spread;
        receiver->state_->collecting = collecting_time(receiver->granted_buffer_bytes());
    }
    return receivers;
}

UdpReceiver::UdpReceiver(std::unique_ptr<State> state) : state_(std::move(state)) {}
UdpReceiver::~UdpReceiver() = default;

Result<std::size_t> UdpReceiver::receive(std::chrono::milliseconds longest, const Take& take) {
    if (!state_->wait(longest)) return std::size_t{0};
    std::size_t taken = 0;
    bool has_more = false;
    for (std::size_t i = 0; i < state_->sockets.size(); ++i) {
        if (state_->waits[i].revents == 0) continue;
        Result<std::size_t> got = state_->take_batch(state_->sockets[i], take);
        if (!got) return got;
        taken += *got;
        has_more |= *got == kBatch;
    }
    state_->may_collect = taken > 0 && !has_more;
    return taken;
}

void UdpReceiver::wake() noexcept {
    ::eventfd_write(state_->wake_signal.get(), 1);
}

std::uint64_t UdpReceiver::kernel_drops() const noexcept {
    return state_->kernel_drops.load(std::memory_order_relaxed);
}

std::size_t UdpReceiver::granted_buffer_bytes() const noexcept {
    std::size_t least = state_->sockets.empty() ? 0 : state_->sockets.front().socket.granted_buffer_bytes;
    for (const State::Bound& bound : state_->sockets) {
        least = std::min(least, bound.socket.granted_buffer_bytes);
    }
    return least;
}

std::vector<std::uint16_t> UdpReceiver::ports() const {
    std::vector<std::uint16_t> out;
    for (const State::Bound& bound : state_->sockets) out.push_back(bound.socket.port);
    return out;
}

bool UdpReceiver::is_spread_by_address() const noexcept {
    return state_->is_spread;
}

}  // namespace cam::net
