#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/paging.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

Json conditions_of(const MonitorStatus& status) {
    Json all = Json::array();
    for (const RaisedCondition& condition : status.conditions) {
        all.push_back({{"name", condition.name},
                       {"headline", condition.headline},
                       {"details", condition.details},
                       {"since", rfc3339(condition.since)}});
    }
    return all;
}

Json json(const PollStanding& polling) {
    return {{"last_ok_at", or_null(polling.last_ok_at)},
            {"last_failure_at", or_null(polling.last_failure_at)},
            {"last_failure", polling.last_failure.empty() ? Json(nullptr) : Json(polling.last_failure)},
            {"covered_to", or_null(polling.covered_to)},
            {"interval_seconds", polling.interval.count()},
            {"outcome", polling.outcome}};
}

Json outbox_of(const MonitorStatus& status) {
    if (!status.outbox) return nullptr;
    return {{"waiting", status.outbox->waiting},
            {"oldest_at", or_null(status.outbox->oldest_at)},
            {"last_sent_at", or_null(status.outbox->last_sent_at)}};
}

Json geoip_of(const MonitorStatus& status) {
    const auto& edition = status.city ? status.city : status.asn;
    Json kind = nullptr;
    if (edition) kind = edition->type == GeoEdition::Type::kCommercial ? "commercial" : "free";
    return {{"kind", std::move(kind)},
            {"city_built_at", status.city ? Json(rfc3339(status.city->built)) : Json(nullptr)},
            {"asn_built_at", status.asn ? Json(rfc3339(status.asn->built)) : Json(nullptr)}};
}

Json flow_of(const MonitorStatus& status) {
    const auto& last = status.flow.last_minute;
    return {{"enabled", status.flow.enabled},
            {"last_minute", last ? Json(rfc3339(WallTime{*last})) : Json(nullptr)},
            {"exporters", status.flow.exporters},
            {"silent_exporters", status.flow.silent_exporters}};
}

Json prefixes_of(const MonitorStatus& status) {
    Json all = Json::array();
    for (const PrefixAdvertisement& prefix : status.prefixes) {
        const char* state = "unknown";
        if (prefix.advertised) state = *prefix.advertised ? "advertised" : "withdrawn";
        all.push_back({{"prefix", prefix.prefix},
                       {"status", state},
                       {"checked_at", or_null(status.prefixes_checked_at)}});
    }
    return all;
}

Json json(const MonitorStatus& status) {
    return {{"version", status.version},
            {"organization", status.organization},
            {"now", rfc3339(status.now)},
            {"started_at", rfc3339(status.started_at)},
            {"ready", status.ready},
            {"reasons", status.reasons},
            {"conditions", conditions_of(status)},
            {"polling", json(status.polling)},
            {"outbox", outbox_of(status)},
            {"geoip", geoip_of(status)},
            {"flow", flow_of(status)},
            {"prefixes", prefixes_of(status)},
            {"alerts_active", or_null(status.alerts_active)},
            {"attacks_24h", or_null(status.attacks_24h)}};
}

}  // namespace

void add_status_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/status", .answer = [&backend](const HttpRequest& request) {
                          QueryReader query(request);
                          if (auto refused = query.refusal()) return *refused;
                          const Result<MonitorStatus> status = backend.status();
                          return status ? success(json(*status)) : failure(status.error());
                      }});
}

}  // namespace cam::api
