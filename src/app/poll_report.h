#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/mitigation_event.h"

namespace cam::app {

/// What one poll did.
struct PollReport {
    enum class Outcome { kDone, kFailed, kCancelled };
    Outcome outcome = Outcome::kDone;
    std::string why;  ///< of a failure, one line
    TimeWindow span{};
    bool advanced = false;  ///< Cloudflare answered something newer than what was claimed before this poll
    std::uint64_t rows = 0;
    std::uint64_t fresh = 0;
    std::uint64_t duplicates = 0;
    std::uint64_t foreign = 0;
    std::uint64_t below_threshold = 0;
    std::uint64_t merged = 0;
    std::uint64_t unreadable = 0;
    std::uint64_t passed = 0;    ///< rows of traffic that Cloudflare let through (log-only rules)
    std::uint64_t outgoing = 0;  ///< rows of traffic that left our network
    std::uint64_t queued = 0;
    std::vector<WallTime> truncated;
};

}  // namespace cam::app
