#include "rules/packed_minutes.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace cam::rules {
namespace {

constexpr unsigned kBits = 7;  // of each byte; the eighth says that more follow

void append(std::string& out, std::uint64_t number) {
    for (; number >= 1U << kBits; number >>= kBits)
        out.push_back(static_cast<char>((number & 0x7FU) | 0x80U));
    out.push_back(static_cast<char>(number));
}

class Reader {
public:
    explicit Reader(const std::string& bytes) : bytes_(bytes) {}
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (unsigned shift = 0;; shift += kBits) {
            const auto byte = static_cast<unsigned char>(bytes_[at_++]);
            value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
            if ((byte & 0x80U) == 0) return value;
        }
    }

private:
    const std::string& bytes_;  // our own: whole numbers only
    std::size_t at_ = 0;
};

void append(std::string& out, const ClassVolumes& classes) {
    std::uint64_t present = 0;
    for (std::size_t c = 0; c < classes.size(); ++c) present |= classes[c].empty() ? 0U : 1U << c;
    append(out, present);
    for (const Volume& volume : classes) {
        if (volume.empty()) continue;
        append(out, volume.bytes);
        append(out, volume.packets);
        append(out, volume.flows);
    }
}

void take_largest(ClassVolumes& into, const ClassVolumes& from) {
    for (std::size_t c = 0; c < into.size(); ++c) {
        into[c].bytes = std::max(into[c].bytes, from[c].bytes);
        into[c].packets = std::max(into[c].packets, from[c].packets);
        into[c].flows = std::max(into[c].flows, from[c].flows);
    }
}

}  // namespace

PackedMinute::PackedMinute(std::span<const PrefixMinute> traffic) {
    std::vector<std::uint32_t> order(traffic.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return traffic[a].prefix < traffic[b].prefix; });
    prefixes_.reserve(traffic.size());
    for (std::size_t i = 0; i < order.size();) {
        const PrefixMinute& first = traffic[order[i]];
        ClassVolumes classes = first.classes;
        for (++i; i < order.size() && traffic[order[i]].prefix == first.prefix; ++i)
            take_largest(classes, traffic[order[i]].classes);
        prefixes_.push_back(first.prefix);
        append(counts_, classes);
    }
    prefixes_.shrink_to_fit();
    counts_.shrink_to_fit();
}

std::vector<PrefixMinute> PackedMinute::unpacked(MinuteTime minute) const {
    std::vector<PrefixMinute> out;
    out.reserve(prefixes_.size());
    Reader reader(counts_);
    for (const Prefix& prefix : prefixes_) {
        PrefixMinute& one = out.emplace_back(PrefixMinute{prefix, minute, {}});
        const std::uint64_t present = reader.number();
        for (std::size_t c = 0; c < one.classes.size(); ++c) {
            if ((present >> c & 1U) == 0) continue;
            one.classes[c].bytes = reader.number();
            one.classes[c].packets = reader.number();
            one.classes[c].flows = reader.number();
        }
    }
    return out;
}

}  // namespace cam::rules
