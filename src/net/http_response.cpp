#include <algorithm>

#include "cam/net/http_client.h"

namespace cam::net {

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
    const auto found =
        std::find_if(headers.begin(), headers.end(), [&](const auto& entry) { return entry.first == name; });
    if (found == headers.end()) return std::nullopt;
    return found->second;
}

}  // namespace cam::net
