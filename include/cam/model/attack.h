#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/alert.h"
#include "cam/model/prefix.h"
#include "cam/model/traffic.h"

namespace cam {

/// Which stored events are grouped into attacks, and which of these a reader wants, newest first. An attack
/// is made of the events that fit: its times and volumes are those of that part.
struct AttackQuery {
    std::optional<WallTime> since = {};       ///< event_datetime at or after
    std::optional<WallTime> until = {};       ///< event_datetime before
    std::optional<std::string> vector = {};   ///< attack_vector is exactly this
    std::optional<Prefix> prefix = {};        ///< destination_ip lies in it
    std::optional<std::int64_t> cursor = {};  ///< only attacks that ended before the event of this id
    std::uint32_t limit = 50;
};

/// What Cloudflare dropped, by its estimates. Sums saturate.
struct DroppedVolume {
    std::uint64_t packets = 0;
    std::uint64_t bits = 0;
    std::uint64_t events = 0;
};

/// Events that are one attack: those of one attack id, or, where they have none, of one target, vector and
/// rule.
struct Attack {
    std::string attack_id;  ///< Cloudflare's, or `unnamed-` and 16 digits made of target, vector and rule
    std::vector<std::string> vectors;     ///< at most kMostNames, newest first
    std::vector<std::string> rule_names;  ///< the rule's id where it has no name; at most kMostNames
    std::optional<WallTime> first_seen;   ///< none: the event's datetime cannot be read
    std::optional<WallTime> last_seen;
    DroppedVolume volume;
    std::vector<std::string> targets;  ///< those with the most packets, at most kMostTargets
    std::uint64_t target_count = 0;
    std::uint64_t source_count = 0;
    std::int64_t newest_event = 0;  ///< its id
    bool active = false;  ///< its last event is as recent as polling lets it be; the database does not tell
    static constexpr std::size_t kMostNames = 10;
    static constexpr std::size_t kMostTargets = 10;
};

struct AttackPage {
    std::vector<Attack> attacks;
    std::optional<std::int64_t> next_cursor;  ///< none: there is no more
    std::uint64_t total = 0;                  ///< attacks on all pages
    /// Older events than this were not looked at: there were more than one look takes. None: all were.
    std::optional<WallTime> complete_since;
};

/// One value of a property of an attack's events.
struct Share {
    std::string key;
    std::optional<std::string> name;  ///< what the key stands for, where the events tell
    DroppedVolume volume;
};

/// An attack by one property: the values with the most packets.
struct Breakdown {
    std::vector<Share> largest;
    std::uint64_t left_out = 0;  ///< how many more values there are
    static constexpr std::size_t kMost = 20;
};

struct AttackDetail {
    Attack attack;
    Breakdown countries;  ///< of the sources: ISO 3166-1 alpha-2
    Breakdown asns;       ///< of the sources
    Breakdown addresses;  ///< of the sources
    Breakdown targets;
    Breakdown colos;  ///< where Cloudflare dropped it
    Breakdown ports;  ///< of the targets, such as `UDP/53`
    /// Older events than this were not looked at. None: all were.
    std::optional<WallTime> complete_since;
};

/// What a reader asks of a timeline; what is left out is the last day, and a step that suits its length.
struct TimelineRequest {
    std::optional<WallTime> since = {};
    std::optional<WallTime> until = {};
    std::optional<std::chrono::seconds> step = {};
    std::optional<std::string> vector = {};
    std::optional<Prefix> prefix = {};
};

struct TimelineQuery {
    WallTime since{};
    WallTime until{};
    std::chrono::seconds step{300};
    std::optional<std::string> vector = {};
    std::optional<Prefix> prefix = {};
};

/// Attacks over time: `packets` and `bits` are what was dropped in each step.
struct AttackTimeline {
    struct Series {
        std::string attack_id;
        std::vector<std::string> vectors;
        std::vector<std::uint64_t> packets;
        std::vector<std::uint64_t> bits;
    };
    WallTime start{};  ///< of the first step: a multiple of the step since 1970
    std::chrono::seconds step{300};
    std::vector<Series> series;     ///< those with the most packets, largest first
    std::optional<Series> other;    ///< all others together
    std::uint64_t other_count = 0;  ///< how many they are
    std::optional<WallTime> complete_since;
    static constexpr std::size_t kMostSeries = 12;
    static constexpr std::int64_t kMostSteps = 2'000;
};

/// What Cloudflare dropped of an attack in one minute, by the events' datetime.
struct DroppedMinute {
    MinuteTime start;
    DroppedVolume volume;
};

/// An attack minute by minute: what Cloudflare dropped, and what arrived at our edge all the same.
struct BothSides {
    struct Minute {
        MinuteTime start;
        TrafficRate dropped;
        std::optional<TrafficRate> arrived;  ///< none: unknown, not zero
    };
    std::optional<Prefix> prefix;       ///< whose traffic is compared; none: no prefix covers a target
    std::vector<std::string> rule_ids;  ///< rules that watch it
    std::vector<Minute> minutes;
    std::optional<double> usual_bits_per_second;  ///< mean before the attack; none: too little is known
    /// Of the attack's bits, the share that arrived: 0 to 1. None: unknown.
    std::optional<double> leaked_share;
    std::string note;  ///< what to know of these figures, for a person
};

}  // namespace cam
