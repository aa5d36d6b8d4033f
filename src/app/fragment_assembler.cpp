#include "app/fragment_assembler.h"

#include <algorithm>
#include <iterator>

namespace cam::app {

std::optional<std::span<const std::uint8_t>> FragmentAssembler::add(const Fragment& fragment, WallTime now) {
    expire(now);
    const auto packet = find_or_begin(fragment, now);
    const auto same = packet->parts.find(fragment.offset);
    if (same != packet->parts.end() && same->second.size() == fragment.bytes.size()) return std::nullopt;
    if (!fits(*packet, fragment)) {
        give_up(packet);
        return std::nullopt;
    }
    packet->parts.emplace(fragment.offset, std::vector(fragment.bytes.begin(), fragment.bytes.end()));
    packet->bytes += fragment.bytes.size();
    if (!fragment.more) packet->length = fragment.offset + fragment.bytes.size();
    if (packet->bytes != packet->length) return std::nullopt;
    whole_.clear();
    for (const auto& [offset, bytes] : packet->parts) whole_.insert(whole_.end(), bytes.begin(), bytes.end());
    packets_.erase(packet);
    return whole_;
}

void FragmentAssembler::give_up(std::list<Packet>::iterator packet) {
    ++given_up_;
    packets_.erase(packet);
}

void FragmentAssembler::expire(WallTime now) {
    while (!packets_.empty() && now - packets_.front().begun > kPatience) give_up(packets_.begin());
}

std::list<FragmentAssembler::Packet>::iterator FragmentAssembler::find_or_begin(const Fragment& fragment,
                                                                                WallTime now) {
    const auto known = std::find_if(packets_.begin(), packets_.end(), [&](const Packet& packet) {
        return packet.id == fragment.id && packet.protocol == fragment.protocol &&
               packet.source == fragment.source && packet.destination == fragment.destination;
    });
    if (known != packets_.end()) return known;
    if (packets_.size() == kMostUnfinished) give_up(packets_.begin());
    packets_.push_back({.source = fragment.source,
                        .destination = fragment.destination,
                        .id = fragment.id,
                        .protocol = fragment.protocol,
                        .begun = now,
                        .parts = {},
                        .length = {}});
    return std::prev(packets_.end());
}

/// Parts that do not overlap and add up to the length leave no hole.
bool FragmentAssembler::fits(const Packet& packet, const Fragment& fragment) {
    const std::size_t end = fragment.offset + fragment.bytes.size();
    if (fragment.bytes.empty() || end > kMostBytes) return false;
    if (packet.length && (!fragment.more || end > *packet.length)) return false;
    const auto next = packet.parts.lower_bound(fragment.offset);
    if (next != packet.parts.end() && (next->first < end || !fragment.more)) return false;
    if (next == packet.parts.begin()) return true;
    const auto previous = std::prev(next);
    return previous->first + previous->second.size() <= fragment.offset;
}

}  // namespace cam::app
