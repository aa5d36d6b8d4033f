#include <string_view>

#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/field_reader.h"
#include "api/routes.h"

namespace cam::api {
namespace {

constexpr std::string_view kField = "my_prefixes_only";

HttpAnswer show(bool my_prefixes_only) {
    return success({{kField, my_prefixes_only}});
}

/// What the body sets, or why it cannot.
Result<bool, HttpAnswer> parse_body(std::string_view body) {
    Result<FieldReader, HttpAnswer> fields = FieldReader::parse(body);
    if (!fields) return std::move(fields).error();
    const auto value = fields->flag(kField);
    fields->require(kField, "true or false");
    if (auto refused = fields->refusal()) return *refused;
    return *value;
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
