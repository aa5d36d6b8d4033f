#include "app/alert_composer.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/flow_explainer.h"
#include "cam/base/time_text.h"
#include "cam/model/special_purpose.h"

namespace cam::app {
namespace {

/// More alerts than this in one minute share a message: a chat takes twenty a minute, and nobody reads more.
constexpr std::size_t kSingle = kMostSingleAlerts - 1;
/// Of an alert over many prefixes, those with the most traffic are looked into: to explain one takes
/// milliseconds, and the database is locked meanwhile.
constexpr std::size_t kExplained = 20;

/// Who a source network or an AS is, as far as the databases know.
void name_source(notify::AlertContributor& one, const enrich::GeoDatabases& geo) {
    if (one.facet != TrafficFacet::kSource) return;
    const auto network = Prefix::parse(one.key);
    if (!network) return;
    one.spoofed = special_purpose(network->address());
    if (!one.spoofed) one.place = geo.find(network->address());
}

/// The minutes of the alert's prefixes. What lies in another one of them is counted there.
std::vector<const PrefixMinute*> parts_of(const Alert& alert, std::span<const PrefixMinute> minute) {
    const std::set<Prefix> prefixes(alert.prefixes.begin(), alert.prefixes.end());
    std::vector<const PrefixMinute*> parts;
    for (const PrefixMinute& traffic : minute) {  // sorted: a prefix stands before those within it
        if (!prefixes.contains(traffic.prefix)) continue;
        const bool is_within = !parts.empty() && parts.back()->prefix.length() <= traffic.prefix.length() &&
                               parts.back()->prefix.contains(traffic.prefix.address());
        if (!is_within) parts.push_back(&traffic);
    }
    return parts;
}

/// The largest first, and a message for each; what is more than kSingle is listed in one.
void compose(std::span<const Alert> alerts, notify::StatusTone tone, const std::string& what,
             const std::function<Message(const Alert&)>& render,
             const std::function<std::string(const Alert&)>& line, const notify::RenderOptions& options,
             std::vector<Message>& out) {
    std::vector<const Alert*> order;
    for (const Alert& alert : alerts) order.push_back(&alert);
    std::stable_sort(order.begin(), order.end(), [](const Alert* a, const Alert* b) {
        return a->peak.bits_per_second > b->peak.bits_per_second;
    });
    const std::size_t single = order.size() > kSingle + 1 ? kSingle : order.size();
    for (std::size_t i = 0; i < single; ++i) out.push_back(render(*order[i]));
    if (single == order.size()) return;
    std::vector<std::string> lines;
    for (std::size_t i = single; i < order.size(); ++i) lines.push_back(line(*order[i]));
    Message list = notify::render_status(tone, fmt::format("{} more {}", lines.size(), what), lines, options);
    list.kind = MessageKind::kAlert;
    out.push_back(std::move(list));
}

}  // namespace

notify::AlertExplanation explain_alert(
    const Alert& alert, std::span<const PrefixMinute> minute,
    const std::function<std::vector<Contributor>(const PrefixMinute&)>& contributors,
    std::size_t most_prefixes, const enrich::GeoDatabases& geo) {
    notify::AlertExplanation out;
    std::vector<const PrefixMinute*> parts = parts_of(alert, minute);
    for (const PrefixMinute* part : parts) {
        for (std::size_t i = 0; i < out.classes.size(); ++i) out.classes[i] += part->classes[i];
    }
    std::stable_sort(parts.begin(), parts.end(), [](const PrefixMinute* a, const PrefixMinute* b) {
        return a->all().bytes > b->all().bytes;
    });
    parts.resize(std::min(parts.size(), most_prefixes));
    std::map<std::pair<TrafficFacet, std::string>, Volume> volumes;
    for (const PrefixMinute* part : parts) {
        for (const Contributor& one : contributors(*part)) {
            volumes[{one.facet, one.key}] += one.volume;
        }
    }
    std::map<std::string, std::string> organizations;
    for (const auto& [of, volume] : volumes) {
        notify::AlertContributor one{
            .facet = of.first, .key = of.second, .volume = volume, .place = {}, .spoofed = {}};
        name_source(one, geo);
        if (one.place.asn && one.place.organization) {
            organizations[fmt::format("{}", *one.place.asn)] = *one.place.organization;
        }
        out.contributors.push_back(std::move(one));
    }
    for (notify::AlertContributor& one : out.contributors) {
        if (one.facet != TrafficFacet::kSourceAs) continue;
        const auto found = organizations.find(one.key);
        if (found != organizations.end()) one.place.organization = found->second;
    }
    return out;
}

std::vector<Message> compose_alerts(const store::RecordReport& report, const aggregate::CountedMinute& minute,
                                    const enrich::GeoDatabases& geo, const notify::RenderOptions& options) {
    const auto contributors = [&](const PrefixMinute& part) {
        return explain(minute, part, geo, kAlertContributors);
    };
    return compose_alerts(
        report,
        [&](const Alert& alert) {
            return explain_alert(alert, minute.prefixes, contributors, kExplained, geo);
        },
        options);
}

std::vector<Message> compose_alerts(const store::RecordReport& report,
                                    const std::function<notify::AlertExplanation(const Alert&)>& explain_one,
                                    const notify::RenderOptions& options) {
    std::vector<Message> messages;
    compose(
        report.started, notify::StatusTone::kTrouble, "traffic alerts",
        [&](const Alert& alert) { return notify::render_alert_started(alert, explain_one(alert), options); },
        [](const Alert& alert) {
            return fmt::format("{}: {}, {:.2f} Mbps, {:.0f} packets/s, since {}", alert.rule_name,
                               alert_target(alert), alert.current.bits_per_second / 1e6,
                               alert.current.packets_per_second, european_time(alert.started_at));
        },
        options, messages);
    compose(
        report.ended, notify::StatusTone::kRecovered, "traffic alerts ended",
        [&](const Alert& alert) { return notify::render_alert_ended(alert, options); },
        [](const Alert& alert) {
            return fmt::format("{}: {}, peak {:.2f} Mbps, after {}", alert.rule_name, alert_target(alert),
                               alert.peak.bits_per_second / 1e6,
                               duration_text(alert.ended_at.value_or(alert.started_at) - alert.started_at));
        },
        options, messages);
    return messages;
}

std::string alert_target(const Alert& alert) {
    if (alert.prefixes.size() == 1) return alert.prefixes.front().text();
    return fmt::format("{} prefixes", alert.prefixes.size());
}

}  // namespace cam::app
