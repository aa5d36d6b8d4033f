#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cam/model/mitigation_event.h"
#include "cam/model/prefix_map.h"

namespace cam::rules {

/// Whose targets are told to the SOC.
enum class Scope {
    kMine,               ///< only the operator's prefixes
    kMineAndCloudflare,  ///< Cloudflare's anycast prefixes too
};

enum class Verdict {
    kNotify,
    kForeign,         ///< the target is in no watched prefix, or is no address
    kBelowThreshold,  ///< fewer packets than `min_packets`
};

/// Decides which mitigation events concern the operator. Immutable.
class EventFilter {
public:
    struct Options {
        std::vector<Prefix> mine;
        std::vector<Prefix> cloudflare_anycast;
        std::uint64_t min_packets = 1;
    };
    explicit EventFilter(const Options& options);

    /// A missing packet count passes the threshold: it is unknown, not small.
    [[nodiscard]] Verdict judge(const MitigationEvent& event, Scope scope) const;

private:
    PrefixSet mine_;
    PrefixSet all_;
    std::uint64_t min_packets_;
};

/// Adds up rows of one answer that share an identity (event_hash): Cloudflare groups by more fields than the
/// identity has, and a row must not be lost for it. The first row stays, with the sums of all (of what is
/// known; saturating); a row that repeats an earlier one byte for byte (`raw`) is dropped without being
/// added. Keeps the order. Returns how many rows were added into others, those that were dropped as repeated
/// not counted.
std::uint64_t merge_same_identity(std::vector<MitigationEvent>& events);

/// The positions of `events` that belong to one attack, attacks in the order of their first event in
/// `chosen`. Events without an attack id are one attack if they agree in target, vector and rule (its id,
/// else its name). `""` and `Unknown` count as missing. Every chosen position must be one of `events`.
[[nodiscard]] std::vector<std::vector<std::size_t>> group_by_attack(
    const std::vector<MitigationEvent>& events, const std::vector<std::size_t>& chosen);

}  // namespace cam::rules
