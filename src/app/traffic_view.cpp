#include "app/traffic_view.h"

#include <algorithm>
#include <array>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

using std::chrono::minutes;

/// Points that the store hands out at once, at a minute each.
constexpr minutes kPiece{10'000};
constexpr std::chrono::hours kLatestWithin{1};
/// Sources that are looked up to learn the names of AS.
constexpr std::size_t kSourcesLookedUp = 200;

void raise(Volume& peak, const Volume& volume) {
    peak.bytes = std::max(peak.bytes, volume.bytes);
    peak.packets = std::max(peak.packets, volume.packets);
    peak.flows = std::max(peak.flows, volume.flows);
}

/// The sum of the prefixes minute by minute.
Result<std::vector<TrafficPoint>> summed_minutes(TrafficHistory& history, const std::vector<Prefix>& prefixes,
                                                 MinuteTime from, MinuteTime to) {
    std::vector<TrafficPoint> sum;
    for (const Prefix& prefix : prefixes) {
        auto points = history.series(prefix, from, to, minutes{1});
        if (!points) return points.error();
        if (sum.empty()) {
            sum = std::move(*points);
            continue;
        }
        for (std::size_t i = 0; i < sum.size(); ++i) {
            for (std::size_t kind = 0; kind < kTrafficClassCount; ++kind) {
                sum[i].sum[kind] += (*points)[i].sum[kind];
            }
        }
    }
    return sum;
}

/// Adds what lies in the point's minutes.
void fold(const TrafficPoint& minute, TrafficPoint& into) {
    into.collected += minute.collected;
    for (std::size_t kind = 0; kind < kTrafficClassCount; ++kind) into.sum[kind] += minute.sum[kind];
    raise(into.peak, minute.sum[0]);
}

}  // namespace

std::vector<Prefix> outermost(std::vector<Prefix> prefixes) {
    // In this order a prefix comes after those that it lies in, and before everything beyond them.
    std::sort(prefixes.begin(), prefixes.end(), [](const Prefix& a, const Prefix& b) {
        return a.address() != b.address() ? a.address() < b.address() : a.length() < b.length();
    });
    std::vector<Prefix> kept;
    for (const Prefix& prefix : prefixes) {
        if (kept.empty() || !kept.back().contains(prefix.address())) kept.push_back(prefix);
    }
    return kept;
}

Result<std::vector<TrafficPoint>> summed_series(TrafficHistory& history, const std::vector<Prefix>& prefixes,
                                                const api::TrafficRange& range) {
    const std::vector<Prefix> parts = outermost(prefixes);
    if (parts.size() == 1) return history.series(parts.front(), range.from, range.to, range.step);
    if (static_cast<std::int64_t>(parts.size()) * (range.to - range.from).count() > kMostMinutesRead) {
        return Error{ErrorCode::kInvalid,
                     fmt::format("since: the sum of {} prefixes goes back {} minutes at most", parts.size(),
                                 kMostMinutesRead / static_cast<std::int64_t>(parts.size()))};
    }
    std::vector<TrafficPoint> points;
    for (MinuteTime start = range.from; start < range.to; start += range.step)
        points.push_back({.start = start});
    for (MinuteTime from = range.from; from < range.to; from += kPiece) {
        const auto sum = summed_minutes(history, parts, from, std::min(from + kPiece, range.to));
        if (!sum) return sum.error();
        for (const TrafficPoint& minute : *sum) {
            fold(minute, points[static_cast<std::size_t>((minute.start - range.from) / range.step)]);
        }
    }
    return points;
}

Result<std::optional<api::TrafficMinute>> stored_minute(TrafficHistory& history,
                                                        std::optional<MinuteTime> minute, WallTime now) {
    if (!minute) {
        const auto end = std::chrono::floor<minutes>(now);
        const auto stored = history.collected_minutes(end - kLatestWithin, end);
        if (!stored) return stored.error();
        if (stored->empty()) return std::optional<api::TrafficMinute>{};
        minute = stored->back().minute;
    }
    auto traffic = history.minute(*minute);
    if (!traffic) return traffic.error();
    if (!*traffic) return std::optional<api::TrafficMinute>{};
    return std::optional{api::TrafficMinute{.minute = *minute, .prefixes = std::move(**traffic)}};
}

Result<api::TrafficParts> traffic_parts(TrafficHistory& history, const enrich::GeoDatabases& geo,
                                        const Prefix& prefix, const api::TrafficRange& range,
                                        std::size_t most) {
    auto largest = history.contributors(prefix, range.from, range.to, std::max(most, kSourcesLookedUp));
    if (!largest) return largest.error();
    const auto whole = history.series(prefix, range.from, range.to, range.to - range.from);
    if (!whole) return whole.error();
    api::TrafficParts parts;
    for (const TrafficPoint& point : *whole) parts.all += point.sum[0];
    std::array<std::size_t, kTrafficFacetCount> shown{};
    for (Contributor& one : *largest) {
        if (one.facet == TrafficFacet::kSource) {
            const auto network = Prefix::parse(one.key);
            const Place place = network ? geo.find(network->address()) : Place{};
            if (place.asn && place.organization) {
                parts.as_names.emplace(fmt::format("{}", *place.asn), *place.organization);
            }
        }
        if (shown[static_cast<std::size_t>(one.facet)]++ < most) parts.largest.push_back(std::move(one));
    }
    return parts;
}

}  // namespace cam::app
