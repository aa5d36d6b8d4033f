#include <utility>

#include "api/query_reader.h"
#include "api/routes.h"

namespace cam::api {

void add_stream_route(std::vector<Route>& routes, std::function<HttpAnswer(const HttpRequest&)> open) {
    routes.push_back(
        {.method = "GET", .path = "/stream", .answer = [open = std::move(open)](const HttpRequest& request) {
             if (auto refused = QueryReader(request).refusal()) return *refused;
             return open(request);
         }});
}

}  // namespace cam::api
