#include "api/router.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "cam/base/check.h"

namespace cam::api {
namespace {

bool is_at(const Route& route, std::string_view path) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return route.path == path;
}

bool serves(const Route& route, std::string_view method) {
    return route.method == method || (route.method == "GET" && method == "HEAD");
}

}  // namespace

const Route* Router::find(const HttpRequest& request) const {
    const auto route = std::find_if(routes_.begin(), routes_.end(), [&](const Route& candidate) {
        return is_at(candidate, request.path) && serves(candidate, request.method);
    });
    return route == routes_.end() ? nullptr : &*route;
}

Access Router::access(std::string_view path) const {
    const auto route = std::find_if(routes_.begin(), routes_.end(),
                                    [&](const Route& candidate) { return is_at(candidate, path); });
    return route == routes_.end() ? Access::kToken : route->access;
}

std::optional<HttpAnswer> Router::refuse(const HttpRequest& request) const {
    if (find(request) != nullptr) return std::nullopt;
    std::string allowed;
    for (const Route& route : routes_) {
        if (!is_at(route, request.path)) continue;
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method;
        if (route.method == "GET") allowed += ", HEAD";
    }
    if (allowed.empty()) return failure(404, "no such path; GET / lists all");
    HttpAnswer answer = failure(405, "this path serves " + allowed);
    answer.headers.emplace_back("Allow", allowed);
    return answer;
}

HttpAnswer Router::answer(const HttpRequest& request) const {
    const Route* route = find(request);
    check(route != nullptr, "Router::answer without a route");
    return route->answer(request);
}

}  // namespace cam::api
