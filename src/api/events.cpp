#include <charconv>
#include <string>
#include <string_view>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/routes.h"
#include "cam/base/time_text.h"

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

/// A plus that was not percent-encoded (`…T22:51:50+01:00` typed as it is) arrives as a blank; it is meant
/// all the same.
std::optional<WallTime> parse_since(std::string text) {
    if (const auto time = parse_time(text)) return time;
    constexpr std::size_t kOffset = std::string_view{" 01:00"}.size();
    if (text.size() <= kOffset || text[text.size() - kOffset] != ' ') return std::nullopt;
    text[text.size() - kOffset] = '+';
    return parse_time(text);
}

std::optional<std::uint32_t> parse_limit(std::string_view text) {
    std::uint32_t limit = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), limit);
    const bool is_number = fault == std::errc{} && end == text.data() + text.size();
    if (!is_number || limit < 1 || limit > kMostEvents) return std::nullopt;
    return limit;
}

Result<EventQuery> parse_query(const std::multimap<std::string, std::string>& query) {
    EventQuery wanted;
    for (const auto& [name, value] : query) {
        // A mistyped filter that is ignored would show too much, so unknown names are refused.
        if (name != "since" && name != "attack_id" && name != "limit") {
            return Error{ErrorCode::kInvalid,
                         fmt::format("unknown parameter {}; there are since, attack_id and limit", name)};
        }
        if (query.count(name) > 1) return Error{ErrorCode::kInvalid, fmt::format("{} is given twice", name)};
        if (name == "since") {
            wanted.since = parse_since(value);
            if (!wanted.since) {
                return Error{ErrorCode::kInvalid,
                             "since: an RFC 3339 time such as 2026-01-19T22:51:50Z is expected"};
            }
        } else if (name == "attack_id") {
            if (value.empty()) return Error{ErrorCode::kInvalid, "attack_id: it is empty"};
            wanted.attack_id = value;
        } else {
            const std::optional<std::uint32_t> limit = parse_limit(value);
            if (!limit) {
                return Error{ErrorCode::kInvalid,
                             fmt::format("limit: a number from 1 to {} is expected", kMostEvents)};
            }
            wanted.limit = *limit;
        }
    }
    return wanted;
}

}  // namespace

void add_event_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/events", .answer = [&backend](const HttpRequest& request) {
                          const Result<EventQuery> wanted = parse_query(request.query);
                          if (!wanted) return failure(422, wanted.error().detail);
                          const Result<std::vector<StoredEvent>> events = backend.events(wanted.value());
                          if (!events) return failure(500, events.error().detail);
                          Json list = Json::array();
                          for (const StoredEvent& event : events.value()) list.push_back(json(event));
                          return success(list);
                      }});
}

}  // namespace cam::api
