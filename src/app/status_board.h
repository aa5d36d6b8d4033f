#pragma once

#include <optional>
#include <vector>

#include "app/poller.h"
#include "cam/base/clock.h"
#include "cam/base/guarded.h"
#include "cam/model/monitor_status.h"

namespace cam::app {

/// What the loops of the daemon last found out, for those who only look. Safe from any thread.
class StatusBoard {
public:
    explicit StatusBoard(WallTime started_at) : started_at_(started_at) {}

    struct Advertisements {
        std::vector<PrefixAdvertisement> prefixes;
        std::optional<WallTime> checked_at;  ///< none: Cloudflare has not told yet
    };

    void note_poll(const PollReport& report, WallTime now);
    void note_advertisements(std::vector<PrefixAdvertisement> prefixes, WallTime now);
    /// When the first message that waits is tried again; none: it is not known, or nothing waits.
    void note_next_delivery(std::optional<WallTime> at);

    [[nodiscard]] WallTime started_at() const { return started_at_; }
    /// Without covered_to and interval.
    [[nodiscard]] PollStanding polling() const;
    [[nodiscard]] Advertisements advertisements() const;
    [[nodiscard]] std::optional<WallTime> next_delivery() const;

private:
    const WallTime started_at_;
    Guarded<PollStanding> polling_;
    Guarded<Advertisements> advertisements_;
    Guarded<std::optional<WallTime>> next_delivery_;
};

}  // namespace cam::app
