#include "app/clickhouse_explainer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "app/alert_composer.h"
#include "app/flow_explainer.h"

namespace cam::app {
namespace {

using std::chrono::minutes;

/// For all alerts of a judgement together.
constexpr std::chrono::seconds kBudget{15};
/// Of an alert over many prefixes, those with the most traffic are looked into.
constexpr std::size_t kExplained = 3;

}  // namespace

std::string ClickHouseExplainer::key(const Alert& alert) {
    return alert.prefixes.empty() ? alert.rule_id : alert.rule_id + ' ' + alert.prefixes.front().text();
}

ClickHouseExplainer::Explanations ClickHouseExplainer::explain(const std::vector<Alert>& started,
                                                               std::span<const PrefixMinute> traffic,
                                                               const std::stop_token& stop) {
    std::vector<const Alert*> largest;
    largest.reserve(started.size());
    for (const Alert& alert : started) largest.push_back(&alert);
    std::stable_sort(largest.begin(), largest.end(), [](const Alert* a, const Alert* b) {
        return a->peak.bits_per_second > b->peak.bits_per_second;
    });
    largest.resize(std::min(largest.size(), kMostSingleAlerts));
    deadline_ = parts_.clock.steady() + kBudget;
    is_spent_ = false;
    Explanations all;
    const auto ask = [&](const PrefixMinute& of) { return contributors(of, stop); };
    for (const Alert* alert : largest)
        all[key(*alert)] = explain_alert(*alert, traffic, ask, kExplained, parts_.geo);
    return all;
}

std::vector<Contributor> ClickHouseExplainer::contributors(const PrefixMinute& of,
                                                           const std::stop_token& stop) {
    std::vector<Contributor> out;
    const auto ask = [&](TrafficFacet facet, std::size_t most) {
        std::vector<Contributor> found;
        is_spent_ |= parts_.clock.steady() >= deadline_ || stop.stop_requested();
        if (is_spent_) return found;
        parts_.beat();
        auto answer =
            parts_.reader.contributors(of.prefix, of.minute, of.minute + minutes{1}, facet, most, stop);
        if (answer) return std::move(*answer);
        parts_.log->warn("an alert is told without its contributors prefix={} reason={}", of.prefix.text(),
                         quote(answer.error().detail));
        is_spent_ = true;
        return found;
    };
    std::vector<Contributor> sources = ask(TrafficFacet::kSource, kSourcesLookedUp);
    for (const TrafficFacet facet : kToldFacets) {
        auto found = facet == TrafficFacet::kSource ? sources : ask(facet, kAlertContributors);
        if (found.size() > kAlertContributors)
            found.erase(found.begin() + static_cast<std::ptrdiff_t>(kAlertContributors), found.end());
        out.insert(out.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    }
    append_places(sources, of, parts_.geo, kAlertContributors, out);
    return out;
}

}  // namespace cam::app
