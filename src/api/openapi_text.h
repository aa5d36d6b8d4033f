#pragma once

#include <string_view>

namespace cam::api {

/// src/api/openapi.json as it is in the tree; made a constant by the build (config/cmake/embed.cmake).
extern const std::string_view kOpenApiText;

}  // namespace cam::api
