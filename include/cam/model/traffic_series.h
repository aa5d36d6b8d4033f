#pragma once

#include <chrono>
#include <cstdint>

#include "cam/base/clock.h"
#include "cam/model/traffic.h"

namespace cam {

/// A minute in which the collector ran, whether or not there was traffic. A minute without one is unknown,
/// not silent.
struct CollectedMinute {
    MinuteTime minute;
    /// From the first to the last instant that was collected, both within the minute.
    WallTime from;
    WallTime to;
    /// Less than to - from where the collector was restarted in between.
    std::chrono::milliseconds covered{0};
    [[nodiscard]] bool whole() const noexcept { return covered >= std::chrono::minutes{1}; }
    friend bool operator==(const CollectedMinute&, const CollectedMinute&) = default;
};

/// One point of a chart: some consecutive minutes of a prefix.
struct TrafficPoint {
    MinuteTime start;
    /// How many of its minutes were collected; averages divide by them. None: unknown, not silent.
    std::uint32_t collected = 0;
    ClassVolumes sum{};
    Volume peak{};  ///< of kAll: the largest minute, each property on its own
};

}  // namespace cam
