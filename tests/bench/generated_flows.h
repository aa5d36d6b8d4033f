#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "simulator/flow_encoder.h"

namespace cam::bench {

enum class Family { kV4, kV6 };

/// `count` flows of one packet each to addresses in the first `prefixes` of 10.x.y.0/24 or of
/// 2001:db8:x:y::/64, everything else at random but repeatable. At most 65,536 prefixes.
std::vector<simulator::Flow> generate_flows(std::mt19937& random, std::size_t count, std::uint64_t prefixes,
                                            Family family = Family::kV4);

}  // namespace cam::bench
