#include <string>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/field_reader.h"
#include "api/query_reader.h"
#include "api/routes.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAttributes = "HttpOnly; SameSite=Strict; Path=/";

HttpAnswer told(const Gate& gate, const std::optional<std::string>& session) {
    return success(Json{{"required", gate.asks_for_token()},
                        {"authenticated", !gate.asks_for_token() || session.has_value()},
                        {"csrf", session ? Json(csrf_token(*session)) : Json(nullptr)}});
}

/// The cookie is for HTTPS only if the page came by it. The browser itself says so in its Origin; a header of
/// a proxy could come from anybody.
std::string cookie_of(const HttpRequest& request, std::string_view id, std::chrono::seconds age) {
    const bool is_secure = request.origin && request.origin->starts_with("https://");
    return fmt::format("{}={}; {}; Max-Age={}{}", Gate::kCookie, id, kAttributes, age.count(),
                       is_secure ? "; Secure" : "");
}

HttpAnswer log_in(Gate& gate, const HttpRequest& request) {
    auto fields = FieldReader::parse(request.body);
    if (!fields) return fields.error();
    const auto token = fields->text("token");
    fields->require("token", "the API's token");
    if (auto refused = fields->refusal()) return *refused;
    if (!gate.asks_for_token()) return told(gate, std::nullopt);
    const auto session = gate.log_in(*token, request.peer);
    if (!session) return session.error();
    HttpAnswer answer = told(gate, *session);
    answer.headers.emplace_back("Set-Cookie", cookie_of(request, *session, SessionTable::Limits{}.whole));
    return answer;
}

HttpAnswer log_out(Gate& gate, const HttpRequest& request) {
    if (const auto session = gate.session(request)) gate.log_out(*session);
    HttpAnswer answer = told(gate, std::nullopt);
    answer.headers.emplace_back("Set-Cookie", cookie_of(request, "", std::chrono::seconds{0}));
    return answer;
}

}  // namespace

void add_session_routes(std::vector<Route>& routes, Gate& gate) {
    routes.push_back({.method = "GET",
                      .path = "/session",
                      .access = Access::kOpen,
                      .answer = [&gate](const HttpRequest& request) {
                          if (auto refused = QueryReader(request).refusal()) return *refused;
                          return told(gate, gate.session(request));
                      }});
    routes.push_back({.method = "POST",
                      .path = "/session",
                      .access = Access::kOpen,
                      .answer = [&gate](const HttpRequest& request) { return log_in(gate, request); }});
    routes.push_back({.method = "DELETE", .path = "/session", .answer = [&gate](const HttpRequest& request) {
                          return log_out(gate, request);
                      }});
}

}  // namespace cam::api
