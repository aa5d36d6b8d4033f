#include "api/route_table.h"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "cam/base/check.h"

namespace cam::api {
namespace {

std::string_view without_slash(std::string_view path) {
    if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
    return path;
}

bool is_at(const Route& route, std::string_view path) {
    path = without_slash(path);
    const std::size_t open = route.path.find('{');
    if (open == std::string_view::npos) return route.path == path;
    const std::string_view folder = route.path.substr(0, open);
    const std::string_view rest = route.path.substr(route.path.find('}') + 1);
    if (path.size() <= folder.size() + rest.size() || !path.starts_with(folder) || !path.ends_with(rest)) {
        return false;
    }
    const std::string_view any = path.substr(folder.size(), path.size() - folder.size() - rest.size());
    return any.find('/') == std::string_view::npos;
}

bool serves(const Route& route, const HttpRequest& request) {
    if (route.serves != nullptr && !route.serves(request)) return false;
    return route.method == request.method || (route.method == "GET" && request.method == "HEAD");
}

}  // namespace

std::string_view last_segment(std::string_view path) {
    path = without_slash(path);
    return path.substr(path.rfind('/') + 1);
}

const Route* RouteTable::find(const HttpRequest& request) const {
    const auto route = std::find_if(routes_.begin(), routes_.end(), [&](const Route& candidate) {
        return is_at(candidate, request.path) && serves(candidate, request);
    });
    return route == routes_.end() ? nullptr : &*route;
}

Access RouteTable::access(const HttpRequest& request) const {
    if (const Route* route = find(request)) return route->access;
    const auto other = std::find_if(routes_.begin(), routes_.end(),
                                    [&](const Route& candidate) { return is_at(candidate, request.path); });
    return other == routes_.end() ? Access::kToken : other->access;
}

std::optional<HttpAnswer> RouteTable::refuse(const HttpRequest& request) const {
    if (find(request) != nullptr) return std::nullopt;
    std::string allowed;
    std::vector<std::string_view> told;
    for (const Route& route : routes_) {
        if (!is_at(route, request.path)) continue;
        if (std::find(told.begin(), told.end(), route.method) != told.end()) continue;
        told.push_back(route.method);
        if (!allowed.empty()) allowed += ", ";
        allowed += route.method;
        if (route.method == "GET") allowed += ", HEAD";
    }
    if (allowed.empty()) return failure(404, "no such path; GET / lists all");
    HttpAnswer answer = failure(405, "this path serves " + allowed);
    answer.headers.emplace_back("Allow", allowed);
    return answer;
}

HttpAnswer RouteTable::answer(const HttpRequest& request) const {
    const Route* route = find(request);
    check(route != nullptr, "RouteTable::answer without a route");
    return route->answer(request);
}

}  // namespace cam::api
