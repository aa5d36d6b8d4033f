#pragma once

#include <bitset>
#include <optional>

#include "cam/model/traffic.h"

namespace cam::rules {

/// Minutes that were not collected are skipped, but the n minutes that a rule looks at must lie within the
/// last n + this many, so that what was hours ago is not taken for what was just now.
inline constexpr std::chrono::minutes kMostSkipped{10};

/// Which of the last 512 minutes were collected. One thread at a time.
class CollectedMinutes {
public:
    void add(MinuteTime minute);
    [[nodiscard]] bool contains(MinuteTime minute) const;
    [[nodiscard]] std::optional<MinuteTime> newest() const { return newest_; }
    /// The oldest of the last `count` collected minutes up to `from`; nullopt if so many do not lie within
    /// the last `count` + kMostSkipped.
    [[nodiscard]] std::optional<MinuteTime> oldest_of_last(unsigned count, MinuteTime from) const;
    /// How many of [from, to) were collected.
    [[nodiscard]] unsigned count(MinuteTime from, MinuteTime to) const;

private:
    static constexpr std::size_t kKept = 512;
    static std::size_t slot(MinuteTime minute) {
        return static_cast<std::size_t>(minute.time_since_epoch().count()) % kKept;
    }

    std::bitset<kKept> collected_;
    std::optional<MinuteTime> newest_;
};

}  // namespace cam::rules
