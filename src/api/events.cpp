#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/csv_text.h"
#include "api/envelope.h"
#include "api/paging.h"
#include "api/query_reader.h"
#include "api/routes.h"
#include "cam/base/log.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kMostEvents = 1000;
constexpr std::uint32_t kMostEventsOfTable = 10'000;

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

/// All columns: those above and what Cloudflare sent; as text where that is no JSON.
Json json(const EventDetail& detail) {
    Json all = json(detail.event);
    if (!detail.raw_data) {
        all["raw_data"] = nullptr;
        return all;
    }
    Result<Json> raw = parse_json(*detail.raw_data);
    all["raw_data"] = raw ? std::move(*raw) : Json(*detail.raw_data);
    return all;
}

enum class Format { kJson, kCsv };

HttpAnswer as_csv(const HttpRequest& request, const EventPage& page) {
    CsvText table;
    // The names of an event without anything in it.
    const Json nothing = json(StoredEvent{});
    for (const auto& [name, unused] : nothing.items()) table.field(name);
    table.end_row();
    for (const StoredEvent& event : page.events) {
        const Json columns = json(event);
        for (const auto& [unused, value] : columns.items()) {
            if (value.is_string()) table.field(value.get_ref<const std::string&>());
            if (value.is_number()) table.number(value.get<std::int64_t>());
            if (value.is_null()) table.field("");
        }
        table.end_row();
    }
    HttpAnswer answer{.status = 200,
                      .content_type = "text/csv; charset=utf-8; header=present",
                      .body = std::move(table).text(),
                      .headers = {{"Content-Disposition", "attachment; filename=\"events.csv\""}}};
    if (page.next_cursor) answer.headers.emplace_back("Link", next_link(request, *page.next_cursor));
    return answer;
}

HttpAnswer show_events(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    EventQuery wanted;
    wanted.since = query.time("since");
    wanted.until = query.time("until");
    wanted.attack_id = query.text("attack_id");
    wanted.vector = query.text("vector");
    wanted.prefix = query.prefix("prefix");
    wanted.source = query.text("source");
    wanted.cursor = query.cursor("cursor");
    const auto format = static_cast<Format>(query.choice("format", {"json", "csv"}).value_or(0));
    wanted.limit = query.number("limit", 1, format == Format::kCsv ? kMostEventsOfTable : kMostEvents)
                       .value_or(wanted.limit);
    if (auto refused = query.refusal()) return *refused;
    const Result<EventPage> page = backend.events(wanted);
    if (!page) return query_failure(page.error());
    if (format == Format::kCsv) return as_csv(request, *page);
    ListAnswer list;
    for (const StoredEvent& event : page->events) list.add(json(event));
    return std::move(list).finish(result_info(page->next_cursor));
}

HttpAnswer show_event(const HttpRequest& request, const Backend& backend) {
    QueryReader query(request);
    if (auto refused = query.refusal()) return *refused;
    const std::string_view text = last_segment(request.path);
    std::int64_t id = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (fault != std::errc{} || end != text.data() + text.size()) {
        return failure(404, fmt::format("no event has the id {}", quote(text, 64)));
    }
    const Result<EventDetail> event = backend.event(id);
    return event ? success(json(*event)) : failure(event.error());
}

}  // namespace

void add_event_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/events", .answer = [&backend](const HttpRequest& request) {
                          return show_events(request, backend);
                      }});
    routes.push_back(
        {.method = "GET", .path = "/events/{id}", .answer = [&backend](const HttpRequest& request) {
             return show_event(request, backend);
         }});
}

}  // namespace cam::api
