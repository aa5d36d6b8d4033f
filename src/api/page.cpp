#include "api/page.h"

#include <algorithm>
#include <string>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/header_list.h"
#include "api/routes.h"

namespace cam::api {
namespace {

bool takes_gzip(const HttpRequest& request) {
    const std::string list = request.accept_encoding.value_or("");
    return weight(list, "gzip").value_or(weight(list, "*").value_or(0)) > 0;
}

HttpAnswer named(std::string_view name, const HttpRequest& request) {
    const auto files = page_files();
    const auto found =
        std::find_if(files.begin(), files.end(), [&](const PageFile* file) { return file->name == name; });
    return found == files.end() ? failure(404, "the page has no such file") : file_answer(**found, request);
}

}  // namespace

bool wants_html(const HttpRequest& request) {
    const std::string list = request.accept.value_or("");
    return weight(list, "text/html").value_or(0) > weight(list, "application/json").value_or(0);
}

HttpAnswer file_answer(const PageFile& file, const HttpRequest& request) {
    const bool is_compressed = takes_gzip(request);
    const std::string tag = fmt::format("\"{}{}\"", file.version, is_compressed ? "-gz" : "");
    HttpAnswer answer{
        .status = 200,
        .content_type = std::string{file.content_type},
        .body = {},
        // Asked for again each time, so that a new version of the program is a new page; mostly a 304.
        .headers = {{"ETag", tag}, {"Cache-Control", "no-cache"}, {"Vary", "Accept, Accept-Encoding"}}};
    if (file.name.ends_with(".html")) {
        answer.headers.emplace_back("Content-Security-Policy", kPagePolicy);
    }
    if (names_tag(request.if_none_match.value_or(""), tag)) {
        answer.status = 304;
        return answer;
    }
    answer.body = is_compressed ? file.compressed : file.plain;
    if (is_compressed) answer.headers.emplace_back("Content-Encoding", "gzip");
    return answer;
}

// Open to everybody who can connect: the page is what asks for the token, and what is in there is what
// anybody can read in the source. The names are those of the build; no path of a request reaches a file.
void add_page_routes(std::vector<Route>& routes) {
    routes.push_back({.method = "GET",
                      .path = "/",
                      .access = Access::kOpen,
                      .answer = [](const HttpRequest& request) { return named("index.html", request); },
                      .serves = wants_html});
    routes.push_back(
        {.method = "GET",
         .path = "/assets/{name}",
         .access = Access::kOpen,
         .answer = [](const HttpRequest& request) { return named(last_segment(request.path), request); }});
}

}  // namespace cam::api
