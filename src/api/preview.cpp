#include <nlohmann/json.hpp>

#include "api/alert_fields.h"
#include "api/envelope.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "api/rule_fields.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kMostDays = 30;
constexpr std::uint32_t kDays = 7;

template <typename T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json preview_json(const RulePreview& preview) {
    Json alerts = Json::array();
    for (const Alert& alert : preview.alerts) {
        Json one = json(alert);
        one.erase("id");
        alerts.push_back(std::move(one));
    }
    Json without = Json::array();
    for (const Prefix& prefix : preview.without_traffic) without.push_back(prefix.text());
    return {{"from", rfc3339(preview.from)},
            {"to", rfc3339(preview.to)},
            {"minutes_collected", preview.minutes_judged},
            {"alerts", std::move(alerts)},
            {"alerts_left_out", preview.alerts_left_out},
            {"prefixes_without_traffic", std::move(without)},
            {"suggestion",
             {{"bandwidth_threshold", or_null(preview.suggestion.bits_per_second)},
              {"packet_threshold", or_null(preview.suggestion.packets_per_second)},
              {"reasoning", preview.suggestion.reasoning}}}};
}

HttpAnswer answer(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    const auto days = query.number("days", 1, kMostDays).value_or(kDays);
    if (auto refused = query.refusal()) return *refused;
    const Result<Rule, HttpAnswer> rule = parse_rule(request.body);
    if (!rule) return rule.error();
    const auto preview = backend.preview_rule(*rule, std::chrono::hours{24} * days);
    if (preview) return success(preview_json(*preview));
    if (preview.error().code == ErrorCode::kInvalid) return failure(422, preview.error().detail);
    if (preview.error().code != ErrorCode::kBusy) return failure(preview.error());
    HttpAnswer later = failure(429, "another preview is under way");
    later.headers.emplace_back("Retry-After", "2");
    return later;
}

}  // namespace

void add_preview_route(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "POST",
                      .path = "/rules/preview",
                      .answer = [&backend](const HttpRequest& request) { return answer(request, backend); }});
}

}  // namespace cam::api
