#include <algorithm>
#include <map>
#include <set>
#include <string>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/alert_fields.h"
#include "api/envelope.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::minutes;

constexpr std::uint32_t kMostPoints = 10'000;
constexpr std::uint32_t kMostStep = 24 * 60;
constexpr minutes kLongest{31 * 24 * 60};
constexpr std::uint32_t kMostListed = 1'000;
constexpr std::uint32_t kMostParts = 100;
constexpr std::uint32_t kMostAlerts = 1'000;

HttpAnswer refusal_of(const Error& why) {
    return why.code == ErrorCode::kInvalid ? failure(422, why.detail) : failure(why);
}

/// The range that `since`, `until` and `step` ask for; whole minutes, the last 24 hours if nothing is said.
enum class Steps { kAsked, kNone };

Result<TrafficRange, HttpAnswer> range_of(QueryReader& query, const Backend& backend, Steps steps) {
    const auto since = query.time("since");
    const auto until = query.time("until");
    const auto step = steps == Steps::kAsked ? query.number("step", 1, kMostStep) : std::nullopt;
    TrafficRange range{.from = {},
                       .to = std::chrono::floor<minutes>(until.value_or(backend.now())),
                       .step = minutes{step.value_or(1)}};
    range.from = since ? std::chrono::floor<minutes>(*since) : range.to - std::chrono::hours{24};
    if (range.from >= range.to)
        return failure(422, "since: a time at least a minute before until is expected");
    if (range.to - range.from > kLongest)
        return failure(422, "since: at most 31 days before until are expected");
    if (steps == Steps::kNone) return range;
    const auto least = (range.to - range.from + minutes{kMostPoints - 1}) / kMostPoints;
    if (!step) range.step = std::max(minutes{1}, least);
    if (range.step < least) {
        return failure(422,
                       fmt::format("step: {} minutes or more are expected; an answer has at most {} points",
                                   least.count(), kMostPoints));
    }
    return range;
}

std::optional<Prefix> parsed(const std::optional<std::string>& text) {
    return text ? Prefix::parse(*text) : std::nullopt;
}

double per_second(std::uint64_t sum, std::uint32_t collected) {
    return static_cast<double>(sum) / (60.0 * collected);
}

Json point_json(const TrafficPoint& point) {
    const Volume& all = point.sum[0];
    const std::uint32_t n = point.collected;
    if (n == 0) {
        return {{"start", rfc3339(point.start)},      {"collected", 0},
                {"bits_per_second", nullptr},         {"packets_per_second", nullptr},
                {"flows_per_second", nullptr},        {"peak_bits_per_second", nullptr},
                {"peak_packets_per_second", nullptr}, {"classes", nullptr}};
    }
    Json classes = Json::object();
    for (std::size_t i = 1; i < kTrafficClassCount; ++i) {
        const Volume& sum = point.sum[i];
        if (sum.empty()) continue;
        classes[name(static_cast<TrafficClass>(i))] = {{"bits_per_second", per_second(sum.bytes, n) * 8},
                                                       {"packets_per_second", per_second(sum.packets, n)}};
    }
    return {{"start", rfc3339(point.start)},
            {"collected", n},
            {"bits_per_second", per_second(all.bytes, n) * 8},
            {"packets_per_second", per_second(all.packets, n)},
            {"flows_per_second", per_second(all.flows, n)},
            {"peak_bits_per_second", point.peak.bits_per_second()},
            {"peak_packets_per_second", point.peak.packets_per_second()},
            {"classes", std::move(classes)}};
}

/// The rules that are drawn into the chart: the one that was asked for, or all that look at this prefix.
Result<std::vector<Rule>, HttpAnswer> rules_of(const Backend& backend, const std::optional<std::string>& id,
                                               const std::optional<Prefix>& prefix) {
    if (id) {
        auto rule = backend.rule(*id);
        if (rule) return std::vector{std::move(*rule)};
        if (rule.error().code == ErrorCode::kNotFound) return failure(422, "rule_id: no rule has this id");
        return failure(rule.error());
    }
    auto all = backend.rules({});
    if (!all) return failure(all.error());
    std::erase_if(*all, [&](const Rule& rule) {
        return std::find(rule.prefixes.begin(), rule.prefixes.end(), *prefix) == rule.prefixes.end();
    });
    return std::move(*all);
}

Json thresholds(const std::vector<Rule>& rules) {
    Json list = Json::array();
    for (const Rule& rule : rules) {
        if (rule.type != RuleType::kThreshold) continue;
        list.push_back(
            {{"rule_id", rule.id},
             {"rule_name", rule.name},
             {"bits_per_second", rule.bandwidth_threshold ? Json(*rule.bandwidth_threshold) : Json(nullptr)},
             {"packets_per_second", rule.packet_threshold ? Json(*rule.packet_threshold) : Json(nullptr)}});
    }
    return list;
}

/// Alerts that were active within the range, newest first.
Result<Json, HttpAnswer> alerts_of(const Backend& backend, const TrafficRange& range,
                                   const std::optional<std::string>& id,
                                   const std::optional<Prefix>& prefix) {
    AlertQuery wanted;
    wanted.rule_id = id;
    wanted.limit = kMostAlerts;
    const auto alerts = backend.alerts(wanted);
    if (!alerts) return failure(alerts.error());
    Json list = Json::array();
    for (const Alert& alert : *alerts) {
        if (alert.started_at >= range.to || (alert.ended_at && *alert.ended_at <= range.from)) continue;
        if (prefix &&
            std::find(alert.prefixes.begin(), alert.prefixes.end(), *prefix) == alert.prefixes.end())
            continue;
        list.push_back(json(alert));
    }
    return list;
}

