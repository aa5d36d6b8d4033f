#include "app/both_sides.h"

#include <algorithm>
#include <map>
#include <utility>

namespace cam::app {
namespace {

using std::chrono::minutes;

constexpr minutes kBefore{10};
constexpr minutes kAfter{6};
constexpr minutes kUsual{60};
constexpr int kLeastUsual = 10;
constexpr minutes kLongest{24 * 60};

TrafficRate rate_of(const DroppedVolume& volume) {
    return {.bits_per_second = static_cast<double>(volume.bits) / 60,
            .packets_per_second = static_cast<double>(volume.packets) / 60};
}

/// The mean of what arrived before the attack.
std::optional<double> usual_bits(const AttackSpan& span, const std::vector<ArrivedMinute>& arrived) {
    double sum = 0;
    int known = 0;
    for (const ArrivedMinute& minute : arrived) {
        if (minute.start < span.usual_from || minute.start >= span.first || !minute.rate) continue;
        sum += minute.rate->bits_per_second;
        ++known;
    }
    if (known < kLeastUsual) return std::nullopt;
    return sum / known;
}

/// Of the attack's bits in the minutes in which both sides are known.
std::optional<double> leaked_share(const AttackSpan& span, const BothSides& both) {
    if (!both.usual_bits_per_second) return std::nullopt;
    double leaked = 0;
    double dropped = 0;
    bool is_known = false;
    for (const BothSides::Minute& minute : both.minutes) {
        if (minute.start < span.first || minute.start > span.last || !minute.arrived) continue;
        leaked += std::max(0.0, minute.arrived->bits_per_second - *both.usual_bits_per_second);
        dropped += minute.dropped.bits_per_second;
        is_known = true;
    }
    if (!is_known || dropped <= 0) return std::nullopt;
    return leaked / (leaked + dropped);
}

}  // namespace

std::optional<AttackSpan> attack_span(const Attack& attack, WallTime now) {
    if (!attack.first_seen || !attack.last_seen) return std::nullopt;
    AttackSpan span{};
    span.first = std::chrono::floor<minutes>(*attack.first_seen);
    span.last = std::chrono::floor<minutes>(*attack.last_seen);
    span.usual_from = span.first - kUsual;
    // The present minute is not over, so that nothing is known of it.
    span.to =
        std::max(std::min(span.last + kAfter, std::chrono::floor<minutes>(now)), span.last + minutes{1});
    span.from = span.first - kBefore;
    span.is_cut = span.to - span.from > kLongest;
    if (span.is_cut) span.from = span.to - kLongest;
    return span;
}

Result<std::vector<WatchedPrefix>> watched_prefixes(store::FlowStore& flows, const IpAddress& target) {
    const auto stored = flows.covering(target);
    if (!stored) return stored.error();
    const auto rules = flows.rules();
    if (!rules) return rules.error();
    std::map<unsigned, WatchedPrefix, std::greater<>> by_length;
    for (const Prefix& prefix : *stored) {
        by_length.try_emplace(prefix.length(), WatchedPrefix{prefix, {}, std::nullopt});
    }
    for (const Rule& rule : *rules) {
        for (const Prefix& prefix : rule.prefixes) {
            if (!prefix.contains(target)) continue;
            WatchedPrefix& watched =
                by_length.try_emplace(prefix.length(), WatchedPrefix{prefix, {}, std::nullopt}).first->second;
            watched.rule_ids.push_back(rule.id);
            if (!watched.watched_since || rule.updated_at < *watched.watched_since) {
                watched.watched_since = rule.updated_at;
            }
        }
    }
    std::vector<WatchedPrefix> longest_first;
    longest_first.reserve(by_length.size());
    for (auto& [length, watched] : by_length) longest_first.push_back(std::move(watched));
    return longest_first;
}

Result<std::vector<ArrivedMinute>> arrived_minutes(TrafficHistory& history, const WatchedPrefix& watched,
                                                   MinuteTime from, MinuteTime to) {
    const auto collected = history.collected_minutes(from, to);
    if (!collected) return collected.error();
    const auto points = history.series(watched.prefix, from, to, minutes{1});
    if (!points) return points.error();
    std::vector<ArrivedMinute> arrived;
    auto minute = collected->begin();
    for (const TrafficPoint& point : *points) {
        while (minute != collected->end() && minute->minute < point.start) ++minute;
        const bool is_whole = minute != collected->end() && minute->minute == point.start && minute->whole();
        const Volume& all = point.sum[0];
        // A rule takes effect with the minute that begins after it was made.
        const bool is_watched =
            !all.empty() || (watched.watched_since && *watched.watched_since <= point.start);
        ArrivedMinute one{.start = point.start, .rate = std::nullopt};
        if (is_whole && is_watched) {
            one.rate = TrafficRate{.bits_per_second = all.bits_per_second(),
                                   .packets_per_second = all.packets_per_second()};
        }
        arrived.push_back(one);
    }
    return arrived;
}

void compare(const AttackSpan& span, const store::AttackMinutes& dropped,
             const std::vector<ArrivedMinute>& arrived, BothSides& both) {
    std::map<MinuteTime, TrafficRate> by_minute;
    for (const DroppedMinute& minute : dropped.minutes)
        by_minute.emplace(minute.start, rate_of(minute.volume));
    std::map<MinuteTime, TrafficRate> known;
    for (const ArrivedMinute& minute : arrived) {
        if (minute.rate) known.emplace(minute.start, *minute.rate);
    }
    both.minutes.clear();
    for (MinuteTime start = span.from; start < span.to; start += minutes{1}) {
        BothSides::Minute minute{.start = start, .dropped = {}, .arrived = std::nullopt};
        if (const auto found = by_minute.find(start); found != by_minute.end())
            minute.dropped = found->second;
        if (const auto found = known.find(start); found != known.end()) minute.arrived = found->second;
        both.minutes.push_back(minute);
    }
    both.usual_bits_per_second = usual_bits(span, arrived);
    both.leaked_share = leaked_share(span, both);
}

}  // namespace cam::app
