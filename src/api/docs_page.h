#pragma once

#include <string>
#include <string_view>

namespace cam::api {

/// An OpenAPI description as a page to read: plain HTML without scripts and without anything from elsewhere.
/// Knows what our own description uses. An empty text if that is no JSON object.
[[nodiscard]] std::string docs_page(std::string_view openapi);

/// The one Content-Security-Policy under which that page looks as it should: nothing but its own style.
[[nodiscard]] std::string docs_policy();

}  // namespace cam::api
