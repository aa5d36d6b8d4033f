#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "app/capture_file.h"
#include "app/fragment_assembler.h"
#include "cam/model/ip_address.h"

namespace cam::app {

/// What a UDP socket would have received.
struct CapturedDatagram {
    IpAddress source;
    std::span<const std::uint8_t> payload;
};

/// Finds the UDP datagrams in the frames of a capture, whatever their ports, and puts fragmented ones
/// together. One thread at a time.
class DatagramFinder {
public:
    struct Counts {
        std::uint64_t frames = 0;
        std::uint64_t datagrams = 0;  ///< found whole
        std::uint64_t fragments = 0;  ///< frames that hold a part of a UDP datagram
        std::uint64_t cut = 0;  ///< UDP datagrams or fragments of which the capture holds only the beginning
    };

    /// The datagram that this frame holds or completes; valid until the frame's bytes are gone or the next
    /// call.
    std::optional<CapturedDatagram> find(const CapturedFrame& frame);
    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
    /// Datagrams of which some fragments are not in the capture.
    [[nodiscard]] std::uint64_t unfinished() const noexcept { return fragments_.unfinished(); }

private:
    Counts counts_;
    FragmentAssembler fragments_;
};

}  // namespace cam::app
