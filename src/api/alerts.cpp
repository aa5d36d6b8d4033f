#include <nlohmann/json.hpp>

#include "api/alert_fields.h"
#include "api/envelope.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

/// More than of other things: whoever asks what is wrong now wants all of it.
constexpr std::uint32_t kMostAlerts = 10'000;

Json rate_json(const TrafficRate& rate) {
    return {{"bits_per_second", rate.bits_per_second}, {"packets_per_second", rate.packets_per_second}};
}

Json crossing_json(const Crossing& crossing) {
    return {{"metric", name(crossing.metric)},
            {"value", crossing.value},
            {"threshold", crossing.threshold},
            {"traffic_class", name(crossing.traffic_class)},
            {"baseline", crossing.baseline ? Json(*crossing.baseline) : Json(nullptr)},
            {"spread", crossing.spread ? Json(*crossing.spread) : Json(nullptr)},
            {"zscore_target", crossing.zscore_target ? Json(name(*crossing.zscore_target)) : Json(nullptr)}};
}

}  // namespace

nlohmann::ordered_json json(const Alert& alert) {
    Json prefixes = Json::array();
    for (const Prefix& prefix : alert.prefixes) prefixes.push_back(prefix.text());
    const bool is_one = alert.prefixes.size() == 1;
    return {{"id", alert.id},
            {"active", !alert.ended_at},
            {"rule_id", alert.rule_id},
            {"rule_name", alert.rule_name},
            {"type", name(alert.type)},
            {"scope", name(alert.scope)},
            {"prefix", is_one ? prefixes[0] : Json(nullptr)},
            {"prefixes", std::move(prefixes)},
            {"started_at", rfc3339(alert.started_at)},
            {"raised_at", rfc3339(alert.raised_at)},
            {"ended_at", alert.ended_at ? Json(rfc3339(*alert.ended_at)) : Json(nullptr)},
            {"end_reason", alert.end_reason.empty() ? Json(nullptr) : Json(alert.end_reason)},
            {"crossing", crossing_json(alert.crossing)},
            {"peak", rate_json(alert.peak)},
            {"current", rate_json(alert.current)}};
}

namespace {

HttpAnswer answer(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    AlertQuery wanted;
    wanted.active = query.flag("active");
    wanted.rule_id = query.text("rule_id");
    wanted.since = query.time("since");
    wanted.limit = query.number("limit", 1, kMostAlerts).value_or(wanted.limit);
    if (auto refused = query.refusal()) return *refused;
    const Result<std::vector<Alert>> alerts = backend.alerts(wanted);
    if (!alerts) return failure(alerts.error());
    ListAnswer list;
    for (const Alert& alert : alerts.value()) list.add(json(alert));
    return std::move(list).finish();
}

}  // namespace

void add_alert_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/alerts", .answer = [&backend](const HttpRequest& request) {
                          return answer(request, backend);
                      }});
}

}  // namespace cam::api
