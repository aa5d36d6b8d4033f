#pragma once

#include <cstdint>
#include <optional>

#include "cam/base/clock.h"

namespace cam::decode {

/// Follows one sequence of datagram headers: how much of what was sent did not come. A gap forward is a loss;
/// what comes late is no new loss, and takes itself off the last one; a restarted exporter loses nothing.
/// One thread at a time.
class SequenceTracker {
public:
    /// What a datagram counts for. Some exporters count in the other unit than their protocol says (records
    /// in v9, datagrams in IPFIX); a step that fits either is no gap.
    struct Units {
        std::uint32_t by_standard = 0;
        std::uint32_t by_habit = 0;
    };
    struct Header {
        std::uint32_t sequence = 0;              ///< of the first thing in this datagram
        std::optional<std::uint32_t> uptime_ms;  ///< where the protocol tells it
    };
    struct Step {
        std::uint64_t lost = 0;
        std::uint64_t late = 0;  ///< was counted as lost before
        bool is_in_habit_units = false;
    };

    /// Judges a datagram by its header and by what it held; nullopt: that could not be counted, so that the
    /// next datagram is taken as it comes.
    Step saw(const Header& header, std::optional<Units> held, SteadyTime now) noexcept;

private:
    [[nodiscard]] bool has_restarted(const Header& header, std::int64_t step, SteadyTime now) const noexcept;

    std::uint32_t by_standard_ = 0;  ///< the sequence that the next datagram should have
    std::uint32_t by_habit_ = 0;
    std::uint32_t uptime_ms_ = 0;
    SteadyTime last_{};
    std::uint64_t outstanding_ = 0;  ///< counted as lost, may still come
    bool is_known_ = false;
    bool follows_habit_ = false;
};

}  // namespace cam::decode
