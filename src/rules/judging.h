#pragma once

#include <algorithm>
#include <optional>

#include "cam/model/alert.h"
#include "cam/model/traffic.h"
#include "rules/collected_minutes.h"

// What the three types of rules are given and what they say.
namespace cam::rules {

/// A minute that all targets of a rule see alike.
struct Moment {
    MinuteTime minute;
    /// The oldest of the complete minutes that the rule looks at, of which `minute` is the last; none if too
    /// few were collected.
    std::optional<MinuteTime> window_start;
    const CollectedMinutes& collected;  ///< with `minute` in it
};

/// What one target got in that minute.
struct Sample {
    const ClassVolumes* classes = nullptr;   ///< nullptr: no traffic
    const ClassVolumes* week_ago = nullptr;  ///< nullptr: not known
    MinuteTime known_since;                  ///< since when every collected minute of the target is known

    [[nodiscard]] Volume all() const { return classes == nullptr ? Volume{} : (*classes)[0]; }
};

/// Mean and spread of normal traffic, per second.
struct Baseline {
    double mean = 0;
    double spread = 0;  ///< population standard deviation
    unsigned minutes = 0;
};

/// What an alert that is active keeps beyond what people see of it.
struct Holding {
    Crossing crossing;                                ///< at the start
    std::optional<Baseline> baseline = std::nullopt;  ///< the last one that could be told (zscore)
    std::optional<MinuteTime> quiet_since =
        std::nullopt;  ///< first of the minutes that look like the end (advanced_ddos)
    unsigned quiet_minutes = 0;
    bool learns = false;  ///< so old that its traffic counts as normal (advanced_ddos)
};

/// For an alert that began with this crossing.
[[nodiscard]] inline Holding holding_of(const Crossing& crossing) {
    Holding holding{.crossing = crossing};
    if (crossing.metric == AlertMetric::kZscore && crossing.baseline)
        holding.baseline = Baseline{*crossing.baseline, crossing.spread.value_or(0), 0};
    return holding;
}

/// Whether a minute belongs to the target's alert and so stays out of its baseline.
enum class Belongs { kToNormal, kToAlert };

/// What a rule says of a minute. Only one of the two can be set.
struct Finding {
    struct Start {
        Crossing crossing;
        MinuteTime since;  ///< first minute that crossed
        TrafficRate peak;  ///< from `since` on
    };
    std::optional<Start> start;       ///< of a target without an alert
    std::optional<MinuteTime> ended;  ///< of a target with one: the first minute that no longer crosses
};

[[nodiscard]] inline TrafficRate rate_of(const Volume& volume) {
    return {volume.bits_per_second(), volume.packets_per_second()};
}

/// Each on its own.
inline void raise(TrafficRate& peak, const TrafficRate& rate) {
    peak.bits_per_second = std::max(peak.bits_per_second, rate.bits_per_second);
    peak.packets_per_second = std::max(peak.packets_per_second, rate.packets_per_second);
}

}  // namespace cam::rules
