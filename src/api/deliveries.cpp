#include <utility>

#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/paging.h"
#include "api/query_reader.h"
#include "api/routes.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kMostDeliveries = 200;

Json json(const Delivery& delivery) {
    return {{"id", std::to_string(delivery.id)},
            {"kind", delivery.kind},
            {"state", name(delivery.state)},
            {"created_at", or_null(delivery.created_at)},
            {"sent_at", or_null(delivery.sent_at)},
            {"attempts", delivery.attempts},
            {"last_attempt_at", or_null(delivery.last_attempt_at)},
            {"next_attempt_at", or_null(delivery.next_attempt_at)},
            {"last_error", or_null(delivery.last_error)},
            {"text", delivery.text}};
}

HttpAnswer show_deliveries(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    DeliveryQuery wanted;
    if (const auto state = query.choice("state", {name(DeliveryState::kWaiting), name(DeliveryState::kSent),
                                                  name(DeliveryState::kFailed)})) {
        wanted.state = static_cast<DeliveryState>(*state);
    }
    wanted.cursor = query.cursor("cursor");
    wanted.limit = query.number("limit", 1, kMostDeliveries).value_or(wanted.limit);
    if (auto refused = query.refusal()) return *refused;
    const Result<DeliveryPage> page = backend.deliveries(wanted);
    if (!page) return query_failure(page.error());
    ListAnswer list;
    for (const Delivery& delivery : page->deliveries) list.add(json(delivery));
    return std::move(list).finish(result_info(page->next_cursor));
}

}  // namespace

void add_delivery_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back(
        {.method = "GET", .path = "/deliveries", .answer = [&backend](const HttpRequest& request) {
             return show_deliveries(request, backend);
         }});
}

}  // namespace cam::api
