#include <optional>

#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/query_reader.h"
#include "api/routes.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kMostEvents = 1000;

template <typename T>
Json or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

/// Columns in the table's order.
Json json(const StoredEvent& event) {
    return {{"id", event.id},
            {"event_hash", event.event_hash},
            {"attack_id", or_null(event.attack_id)},
            {"event_datetime", or_null(event.event_datetime)},
            {"attack_vector", or_null(event.attack_vector)},
            {"rule_name", or_null(event.rule_name)},
            {"rule_id", or_null(event.rule_id)},
            {"source_ip", or_null(event.source_ip)},
            {"source_port", or_null(event.source_port)},
            {"destination_ip", or_null(event.destination_ip)},
            {"destination_port", or_null(event.destination_port)},
            {"protocol", or_null(event.protocol)},
            {"tcp_flags", or_null(event.tcp_flags)},
            {"colo_code", or_null(event.colo_code)},
            {"colo_country", or_null(event.colo_country)},
            {"packets", or_null(event.packets)},
            {"bits", or_null(event.bits)},
            {"outcome", or_null(event.outcome)},
            {"mitigation_reason", or_null(event.mitigation_reason)},
            {"notified_at", or_null(event.notified_at)},
            {"source_asn", or_null(event.source_asn)},
            {"source_asn_name", or_null(event.source_asn_name)},
            {"source_country", or_null(event.source_country)}};
}

}  // namespace

void add_event_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/events", .answer = [&backend](const HttpRequest& request) {
                          QueryReader query(request);
                          EventQuery wanted;
                          wanted.since = query.time("since");
                          wanted.attack_id = query.text("attack_id");
                          wanted.limit = query.number("limit", 1, kMostEvents).value_or(wanted.limit);
                          if (auto refused = query.refusal()) return *refused;
                          const Result<std::vector<StoredEvent>> events = backend.events(wanted);
                          if (!events) return failure(500, events.error().detail);
                          ListAnswer list;
                          for (const StoredEvent& event : events.value()) list.add(json(event));
                          return std::move(list).finish();
                      }});
}

}  // namespace cam::api
