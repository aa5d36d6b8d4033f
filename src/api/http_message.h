#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cam/base/unique_fd.h"

namespace cam::api {

/// What a client asks, decoded. `method` and `path` are never empty; `path` has no query.
struct HttpRequest {
    std::string method;
    std::string path;
    std::multimap<std::string, std::string> query;
    std::optional<std::string> host, origin, authorization;
    std::string body;
    std::optional<std::string> accept = {}, accept_encoding = {}, cookie = {}, csrf_token = {},
                               if_none_match = {}, last_event_id = {};
    std::string peer = {};  ///< the client's address in text, without port; empty if it is not known
};

/// What it gets. Length, connection and security headers are added on the way out.
struct HttpAnswer {
    int status = 200;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    /// If set, only the head is sent, and the connection is handed to this: what follows is somebody else's.
    std::function<void(UniqueFd)> take_over = {};
};

}  // namespace cam::api
