#include "app/traffic_history.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/clickhouse_settings.h"
#include "app/flow_explainer.h"

namespace cam::app {
namespace {

using std::chrono::minutes;

constexpr std::chrono::seconds kLongestCall{10};

}  // namespace

Result<std::vector<TrafficPoint>> SqliteHistory::series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                        minutes step) {
    return store_.series(prefix, from, to, step);
}

Result<std::vector<CollectedMinute>> SqliteHistory::collected_minutes(MinuteTime from, MinuteTime to) {
    return store_.collected_minutes(from, to);
}

Result<std::optional<std::vector<PrefixMinute>>> SqliteHistory::minute(MinuteTime minute) {
    return store_.minute(minute, store::MinuteDetail::kTotals);
}

Result<std::vector<Contributor>> SqliteHistory::contributors(const Prefix& prefix, MinuteTime from,
                                                             MinuteTime to, std::size_t most) {
    return store_.contributors(prefix, from, to, most);
}

Result<std::unique_ptr<ClickHouseHistory>> ClickHouseHistory::open(
    const Settings::Traffic::ClickHouse& settings, const enrich::GeoDatabases& geo) {
    auto client = clickhouse::Client::open(clickhouse_options(settings, kLongestCall));
    if (!client) return client.error();
    return std::unique_ptr<ClickHouseHistory>(new ClickHouseHistory(std::move(*client), geo));
}

Result<std::vector<TrafficPoint>> ClickHouseHistory::series(const Prefix& prefix, MinuteTime from,
                                                            MinuteTime to, minutes step) {
    return reader_.series(prefix, from, to, step, {});
}

Result<std::vector<CollectedMinute>> ClickHouseHistory::collected_minutes(MinuteTime from, MinuteTime to) {
    const auto found = reader_.minutes(from, to, {});
    if (!found) return found.error();
    std::vector<CollectedMinute> collected;
    collected.reserve(found->size());
    for (const clickhouse::MinuteVersion& one : *found) {
        collected.push_back(
            {.minute = one.minute, .from = one.minute, .to = one.minute + minutes{1}, .covered = minutes{1}});
    }
    return collected;
}

Result<std::optional<std::vector<PrefixMinute>>> ClickHouseHistory::minute(MinuteTime minute) {
    auto found = reader_.minute(minute, {});
    if (!found) return found.error();
    if (found->version.records == 0) return std::optional<std::vector<PrefixMinute>>{};
    return std::optional{std::move(found->prefixes)};
}

Result<std::vector<Contributor>> ClickHouseHistory::contributors(const Prefix& prefix, MinuteTime from,
                                                                 MinuteTime to, std::size_t most) {
    std::vector<Contributor> out;
    std::vector<Contributor> sources;
    for (const TrafficFacet facet : kToldFacets) {
        const bool is_source = facet == TrafficFacet::kSource;
        auto found = reader_.contributors(prefix, from, to, facet,
                                          is_source ? std::max(most, kSourcesLookedUp) : most, {});
        if (!found) return found.error();
        if (is_source) sources = *found;
        out.insert(out.end(), std::make_move_iterator(found->begin()), std::make_move_iterator(found->end()));
    }
    append_places(sources, {.prefix = prefix, .minute = from, .classes = {}}, geo_, most, out);
    return out;
}

}  // namespace cam::app
