// Cloudflare's REST pages: prefixes and the token check.

#include <algorithm>
#include <string_view>

#include "simulator/cloudflare.h"

namespace cam::simulator {

using nlohmann::json;

namespace {

json optional_bool(std::optional<bool> value) {
    return value ? json(*value) : json(nullptr);
}

json prefix_json(const IpPrefix& prefix, const std::string& account) {
    return {{"id", prefix.id},
            {"account_id", account},
            {"cidr", prefix.cidr},
            {"asn", prefix.asn},
            {"description", prefix.description},
            {"approved", "V"},
            {"advertised", optional_bool(prefix.advertised)},
            {"advertised_modified_at", nullptr},
            {"on_demand_enabled", true},
            {"on_demand_locked", false},
            {"created_at", "2024-01-01T00:00:00.000000Z"},
            {"modified_at", "2024-01-01T00:00:00.000000Z"}};
}

json bgp_prefix_json(const BgpPrefix& prefix) {
    return {{"id", prefix.id},
            {"cidr", prefix.cidr},
            {"asn", nullptr},
            {"asn_prepend_count", 0},
            {"auto_advertise_withdraw", false},
            {"bgp_signal_opts", {{"enabled", false}, {"modified_at", nullptr}}},
            {"created_at", "2024-01-01T00:00:00.000000Z"},
            {"modified_at", "2024-01-01T00:00:00.000000Z"},
            {"on_demand",
             {{"advertised", optional_bool(prefix.advertised)},
              {"advertised_modified_at", nullptr},
              {"on_demand_enabled", prefix.on_demand_enabled},
              {"on_demand_locked", prefix.on_demand_locked}}}};
}

std::vector<std::string> path_parts(const std::string& path) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (at < path.size()) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        if (end > at) parts.push_back(url_decode(path.substr(at, end - at)));
        at = end + 1;
    }
    return parts;
}

}  // namespace

HttpResponse Cloudflare::rest_answer(int status, json result, const std::string& error) {
    json errors = json::array();
    if (!error.empty()) errors.push_back({{"code", 10000}, {"message", error}});
    const json body{{"success", error.empty()},
                    {"errors", errors},
                    {"messages", json::array()},
                    {"result", std::move(result)}};
    return {.status = status, .body = body.dump()};
}

HttpResponse Cloudflare::answer_rest(const std::string& path, RequestRecord& record) {
    const auto parts = path_parts(path);
    const auto is = [&](std::size_t at, std::string_view text) {
        return at < parts.size() && parts[at] == text;
    };
    if (is(parts.size() - 1, "verify") && is(parts.size() - 2, "tokens")) {
        return rest_answer(200,
                           {{"id", "ed17574386854bf78a67040be0a770b0"}, {"status", settings.token_status}});
    }
    if (!is(0, "accounts") || !is(2, "addressing") || !is(3, "prefixes")) {
        record.error = "no such page";
        return rest_answer(404, nullptr, "No route for that URI");
    }
    if (!knows_account(parts[1])) {
        record.error = "not authorized for that account";
        return rest_answer(403, nullptr, record.error);
    }
    json list = json::array();
    if (parts.size() == 4) {
        for (const IpPrefix& prefix : settings.prefixes) list.push_back(prefix_json(prefix, parts[1]));
        record.rows = list.size();
        return rest_answer(200, std::move(list));
    }
    for (const IpPrefix& prefix : settings.prefixes) {
        if (prefix.id != parts[4]) continue;
        if (parts.size() == 5) return rest_answer(200, prefix_json(prefix, parts[1]));
        if (!is(5, "bgp") || !is(6, "prefixes")) break;
        for (const BgpPrefix& one : prefix.bgp_prefixes) list.push_back(bgp_prefix_json(one));
        record.rows = list.size();
        return rest_answer(200, std::move(list));
    }
    record.error = "no such prefix";
    return rest_answer(404, nullptr, "prefix not found");
}

}  // namespace cam::simulator
