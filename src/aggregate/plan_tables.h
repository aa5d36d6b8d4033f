#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "aggregate/ipv4_table.h"
#include "aggregate/ipv6_table.h"
#include "cam/aggregate/minute_counter.h"

namespace cam::aggregate {

/// What a CountingPlan is made of. Prefixes are known by their number: 1 + index, 0 is none.
///
/// Only the longest covering prefix is looked up: the others are its parents, and get its counts when the
/// minute closes. So a record costs the same however many prefixes of rules overlap.
struct CountingPlan::Tables {
    explicit Tables(const Options& options);

    [[nodiscard]] std::uint32_t find(const IpAddress& address) const noexcept {
        if (address.family() == IpAddress::Family::kV4) return v4.find(v4_bits(address));
        return v6.find(v6_bits(address));
    }
    [[nodiscard]] std::optional<SamplingRate> default_rate(const ExporterKey& exporter) const;

    std::vector<Prefix> prefixes;        // sorted: IPv4 before IPv6, parents before their children
    std::vector<std::uint32_t> parents;  // by index: the number of the parent
    Ipv4Table v4;
    Ipv6Table v6;
    std::unordered_map<ExporterKey, SamplingRate> default_sampling;

private:
    [[nodiscard]] std::size_t v4_count() const;
};

}  // namespace cam::aggregate
