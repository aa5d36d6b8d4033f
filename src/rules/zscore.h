#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "cam/model/rule.h"
#include "rules/judging.h"

namespace cam::rules {

/// How many complete minutes are held against the baseline.
inline constexpr unsigned kZscoreWindow = 5;
/// The minutes before them that make the baseline.
inline constexpr std::chrono::minutes kZscoreBaseline{240};

/// Past of a target under a z-score rule: its last 255 minutes, one float each (seven digits; 1 KiB), kept
/// only while there is traffic. Sums are made anew each minute, in two passes: nothing can drift. One thread
/// at a time.
class ZscorePast {
public:
    [[nodiscard]] ZscorePast copy() const;
    /// One more minute, without judging it.
    void add(const Moment& moment, const Sample& sample, const Rule& rule, Belongs belongs);
    /// One more minute, judged: mean of the last five complete minutes against the baseline before them.
    /// `holding`: of the active alert, if any.
    [[nodiscard]] Finding judge(const Moment& moment, const Sample& sample, const Rule& rule,
                                Holding* holding);
    /// Per second, of the minutes before the window; nullopt: too few of them.
    [[nodiscard]] std::optional<Baseline> baseline(const Moment& moment, ZscoreTarget target) const;

private:
    /// Bytes or packets per minute by slot. A negative one (also -0) lies inside an alert, NaN is not known.
    struct Ring {
        std::array<float, 256> levels;
        MinuteTime newest;
        MinuteTime last_traffic;
    };
    void begin(const Moment& moment, const Sample& sample);
    void mark(MinuteTime minute, Belongs belongs);
    [[nodiscard]] std::optional<double> window_mean(const Moment& moment, const Sample& sample) const;

    std::unique_ptr<Ring> ring_;
};

}  // namespace cam::rules
