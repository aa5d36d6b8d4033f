#include "decode/sequence_tracker.h"

#include <algorithm>
#include <chrono>

namespace cam::decode {
namespace {

/// How far behind a datagram may be and still be one that was overtaken.
constexpr std::int64_t kLateWindow = 16'384;
/// No exporter sends more than this in a second, and none was ever seen to lose more at once: a larger step
/// is a sequence that began anew.
constexpr std::int64_t kMostPerSecond = 1'000'000;
/// Uptimes of one exporter may disagree by this much between its line cards.
constexpr std::int32_t kUptimeSlackMs = 60'000;

}  // namespace

bool SequenceTracker::has_restarted(const Header& header, std::int64_t step, SteadyTime now) const noexcept {
    if (header.uptime_ms) {
        const auto later = static_cast<std::int32_t>(*header.uptime_ms - uptime_ms_);
        if (later < -kUptimeSlackMs) return true;
    }
    if (step < 0) return step < -kLateWindow;
    const std::int64_t seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::max(now - last_, SteadyTime::duration{}))
            .count();
    return step > kMostPerSecond * (1 + std::min<std::int64_t>(seconds, 1000));
}

SequenceTracker::Step SequenceTracker::saw(const Header& header, std::optional<Units> held,
                                           SteadyTime now) noexcept {
    Step out;
    if (is_known_ && header.sequence != by_standard_ && header.sequence != by_habit_) {
        const std::uint32_t expected = follows_habit_ ? by_habit_ : by_standard_;
        const std::int64_t step = static_cast<std::int32_t>(header.sequence - expected);
        if (has_restarted(header, step, now)) {
            outstanding_ = 0;
        } else if (step < 0) {
            // Overtaken, or sent twice: what is expected next stays.
            const std::uint64_t units = held ? (follows_habit_ ? held->by_habit : held->by_standard) : 0;
            out = {.lost = 0, .late = std::min(outstanding_, units), .is_in_habit_units = follows_habit_};
            outstanding_ -= out.late;
            return out;
        } else {
            outstanding_ = static_cast<std::uint64_t>(step);
            out = {.lost = outstanding_, .late = 0, .is_in_habit_units = follows_habit_};
        }
    } else if (is_known_ && by_standard_ != by_habit_) {
        follows_habit_ = header.sequence == by_habit_;
    }
    is_known_ = held.has_value();
    by_standard_ = header.sequence + (held ? held->by_standard : 0);
    by_habit_ = header.sequence + (held ? held->by_habit : 0);
    uptime_ms_ = header.uptime_ms.value_or(0);
    last_ = now;
    return out;
}

}  // namespace cam::decode
