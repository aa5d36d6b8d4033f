#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/ip_address.h"

namespace cam::app {

/// A part of an IP packet's payload.
struct Fragment {
    IpAddress source;
    IpAddress destination;
    std::uint32_t id = 0;
    std::uint8_t protocol = 0;
    std::size_t offset = 0;  ///< in bytes
    bool more = false;       ///< others follow
    std::span<const std::uint8_t> bytes;
};

/// Puts the fragments of IP packets together, as the kernel of a collector does (RFC 791 3.2, RFC 8200 4.5).
/// Bounded: the packet that was begun first gives way when there are too many, or thirty seconds after its
/// first fragment. Fragments that overlap give up their packet (RFC 5722). One thread at a time.
class FragmentAssembler {
public:
    static constexpr std::size_t kMostUnfinished = 64;
    static constexpr std::size_t kMostBytes = 65'535;  ///< of one packet
    static constexpr std::chrono::seconds kPatience{30};

    /// The whole payload if this fragment was the last that was missing; valid until the next call.
    std::optional<std::span<const std::uint8_t>> add(const Fragment& fragment, WallTime now);
    /// Packets that never became whole, those that are unfinished now included.
    [[nodiscard]] std::uint64_t unfinished() const noexcept { return given_up_ + packets_.size(); }

private:
    struct Packet {
        IpAddress source;
        IpAddress destination;
        std::uint32_t id = 0;
        std::uint8_t protocol = 0;
        WallTime begun{};
        std::map<std::size_t, std::vector<std::uint8_t>> parts;  ///< by offset, none overlapping
        std::optional<std::size_t> length;                       ///< known with the last fragment
        std::size_t bytes = 0;
    };
    void give_up(std::list<Packet>::iterator packet);
    void expire(WallTime now);
    std::list<Packet>::iterator find_or_begin(const Fragment& fragment, WallTime now);
    static bool fits(const Packet& packet, const Fragment& fragment);

    std::list<Packet> packets_;  ///< the oldest first
    std::vector<std::uint8_t> whole_;
    std::uint64_t given_up_ = 0;
};

}  // namespace cam::app
