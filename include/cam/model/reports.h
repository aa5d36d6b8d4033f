#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/place.h"

namespace cam {

/// Whether a BGP prefix is advertised, as Cloudflare last told it.
struct PrefixAdvertisement {
    std::string prefix;              ///< as Cloudflare writes it; empty: it does not
    std::optional<bool> advertised;  ///< none: Cloudflare does not tell
    friend bool operator==(const PrefixAdvertisement&, const PrefixAdvertisement&) = default;
};

/// How many BGP prefixes are advertised. Prefixes whose state Cloudflare does not tell count as `unknown`,
/// never as withdrawn.
struct BgpStatus {
    std::uint32_t advertised = 0;
    std::uint32_t unknown = 0;
    std::uint32_t total = 0;
    std::vector<PrefixAdvertisement> prefixes = {};  ///< one by one, as far as kMostListed
    static constexpr std::size_t kMostListed = 2'000;
};

/// The latest attack that is known, as far as its row says.
struct LastAttack {
    std::optional<WallTime> at;
    std::optional<std::string> vector;
    std::optional<std::string> target;
    std::optional<double> megabits_per_second;
};

struct AttackHistory {
    std::uint64_t attacks_total = 0;
    std::uint64_t attacks_this_month = 0;
    std::uint64_t mitigations = 0;  ///< rows of network_analytics_events
    std::optional<LastAttack> last;
};

enum class ServiceState { kActive, kInactive, kUnknown };

struct ServiceReport {
    std::string label;  ///< as the SOC knows it, such as `Webhook`
    ServiceState state;
};

/// A stretch of time in which nothing was polled.
struct PollGap {
    std::chrono::milliseconds length;  ///< from the last claimed instant to now
    WallTime resumed_from;             ///< where polling goes on
    std::chrono::milliseconds
        not_covered;  ///< part of it beyond catch_up_hours or Cloudflare's retention; zero if none
};

/// What the account's settings node says about a dataset, or defaults that every account accepts.
struct AccountLimits {
    bool enabled = true;
    std::uint32_t max_page_size = 10'000;
    std::uint32_t max_fields = 0;                    ///< 0: not told
    std::chrono::seconds max_duration{86'400};       ///< widest window
    std::chrono::seconds not_older_than{7'776'000};  ///< how far back
    std::vector<std::string> available_fields;       ///< empty: not told
};

}  // namespace cam
