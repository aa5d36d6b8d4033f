#pragma once

#include <functional>
#include <optional>

#include "api/http_message.h"

namespace cam::api {

/// What an HttpServer serves. Both are called from several threads at once and must not throw.
struct HttpService {
    /// Asked when the headers are there, before the body is read: an answer here is a no.
    std::function<std::optional<HttpAnswer>(const HttpRequest&)> refuse;
    std::function<HttpAnswer(const HttpRequest&)> answer;
};

}  // namespace cam::api
