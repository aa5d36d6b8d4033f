#include <string_view>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/routes.h"

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kField = "my_prefixes_only";

HttpAnswer show(bool my_prefixes_only) {
    return success({{kField, my_prefixes_only}});
}

/// What the body sets, or why it cannot.
Result<bool, HttpAnswer> parse_body(std::string_view body) {
    const Result<Json> parsed = parse_json(body);
    if (!parsed) return failure(400, parsed.error().detail);
    const Json& object = parsed.value();
    if (!object.is_object()) return failure(422, fmt::format("an object with {} is expected", kField));
    for (const auto& [name, value] : object.items()) {
        if (name != kField)
            return failure(422, fmt::format("unknown field {}; there is only {}", name, kField));
    }
    const auto field = object.find(kField);
    if (field == object.end()) return failure(422, fmt::format("{} is missing", kField));
    if (!field->is_boolean()) return failure(422, fmt::format("{}: true or false is expected", kField));
    return field->get<bool>();
}

}  // namespace

void add_preference_routes(std::vector<Route>& routes, const Backend& backend) {
    routes.push_back({.method = "GET", .path = "/preferences", .answer = [&backend](const HttpRequest&) {
                          const Result<bool> mine = backend.my_prefixes_only();
                          return mine ? show(mine.value()) : failure(500, mine.error().detail);
                      }});
    routes.push_back(
        {.method = "PUT", .path = "/preferences", .answer = [&backend](const HttpRequest& request) {
             const Result<bool, HttpAnswer> mine = parse_body(request.body);
             if (!mine) return mine.error();
             const Status written = backend.set_my_prefixes_only(mine.value());
             return written ? show(mine.value()) : failure(500, written.error().detail);
         }});
}

}  // namespace cam::api
