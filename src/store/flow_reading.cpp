#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "flow_schema.h"
#include "flow_store_state.h"

namespace cam::store {
namespace {

constexpr std::int64_t kMostPoints = 10'000;

/// The volumes of the first `classes` classes, in the order of TrafficClass.
std::string volume_columns(std::size_t classes) {
    std::string columns;
    for (std::size_t i = 0; i < classes; ++i) {
        for (const std::string_view property : kVolumeProperties) {
            columns += fmt::format(", m.{}", volume_column(static_cast<TrafficClass>(i), property));
        }
    }
    return columns;
}

std::size_t class_count(MinuteDetail detail) {
    return detail == MinuteDetail::kTotals ? 1 : kTrafficClassCount;
}

Volume volume_at(const Query& row, int column) {
    return {.bytes = row.count(column), .packets = row.count(column + 1), .flows = row.count(column + 2)};
}

/// The classes whose columns begin at `column`.
void read_classes(const Query& row, int column, std::size_t classes, ClassVolumes& into) {
    for (std::size_t i = 0; i < classes; ++i) {
        into[i] = volume_at(row, column + static_cast<int>(3 * i));
    }
}

CollectedMinute collected_at(const Query& row) {
    const MinuteTime minute = minute_of(row.integer(0));
    const WallTime start{minute};
    return {.minute = minute,
            .from = start + std::chrono::milliseconds{row.integer(1)},
            .to = start + std::chrono::milliseconds{row.integer(2)},
            .covered = std::chrono::milliseconds{row.integer(3)}};
}

std::string select_minute_of(std::size_t classes) {
    return fmt::format("SELECT m.prefix_id{} FROM flow_minutes AS m WHERE m.minute = ?1",
                       volume_columns(classes));
}

/// Made once: it is looked up by its text for each minute of a warm-up.
const std::string& select_minute(MinuteDetail detail) {
    static const std::string kTotals = select_minute_of(1);
    static const std::string kClasses = select_minute_of(kTrafficClassCount);
    return detail == MinuteDetail::kTotals ? kTotals : kClasses;
}

/// Appends the traffic of one minute, in the order of the prefixes' numbers.
Status read_minute(Database& database, PrefixIds& ids, MinuteTime minute, MinuteDetail detail,
                   std::vector<PrefixMinute>& into) {
    const std::size_t classes = class_count(detail);
    Result<Query> query = database.query(select_minute(detail));
    if (!query) return query.error();
    query->number(1, number_of(minute));
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return Done{};
        const Result<Prefix> prefix = ids.prefix(database, query->integer(0));
        if (!prefix) return prefix.error();
        into.push_back({.prefix = *prefix, .minute = minute});
        read_classes(*query, 1, classes, into.back().classes);
    }
}

void raise(Volume& peak, const Volume& volume) {
    peak.bytes = std::max(peak.bytes, volume.bytes);
    peak.packets = std::max(peak.packets, volume.packets);
    peak.flows = std::max(peak.flows, volume.flows);
}

}  // namespace

Result<std::vector<CollectedMinute>> FlowStore::collected_minutes(MinuteTime from, MinuteTime to) {
    const Result<bool> there = state_->ready_to_read("flow_collected_minutes");
    if (!there) return there.error();
    std::vector<CollectedMinute> minutes;
    if (!*there) return minutes;
    Result<Query> query = state_->database->query(
        "SELECT minute, from_ms, to_ms, covered_ms FROM flow_collected_minutes WHERE minute >= ?1 AND minute "
        "< ?2 ORDER BY minute");
    if (!query) return query.error();
    query->number(1, number_of(from)).number(2, number_of(to));
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return minutes;
        minutes.push_back(collected_at(*query));
    }
}

Status FlowStore::read_minutes(
    MinuteTime from, MinuteTime to, MinuteDetail detail,
    const std::function<void(const CollectedMinute&, std::span<const PrefixMinute>)>& take) {
    const Result<std::vector<CollectedMinute>> minutes = collected_minutes(from, to);
    if (!minutes) return minutes.error();
    std::vector<PrefixMinute> traffic;
    for (const CollectedMinute& collected : *minutes) {
        traffic.clear();
        // Not the database of before: `take` may have used the store.
        if (Status read = read_minute(*state_->database, state_->prefixes, collected.minute, detail, traffic);
            !read) {
            return read;
        }
        take(collected, traffic);
    }
    return Done{};
}

