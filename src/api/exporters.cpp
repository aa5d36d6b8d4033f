#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "cam/base/time_text.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

Json json(const ExporterStatus::Sampling& sampling) {
    return {{"protocol", name(sampling.protocol)},
            {"domain", sampling.domain},
            {"sampler", sampling.sampler},
            {"rate", sampling.rate.n()},
            {"source", name(sampling.source)}};
}

/// `router` is the operator's name for it, if there is one.
Json json(const ExporterStatus& exporter, const Router* router) {
    Json protocols = Json::array();
    for (const ExportProtocol protocol : exporter.protocols) protocols.push_back(name(protocol));
    Json sampling = Json::array();
    for (const auto& rate : exporter.sampling) sampling.push_back(json(rate));
    Json dropped = Json::object();
    for (const auto& [reason, count] : exporter.dropped) dropped[reason] = count;
    return {{"address", exporter.exporter.text()},
            {"router_id", router == nullptr ? Json(nullptr) : Json(router->id)},
            {"router_name", router == nullptr ? Json(nullptr) : Json(router->name)},
            {"protocols", std::move(protocols)},
            {"last_seen", exporter.last_seen ? Json(rfc3339(*exporter.last_seen)) : Json(nullptr)},
            {"templates", exporter.templates},
            {"datagrams", exporter.datagrams},
            {"flow_records", exporter.flow_records},
            {"lost_datagrams", exporter.lost_datagrams},
            {"lost_records", exporter.lost_records},
            {"dropped", std::move(dropped)},
            {"sampling", std::move(sampling)}};
}

/// Those that were heard, and the operator's routers that were not.
HttpAnswer answer(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    if (auto refused = query.refusal()) return *refused;
    const Result<std::vector<Router>> routers = backend.routers({});
    if (!routers) return failure(routers.error());
    auto heard = backend.exporters ? backend.exporters() : std::vector<ExporterStatus>{};
    if (!heard) return failure(heard.error());
    std::map<IpAddress, const Router*> silent;
    for (const Router& router : routers.value()) silent.emplace(router.address, &router);
    const auto named = silent;

    ListAnswer list;
    for (const ExporterStatus& exporter : heard.value()) {
        const auto router = named.find(exporter.exporter.address());
        list.add(json(exporter, router == named.end() ? nullptr : router->second));
        silent.erase(exporter.exporter.address());
    }
    for (const auto& [address, router] : silent) {
        list.add(json(ExporterStatus{ExporterKey{address}}, router));
    }
    return std::move(list).finish();
}

}  // namespace

void add_exporter_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET",
                      .path = "/exporters",
                      .answer = [&backend](const HttpRequest& request) { return answer(request, backend); }});
}

}  // namespace cam::api
