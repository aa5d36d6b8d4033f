// The /sim/ pages: the world seen and steered by shell scripts and other processes.

#include "simulator/world.h"

namespace cam::simulator {
namespace {

using nlohmann::json;

json optional_time(const std::optional<Moment>& moment) {
    return moment ? json(moment_text(*moment)) : json(nullptr);
}

json message_json(const DeliveredMessage& message) {
    return {{"message_id", message.message_id},
            {"chat_id", message.chat_id},
            {"message_thread_id", message.thread_id ? json(*message.thread_id) : json(nullptr)},
            {"text", message.text},
            {"parse_mode", message.parse_mode},
            {"plain", message.plain},
            {"received_at", moment_text(message.received_at)}};
}

json record_json(const RequestRecord& record) {
    return {{"connection", record.connection},
            {"received_at", moment_text(record.received_at)},
            {"target", target_name(record.target)},
            {"method", record.method},
            {"path", record.path},
            {"variables", record.variables},
            {"from", optional_time(record.from)},
            {"to", optional_time(record.to)},
            {"limit", record.limit ? json(*record.limit) : json(nullptr)},
            {"rows", record.rows},
            {"status", record.status},
            {"error", record.error},
            {"fault", record.fault}};
}

json counters_json(const Counters& counters) {
    return {{"connections", counters.connections},
            {"requests", counters.requests},
            {"faults", counters.faults},
            {"telegram_accepted", counters.telegram_accepted},
            {"telegram_rate_limited", counters.telegram_rate_limited},
            {"telegram_retry_after_violations", counters.telegram_retry_after_violations},
            {"cloudflare_retry_after_violations", counters.cloudflare_retry_after_violations}};
}

template <typename Item, typename Function>
json list_of(const std::vector<Item>& items, Function function) {
    json list = json::array();
    for (const Item& item : items) list.push_back(function(item));
    return list;
}

HttpResponse page(const json& body, int status = 200) {
    return {.status = status, .body = body.dump(2, ' ', false, json::error_handler_t::replace) + "\n"};
}

}  // namespace

HttpResponse World::answer_control(const HttpRequest& request) {
    const std::string what = request.method + " " + request.path;
    try {
        if (what == "GET /sim/messages") return page(list_of(messages(), message_json));
        if (what == "GET /sim/requests") return page(list_of(requests(), record_json));
        if (what == "GET /sim/health") {
            return page({{"now", moment_text(now())}, {"counters", counters_json(counters())}});
        }
        if (what == "DELETE /sim/faults") {
            clear_faults();
            return page({{"faults", 0}});
        }
        if (what == "DELETE /sim/log") {
            forget();
            return page({{"requests", 0}});
        }
        const json body = json::parse(request.body, nullptr, false);
        if (what == "POST /sim/events") {
            // One event, a list of events, or an object with the scenario keys `events` and `attacks`.
            const bool is_scenario =
                body.is_object() && (body.contains("events") || body.contains("attacks"));
            Scenario scenario;
            read_events(is_scenario       ? body
                        : body.is_array() ? json{{"events", body}}
                                          : json{{"events", json::array({body})}},
                        scenario);
            add_events(scenario.events);
            return page({{"added", scenario.events.size()}}, 201);
        }
        if (what == "POST /sim/faults") {
            const json list = body.is_array() ? body : json::array({body});
            std::vector<Fault> faults;
            for (std::size_t i = 0; i < list.size(); ++i) {
                faults.push_back(Fault::from_json(list[i], "[" + std::to_string(i) + "]"));
            }
            for (const Fault& fault : faults) add_fault(fault);
            return page({{"added", faults.size()}}, 201);
        }
    } catch (const ScenarioError& error) {
        return page({{"error", error.what()}}, 422);
    }
    return page({{"error",
                  "no such page; there are GET messages, requests, health, POST events, faults, DELETE "
                  "faults, log under /sim/"}},
                404);
}

}  // namespace cam::simulator