Result<std::optional<std::vector<PrefixMinute>>> FlowStore::minute(MinuteTime minute, MinuteDetail detail) {
    std::optional<std::vector<PrefixMinute>> traffic;
    const Status read = read_minutes(minute, minute + std::chrono::minutes{1}, detail,
                                     [&](const CollectedMinute&, std::span<const PrefixMinute> prefixes) {
                                         traffic.emplace(prefixes.begin(), prefixes.end());
                                     });
    if (!read) return read.error();
    return traffic;
}

Result<std::vector<TrafficPoint>> FlowStore::series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                    std::chrono::minutes step) {
    const std::int64_t length = std::max<std::int64_t>((to - from).count(), 0);
    if (step.count() < 1 || (length + step.count() - 1) / step.count() > kMostPoints) {
        return Error{
            ErrorCode::kInvalid,
            fmt::format("a series has steps of a minute or more and at most {} points", kMostPoints)};
    }
    const Result<bool> there = state_->ready_to_read("flow_minutes");
    if (!there) return there.error();
    std::vector<TrafficPoint> points;
    for (MinuteTime start = from; start < to; start += step) points.push_back({.start = start});
    if (!*there) return points;
    Database& database = *state_->database;
    const Result<std::optional<std::int64_t>> id = state_->prefixes.find(database, prefix);
    if (!id) return id.error();
    static const std::string kStatement = fmt::format(
        "SELECT c.minute{} FROM flow_collected_minutes AS c LEFT JOIN flow_minutes AS m ON m.minute = "
        "c.minute "
        "AND m.prefix_id = ?3 WHERE c.minute >= ?1 AND c.minute < ?2 ORDER BY c.minute",
        volume_columns(kTrafficClassCount));
    Result<Query> query = database.query(kStatement);
    if (!query) return query.error();
    query->number(1, number_of(from)).number(2, number_of(to)).number(3, id->value_or(-1));
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return points;
        TrafficPoint& point =
            points.at(static_cast<std::size_t>((minute_of(query->integer(0)) - from) / step));
        ++point.collected;
        ClassVolumes classes{};
        read_classes(*query, 1, kTrafficClassCount, classes);
        for (std::size_t i = 0; i < kTrafficClassCount; ++i) point.sum[i] += classes[i];
        raise(point.peak, classes[0]);
    }
}

Result<std::vector<Contributor>> FlowStore::contributors(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                         std::size_t most) {
    const Result<bool> there = state_->ready_to_read("flow_contributors");
    if (!there) return there.error();
    std::vector<Contributor> largest;
    if (!*there) return largest;
    Database& database = *state_->database;
    const Result<std::optional<std::int64_t>> id = state_->prefixes.find(database, prefix);
    if (!id) return id.error();
    if (!*id) return largest;
    // total(): a sum beyond 2^63 is no error. The minutes of the range one by one: each is one look-up.
    Result<Query> query = database.query(
        "SELECT f.facet, f.key, min(total(f.bytes), 9223372036854775807), min(total(f.packets), "
        "9223372036854775807), min(total(f.flows), 9223372036854775807) FROM flow_collected_minutes AS c "
        "CROSS "
        "JOIN flow_contributors AS f ON f.minute = c.minute AND f.prefix_id = ?3 WHERE c.minute >= ?1 AND "
        "c.minute < ?2 GROUP BY f.facet, f.key ORDER BY f.facet, 3 DESC, f.key");
    if (!query) return query.error();
    query->number(1, number_of(from)).number(2, number_of(to)).number(3, **id);
    std::size_t of_facet = 0;
    for (;;) {
        const Result<bool> row = query->step();
        if (!row) return row.error();
        if (!*row) return largest;
        const std::int64_t facet = query->integer(0);
        if (facet < 0 || facet >= static_cast<std::int64_t>(kTrafficFacetCount)) continue;
        const auto kind = static_cast<TrafficFacet>(facet);
        of_facet = !largest.empty() && largest.back().facet == kind ? of_facet + 1 : 1;
        if (of_facet > most) continue;
        largest.push_back({.prefix = prefix,
                           .minute = from,
                           .facet = kind,
                           .key = std::string(query->peek(1)),
                           .volume = volume_at(*query, 2)});
    }
}

}  // namespace cam::store
