#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "cam/model/traffic.h"

namespace cam::rules {

struct HashPrefix {
    std::size_t operator()(const Prefix& prefix) const noexcept {
        return std::hash<IpAddress>{}(prefix.address()) * 131 + prefix.length();
    }
};

/// Numbers the prefixes of all rules, so that a minute's traffic is found by an index. One thread at a time.
class PrefixNumbers {
public:
    static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

    /// The number of the prefix, a new one if it has none.
    std::uint32_t number(const Prefix& prefix);
    /// kNone: no rule's.
    [[nodiscard]] std::uint32_t find(const Prefix& prefix) const;
    [[nodiscard]] const Prefix& prefix(std::uint32_t number) const { return prefixes_[number]; }
    [[nodiscard]] std::size_t size() const { return prefixes_.size(); }

private:
    std::unordered_map<Prefix, std::uint32_t, HashPrefix> numbers_;
    std::vector<Prefix> prefixes_;
};

/// Minutes of traffic by the number of their prefix. Points into what it was given. One thread at a time.
class MinuteIndex {
public:
    /// Forgets what was there. Prefixes without a number are left out. A prefix may come several times.
    void set(std::span<const PrefixMinute> minutes, const PrefixNumbers& numbers);
    [[nodiscard]] bool empty() const { return minutes_.empty(); }
    /// The first minute of that prefix; nullptr: none.
    [[nodiscard]] const ClassVolumes* first(std::uint32_t number) const;
    /// Adds the largest of each figure over the minutes of that prefix.
    void add_largest(ClassVolumes& sum, std::uint32_t number) const;

private:
    std::span<const PrefixMinute> minutes_;
    std::vector<std::uint32_t> first_;  // by number: position in minutes_
    std::vector<std::uint32_t> next_;   // by position: the next of the same prefix
};

}  // namespace cam::rules
