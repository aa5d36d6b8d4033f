#include <string>

#include "api/docs_page.h"
#include "api/openapi_text.h"
#include "api/routes.h"

namespace cam::api {

// Open to everybody who can connect: a browser sends no token when somebody types an address, and what is in
// there is what anybody can read in the source.
void add_description_routes(std::vector<Route>& routes) {
    routes.push_back(
        {.method = "GET", .path = "/openapi.json", .access = Access::kOpen, .answer = [](const HttpRequest&) {
             return HttpAnswer{.status = 200,
                               .content_type = "application/json",
                               .body = std::string{kOpenApiText},
                               .headers = {}};
         }});
    HttpAnswer page{.status = 200,
                    .content_type = "text/html; charset=utf-8",
                    .body = docs_page(kOpenApiText),
                    .headers = {{"Content-Security-Policy", docs_policy()}}};
    routes.push_back({.method = "GET",
                      .path = "/docs",
                      .access = Access::kOpen,
                      .answer = [page = std::move(page)](const HttpRequest&) { return page; }});
}

}  // namespace cam::api
