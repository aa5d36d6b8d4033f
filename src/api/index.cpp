#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/routes.h"
#include "cam/base/version.h"

namespace cam::api {

void add_index_route(std::vector<Route>& routes) {
    using Json = nlohmann::ordered_json;
    Json paths = Json::object();
    for (const Route& route : routes) paths[std::string{route.path}].push_back(route.method);
    const Json index = {{"name", "cloudflare-analytics-monitor"}, {"version", version()}, {"paths", paths}};
    routes.push_back({.method = "GET", .path = "/", .answer = [index](const HttpRequest&) {
                          HttpAnswer answer = success(index);
                          answer.headers.emplace_back("Vary", "Accept");
                          return answer;
                      }});
}

}  // namespace cam::api
