#pragma once

#include <cstdint>

#include "cam/model/rule.h"
#include "rules/judging.h"

namespace cam::rules {

/// Past of a target under a threshold rule: how many minutes in a row reached each threshold. 24
/// bytes. One thread at a time.
class ThresholdPast {
public:
    [[nodiscard]] ThresholdPast copy() const { return *this; }
    /// One more minute, without judging it.
    void add(const Moment& moment, const Sample& sample, const Rule& rule);
    /// One more minute, judged. Starts when one metric reached its threshold in each of the last `duration`
    /// complete minutes; ends at the first one in which none does. `holding`: of the active alert, if any.
    [[nodiscard]] Finding judge(const Moment& moment, const Sample& sample, const Rule& rule,
                                const Holding* holding);

private:
    TrafficRate peak_;  // of the minutes counted below
    std::uint8_t bandwidth_minutes_ = 0;
    std::uint8_t packet_minutes_ = 0;
};

}  // namespace cam::rules
