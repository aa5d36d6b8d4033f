#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cam::api {

/// What a client asks, decoded. `method` and `path` are never empty; `path` has no query.
struct HttpRequest {
    std::string method;
    std::string path;
    std::multimap<std::string, std::string> query;
    std::optional<std::string> host, origin, authorization;
    std::string body;
};

/// What it gets. Length, connection and security headers are added on the way out.
struct HttpAnswer {
    int status = 200;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace cam::api
