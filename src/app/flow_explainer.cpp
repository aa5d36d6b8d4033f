#include "app/flow_explainer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <numeric>
#include <string>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

constexpr std::size_t kMost = 10;
/// With kMost contributors of each facet they fill what the store keeps of a minute.
constexpr std::size_t kExplainedPrefixes = 125;

void append_largest(const std::map<std::string, Volume>& volumes, TrafficFacet facet, const PrefixMinute& of,
                    std::size_t most, std::vector<Contributor>& out) {
    std::vector<Contributor> found;
    found.reserve(volumes.size());
    for (const auto& [key, volume] : volumes) found.push_back({of.prefix, of.minute, facet, key, volume});
    const std::size_t kept = std::min(most, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(),
                      [](const Contributor& a, const Contributor& b) {
                          return a.volume.bytes != b.volume.bytes ? a.volume.bytes > b.volume.bytes
                                                                  : a.key < b.key;
                      });
    found.resize(kept, {of.prefix, of.minute, facet, {}, {}});
    out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
}

}  // namespace

std::vector<Contributor> explain(const aggregate::CountedMinute& minute, const PrefixMinute& of,
                                 const enrich::GeoDatabases& geo, std::size_t most) {
    std::vector<Contributor> out;
    for (const TrafficFacet facet : kToldFacets) {
        auto found = minute.sampled.contributors(of, facet, most);
        out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    append_places(minute.sampled.contributors(of, TrafficFacet::kSource, kSourcesLookedUp), of, geo, most,
                  out);
    return out;
}

void append_places(std::span<const Contributor> sources, const PrefixMinute& of,
                   const enrich::GeoDatabases& geo, std::size_t most, std::vector<Contributor>& out) {
    const bool tells_as = std::any_of(
        out.begin(), out.end(), [](const Contributor& one) { return one.facet == TrafficFacet::kSourceAs; });
    std::map<std::string, Volume> countries;
    std::map<std::string, Volume> networks;
    for (const Contributor& source : sources) {
        const auto prefix = Prefix::parse(source.key);
        if (!prefix) continue;
        const Place place = geo.find(prefix->address());
        if (place.country_code) countries[*place.country_code] += source.volume;
        if (place.asn && !tells_as) networks[fmt::format("{}", *place.asn)] += source.volume;
    }
    append_largest(countries, TrafficFacet::kSourceCountry, of, most, out);
    append_largest(networks, TrafficFacet::kSourceAs, of, most, out);
}

std::vector<Contributor> explain_largest(const aggregate::CountedMinute& minute,
                                         const enrich::GeoDatabases& geo) {
    std::vector<std::size_t> order(minute.prefixes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::size_t kept = std::min(kExplainedPrefixes, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(kept), order.end(),
                      [&](std::size_t a, std::size_t b) {
                          const Volume& left = minute.prefixes[a].all();
                          const Volume& right = minute.prefixes[b].all();
                          return left.bytes != right.bytes ? left.bytes > right.bytes : a < b;
                      });
    std::vector<Contributor> out;
    for (std::size_t i = 0; i < kept; ++i) {
        auto found = explain(minute, minute.prefixes[order[i]], geo, kMost);
        out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    return out;
}

}  // namespace cam::app
