#pragma once

#include <span>
#include <string>
#include <vector>

#include "cam/model/traffic.h"

namespace cam::rules {

/// A minute's traffic by prefix, in a third of the room: counts take as many bytes as they need, and classes
/// without traffic none. A value.
class PackedMinute {
public:
    PackedMinute() = default;
    /// Of a prefix that comes several times the largest figures are kept, each on its own.
    explicit PackedMinute(std::span<const PrefixMinute> traffic);
    /// Sorted by prefix, each once.
    [[nodiscard]] std::vector<PrefixMinute> unpacked(MinuteTime minute) const;

private:
    std::vector<Prefix> prefixes_;
    std::string counts_;
};

}  // namespace cam::rules
