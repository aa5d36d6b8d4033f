#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/place.h"
#include "cam/model/reports.h"
#include "cam/model/traffic.h"

namespace cam {

/// Something that is wrong now.
struct RaisedCondition {
    std::string name;
    std::string headline;
    std::vector<std::string> details;
    WallTime since{};  ///< since when this process knows of it
};

/// How polling of Cloudflare goes. Times are of this process.
struct PollStanding {
    std::optional<WallTime> last_ok_at;
    std::optional<WallTime> last_failure_at;
    std::string last_failure;            ///< why, one line; empty: none failed
    std::optional<WallTime> covered_to;  ///< everything before is claimed
    std::chrono::seconds interval{};
    std::string outcome;  ///< of the last poll: `none` yet, `done`, `failed`
};

/// What the monitor knows of itself, of Cloudflare and of the exporters. What cannot be known is empty.
struct MonitorStatus {
    std::string version;
    std::string organization;
    WallTime now{};
    WallTime started_at{};
    bool ready = false;
    std::vector<std::string> reasons;
    std::vector<RaisedCondition> conditions;
    PollStanding polling;
    struct Outbox {
        std::uint64_t waiting = 0;
        std::optional<WallTime> oldest_at;
        std::optional<WallTime> last_sent_at;
    };
    std::optional<Outbox> outbox;
    std::optional<GeoEdition> city;
    std::optional<GeoEdition> asn;
    struct Flow {
        bool enabled = false;
        std::optional<MinuteTime> last_minute;
        std::uint64_t exporters = 0;
        std::vector<std::string> silent_exporters;
    } flow;
    std::vector<PrefixAdvertisement> prefixes;
    std::optional<WallTime> prefixes_checked_at;
    std::optional<std::uint64_t> alerts_active;
    std::optional<std::uint64_t> attacks_24h;
};

}  // namespace cam
