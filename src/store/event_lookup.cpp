#include "event_lookup.h"

#include <utility>

namespace cam::store {
namespace {

constexpr std::size_t kShortHash = 32;

}  // namespace

HashText digits_of(const EventHash& hash) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    HashText text{};
    for (std::size_t i = 0; i < hash.size(); ++i) {
        text[2 * i] = kDigits[hash[i] >> 4U];
        text[2 * i + 1] = kDigits[hash[i] & 0xfU];
    }
    return text;
}

EventLookup::EventLookup(Query seek, Query exact) : seek_(std::move(seek)), exact_(std::move(exact)) {}

Result<EventLookup> EventLookup::prepare(Database& database) {
    // The short form sorts right before the long one, so one seek finds whichever is there.
    Result<Query> seek = database.query(
        "SELECT event_hash FROM network_analytics_events WHERE event_hash >= ?1 ORDER BY event_hash LIMIT 1");
    if (!seek) return seek.error();
    Result<Query> exact =
        database.query("SELECT 1 FROM network_analytics_events WHERE event_hash = ?1 LIMIT 1");
    if (!exact) return exact.error();
    return EventLookup(std::move(*seek), std::move(*exact));
}

Result<bool> EventLookup::knows(const HashText& hash) {
    const std::string_view full(hash.data(), hash.size());
    const std::string_view brief = full.substr(0, kShortHash);
    Result<bool> row = seek_.view(1, brief).step();
    bool same = false;
    bool neighbour = false;
    if (row && *row) {
        const std::string_view found = seek_.peek(0);
        same = found == brief || found == full;
        neighbour = !same && found.starts_with(brief);
    }
    seek_.rewind();
    if (!row) return row;
    if (same || !neighbour) return same;
    // Another hash with the same first half sorts before ours.
    row = exact_.view(1, full).step();
    exact_.rewind();
    return row;
}

}  // namespace cam::store
