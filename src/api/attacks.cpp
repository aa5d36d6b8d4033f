#include <string>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/paging.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "cam/base/log.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kMostAttacks = 200;
constexpr std::uint32_t kLongestStep = 86'400;
constexpr std::string_view kBothSides = "/both-sides";

/// Without the lists of the detail, which has longer ones.
Json summary(const Attack& attack) {
    return {{"attack_id", attack.attack_id},
            {"vectors", attack.vectors},
            {"rule_names", attack.rule_names},
            {"first_seen", or_null(attack.first_seen)},
            {"last_seen", or_null(attack.last_seen)},
            {"active", attack.active},
            {"events", attack.volume.events},
            {"packets", attack.volume.packets},
            {"bits", attack.volume.bits},
            {"target_count", attack.target_count},
            {"source_count", attack.source_count}};
}

Json json(const Attack& attack) {
    Json all = summary(attack);
    all["targets"] = attack.targets;
    return all;
}

Json json(const Breakdown& breakdown) {
    Json largest = Json::array();
    for (const Share& share : breakdown.largest) {
        largest.push_back({{"key", share.key},
                           {"name", or_null(share.name)},
                           {"packets", share.volume.packets},
                           {"bits", share.volume.bits},
                           {"events", share.volume.events}});
    }
    return {{"largest", std::move(largest)}, {"left_out", breakdown.left_out}};
}

Json json(const AttackDetail& detail) {
    Json all = summary(detail.attack);
    all["sources"] = {{"countries", json(detail.countries)},
                      {"asns", json(detail.asns)},
                      {"addresses", json(detail.addresses)}};
    all["targets"] = json(detail.targets);
    all["colos"] = json(detail.colos);
    all["ports"] = json(detail.ports);
    all["complete_since"] = or_null(detail.complete_since);
    return all;
}

Json json(const AttackTimeline::Series& series) {
    return {{"attack_id", series.attack_id},
            {"vectors", series.vectors},
            {"packets", series.packets},
            {"bits", series.bits}};
}

Json json(const AttackTimeline& timeline) {
    Json series = Json::array();
    for (const AttackTimeline::Series& one : timeline.series) series.push_back(json(one));
    return {{"start", rfc3339(timeline.start)},
            {"step_seconds", timeline.step.count()},
            {"series", std::move(series)},
            {"other", timeline.other ? json(*timeline.other) : Json(nullptr)},
            {"other_count", timeline.other_count},
            {"complete_since", or_null(timeline.complete_since)}};
}

Json json(const BothSides& both) {
    Json minutes = Json::array();
    for (const BothSides::Minute& minute : both.minutes) {
        Json one = {{"start", rfc3339(WallTime{minute.start})},
                    {"dropped_bits_per_second", minute.dropped.bits_per_second},
                    {"dropped_packets_per_second", minute.dropped.packets_per_second},
                    {"arrived_bits_per_second", nullptr},
                    {"arrived_packets_per_second", nullptr}};
        if (minute.arrived) {
            one["arrived_bits_per_second"] = minute.arrived->bits_per_second;
            one["arrived_packets_per_second"] = minute.arrived->packets_per_second;
        }
        minutes.push_back(std::move(one));
    }
    return {{"prefix", both.prefix ? Json(both.prefix->text()) : Json(nullptr)},
            {"rule_ids", both.rule_ids},
            {"minutes", std::move(minutes)},
            {"usual_bits_per_second", or_null(both.usual_bits_per_second)},
            {"leaked_share", or_null(both.leaked_share)},
            {"note", both.note}};
}

HttpAnswer missing(const Error& why, std::string_view id) {
    if (why.code != ErrorCode::kNotFound) return query_failure(why);
    return failure(404, fmt::format("no event belongs to an attack {}", quote(id, 64)));
}

HttpAnswer show_attacks(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    AttackQuery wanted;
    wanted.since = query.time("since");
    wanted.until = query.time("until");
    wanted.vector = query.text("vector");
    wanted.prefix = query.prefix("prefix");
    wanted.cursor = query.cursor("cursor");
    wanted.limit = query.number("limit", 1, kMostAttacks).value_or(wanted.limit);
    if (auto refused = query.refusal()) return *refused;
    const Result<AttackPage> page = backend.attacks(wanted);
    if (!page) return query_failure(page.error());
    ListAnswer list;
    for (const Attack& attack : page->attacks) list.add(json(attack));
    Json info = result_info(page->next_cursor);
    info["total"] = page->total;
    info["complete_since"] = or_null(page->complete_since);
    return std::move(list).finish(info);
}

HttpAnswer show_timeline(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    TimelineRequest wanted;
    wanted.since = query.time("since");
    wanted.until = query.time("until");
    if (const auto step = query.number("step", 1, kLongestStep)) wanted.step = std::chrono::seconds{*step};
    wanted.vector = query.text("vector");
    wanted.prefix = query.prefix("prefix");
    if (auto refused = query.refusal()) return *refused;
    const Result<AttackTimeline> timeline = backend.attack_timeline(wanted);
    return timeline ? success(json(*timeline)) : query_failure(timeline.error());
}

HttpAnswer show_attack(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    if (auto refused = query.refusal()) return *refused;
    const std::string_view id = last_segment(request.path);
    const Result<AttackDetail> attack = backend.attack(id);
    return attack ? success(json(*attack)) : missing(attack.error(), id);
}

HttpAnswer show_both_sides(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    if (auto refused = query.refusal()) return *refused;
    std::string_view path = request.path;
    path = path.substr(0, path.rfind(kBothSides));
    const std::string_view id = last_segment(path);
    const Result<BothSides> both = backend.both_sides(id);
    return both ? success(json(*both)) : missing(both.error(), id);
}

}  // namespace

void add_attack_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/attacks", .answer = [&backend](const HttpRequest& request) {
                          return show_attacks(request, backend);
                      }});
    // Before `{id}`, which stands for any.
    routes.push_back(
        {.method = "GET", .path = "/attacks/timeline", .answer = [&backend](const HttpRequest& request) {
             return show_timeline(request, backend);
         }});
    routes.push_back(
        {.method = "GET", .path = "/attacks/{id}", .answer = [&backend](const HttpRequest& request) {
             return show_attack(request, backend);
         }});
    routes.push_back(
        {.method = "GET",
         .path = "/attacks/{id}/both-sides",
         .answer = [&backend](const HttpRequest& request) { return show_both_sides(request, backend); }});
}

}  // namespace cam::api
