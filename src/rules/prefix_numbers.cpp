#include "rules/prefix_numbers.h"

#include <algorithm>

namespace cam::rules {

std::uint32_t PrefixNumbers::number(const Prefix& prefix) {
    const auto [found, is_new] = numbers_.try_emplace(prefix, static_cast<std::uint32_t>(prefixes_.size()));
    if (is_new) prefixes_.push_back(prefix);
    return found->second;
}

std::uint32_t PrefixNumbers::find(const Prefix& prefix) const {
    const auto found = numbers_.find(prefix);
    return found == numbers_.end() ? kNone : found->second;
}

void MinuteIndex::set(std::span<const PrefixMinute> minutes, const PrefixNumbers& numbers) {
    minutes_ = minutes;
    first_.assign(numbers.size(), PrefixNumbers::kNone);
    next_.assign(minutes.size(), PrefixNumbers::kNone);
    for (std::size_t i = minutes.size(); i-- > 0;) {
        const std::uint32_t number = numbers.find(minutes[i].prefix);
        if (number == PrefixNumbers::kNone) continue;
        next_[i] = first_[number];
        first_[number] = static_cast<std::uint32_t>(i);
    }
}

const ClassVolumes* MinuteIndex::first(std::uint32_t number) const {
    if (number >= first_.size() || first_[number] == PrefixNumbers::kNone) return nullptr;
    return &minutes_[first_[number]].classes;
}

void MinuteIndex::add_largest(ClassVolumes& sum, std::uint32_t number) const {
    if (number >= first_.size()) return;
    ClassVolumes largest{};
    for (std::uint32_t i = first_[number]; i != PrefixNumbers::kNone; i = next_[i]) {
        for (std::size_t c = 0; c < kTrafficClassCount; ++c) {
            const Volume& volume = minutes_[i].classes[c];
            largest[c].bytes = std::max(largest[c].bytes, volume.bytes);
            largest[c].packets = std::max(largest[c].packets, volume.packets);
            largest[c].flows = std::max(largest[c].flows, volume.flows);
        }
    }
    for (std::size_t c = 0; c < kTrafficClassCount; ++c) sum[c] += largest[c];
}

}  // namespace cam::rules