HttpAnswer chart(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    const auto text = query.text("prefix");
    const auto id = query.text("rule_id");
    const auto range = range_of(query, backend, Steps::kAsked);
    if (auto refused = query.refusal()) return *refused;
    if (!range) return range.error();
    if (text.has_value() == id.has_value())
        return failure(422, "prefix: it or rule_id is expected, not both");
    const auto prefix = parsed(text);
    if (text && !prefix) return failure(422, "prefix: a prefix such as 192.0.2.0/24 is expected");
    const auto rules = rules_of(backend, id, prefix);
    if (!rules) return rules.error();
    const auto points = backend.traffic(prefix ? std::vector{*prefix} : rules->front().prefixes, *range);
    if (!points) return refusal_of(points.error());
    auto alerts = alerts_of(backend, *range, id, prefix);
    if (!alerts) return alerts.error();
    Json list = Json::array();
    for (const TrafficPoint& point : *points) list.push_back(point_json(point));
    return success({{"start", rfc3339(range->from)},
                    {"step_minutes", range->step.count()},
                    {"points", std::move(list)},
                    {"thresholds", thresholds(*rules)},
                    {"alerts", std::move(*alerts)}});
}

HttpAnswer prefixes(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    const auto at = query.time("at");
    const auto limit = query.number("limit", 1, kMostListed).value_or(100);
    if (auto refused = query.refusal()) return *refused;
    const auto minute =
        backend.traffic_minute(at ? std::optional{std::chrono::floor<minutes>(*at)} : std::nullopt);
    if (!minute) return failure(minute.error());
    const auto rules = backend.rules({});
    if (!rules) return failure(rules.error());
    const auto alerts = backend.alerts({.active = true, .rule_id = {}, .since = {}, .limit = kMostAlerts});
    if (!alerts) return failure(alerts.error());
    std::map<Prefix, Json> rules_by_prefix;
    for (const Rule& rule : *rules) {
        for (const Prefix& prefix : rule.prefixes)
            rules_by_prefix[prefix].push_back({{"id", rule.id}, {"name", rule.name}});
    }
    std::set<Prefix> alerted;
    for (const Alert& alert : *alerts) alerted.insert(alert.prefixes.begin(), alert.prefixes.end());
    std::map<Prefix, Volume> volumes;
    if (*minute) {
        for (const PrefixMinute& one : (*minute)->prefixes) volumes[one.prefix] = one.all();
    }
    std::vector<std::pair<Volume, Prefix>> order;
    for (const auto& entry : rules_by_prefix) {
        const auto found = volumes.find(entry.first);
        order.emplace_back(found == volumes.end() ? Volume{} : found->second, entry.first);
    }
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first.bytes > b.first.bytes; });
    Json list = Json::array();
    for (const auto& [volume, prefix] : order) {
        if (list.size() >= limit) break;
        list.push_back({{"prefix", prefix.text()},
                        {"rules", rules_by_prefix.at(prefix)},
                        {"bits_per_second", *minute ? Json(volume.bits_per_second()) : Json(nullptr)},
                        {"packets_per_second", *minute ? Json(volume.packets_per_second()) : Json(nullptr)},
                        {"alert", alerted.contains(prefix)}});
    }
    return success({{"minute", *minute ? Json(rfc3339((*minute)->minute)) : Json(nullptr)},
                    {"prefixes", std::move(list)},
                    {"prefix_count", order.size()}});
}

HttpAnswer contributors(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    const auto text = query.text("prefix");
    const auto limit = query.number("limit", 1, kMostParts).value_or(10);
    const auto range = range_of(query, backend, Steps::kNone);
    if (auto refused = query.refusal()) return *refused;
    if (!range) return range.error();
    const auto prefix = parsed(text);
    if (!prefix) return failure(422, "prefix: a prefix such as 192.0.2.0/24 is expected");
    const auto parts = backend.traffic_parts(*prefix, *range, limit);
    if (!parts) return refusal_of(parts.error());
    Json facets = Json::object();
    for (std::size_t i = 0; i < kTrafficFacetCount; ++i)
        facets[name(static_cast<TrafficFacet>(i))] = Json::array();
    for (const Contributor& one : parts->largest) {
        Json entry = {{"key", one.key},
                      {"bytes", one.volume.bytes},
                      {"packets", one.volume.packets},
                      {"flows", one.volume.flows},
                      {"share", parts->all.bytes == 0
                                    ? Json(nullptr)
                                    : Json(std::min(1.0, static_cast<double>(one.volume.bytes) /
                                                             static_cast<double>(parts->all.bytes)))}};
        if (one.facet == TrafficFacet::kSourceAs) {
            const auto known = parts->as_names.find(one.key);
            entry["name"] = known == parts->as_names.end() ? Json(nullptr) : Json(known->second);
        }
        facets[name(one.facet)].push_back(std::move(entry));
    }
    return success(facets);
}

}  // namespace

void add_traffic_routes(std::vector<Route>& routes, const Backend& backend) {
    const auto add = [&](std::string_view path, HttpAnswer (*answer)(const HttpRequest&, const Backend&)) {
        routes.push_back(
            {.method = "GET", .path = path, .answer = [&backend, answer](const HttpRequest& request) {
                 return answer(request, backend);
             }});
    };
    add("/traffic", chart);
    add("/traffic/prefixes", prefixes);
    add("/traffic/contributors", contributors);
}

}  // namespace cam::api
