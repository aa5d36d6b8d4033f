#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "api/gate.h"
#include "api/http_message.h"

namespace cam::api {

/// One line of the API: a method on a path and what does it. GET serves HEAD too.
struct Route {
    std::string_view method;
    /// Without a trailing slash; requests may have one. One segment may be `{…}`, which stands for any; the
    /// first route that fits has the request.
    std::string_view path;
    Access access = Access::kToken;
    std::function<HttpAnswer(const HttpRequest&)> answer;
    /// Which requests are meant, where several routes share a method and a path; the first that is meant has
    /// it.
    bool (*serves)(const HttpRequest&) = nullptr;
};

/// The last segment of a path, a trailing slash aside: what `{…}` stands for.
[[nodiscard]] std::string_view last_segment(std::string_view path);

/// Finds the route of a request. Immutable.
class RouteTable {
public:
    explicit RouteTable(std::vector<Route> routes) : routes_(std::move(routes)) {}

    /// kToken for paths that do not exist: a stranger does not learn which do.
    [[nodiscard]] Access access(const HttpRequest& request) const;
    /// The answer to a request that no route serves: 404, or 405 with the methods that the path has.
    [[nodiscard]] std::optional<HttpAnswer> refuse(const HttpRequest& request) const;
    /// Only for requests that refuse() lets pass.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request) const;

private:
    [[nodiscard]] const Route* find(const HttpRequest& request) const;
    std::vector<Route> routes_;
};

}  // namespace cam::api
