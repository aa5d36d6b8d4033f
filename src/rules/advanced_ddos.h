#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "rules/judging.h"

namespace cam::rules {

/// How much of the past an advanced_ddos rule wants to be warmed up with, and after how long a gap it knows
/// nothing any more.
inline constexpr std::chrono::minutes kAdvancedPast{240};
/// Quiet minutes until an alert ends, as of the first of them.
inline constexpr unsigned kQuietMinutes = 3;

/// Past of a target under an advanced_ddos rule: per traffic class, bits/s, packets/s and flows/s as running
/// means over an hour and a day and a running spread; 400 bytes, once there was traffic. docs/rules.md
/// explains the figures. One thread at a time.
class AdvancedPast {
public:
    [[nodiscard]] AdvancedPast copy() const;
    /// One more minute, without judging it.
    void add(const Moment& moment, const Sample& sample, Belongs belongs);
    /// One more minute, judged. The class that goes furthest beyond its threshold is the one that is named.
    /// `holding`: of the active alert, if any.
    [[nodiscard]] Finding judge(const Moment& moment, const Sample& sample, Holding* holding);

private:
    struct Level {
        float hour = 0;    ///< running mean
        float spread = 0;  ///< running mean of the distance from it
        float day = 0;     ///< running mean
    };
    using ClassLevels = std::array<Level, 3>;
    struct Past {
        std::array<ClassLevels, kTrafficClassCount> classes{};
        MinuteTime newest;
        std::uint16_t minutes = 0;
    };
    struct Judged;
    void begin(const Moment& moment, const Sample& sample);
    void learn(const Moment& moment, const ClassVolumes& classes);
    [[nodiscard]] Judged strongest(const ClassVolumes& classes, const ClassVolumes* week_ago) const;

    std::unique_ptr<Past> past_;
};

}  // namespace cam::rules
