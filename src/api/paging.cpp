#include "api/paging.h"

#include <string_view>

#include <spdlog/fmt/fmt.h>

namespace cam::api {
namespace {

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"-._~"}.find(c) != std::string_view::npos;
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        if (is_unreserved(c)) {
            encoded += c;
        } else {
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return encoded;
}

}  // namespace

std::string next_link(const HttpRequest& request, std::int64_t cursor) {
    std::string link = "<" + request.path + "?";
    for (const auto& [name, value] : request.query) {
        if (name != "cursor") link += fmt::format("{}={}&", percent_encoded(name), percent_encoded(value));
    }
    return link + fmt::format("cursor={}>; rel=\"next\"", cursor);
}

}  // namespace cam::api
