#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cam::api {

/// The weight, 0 to 1000, that a list such as `Accept-Encoding: gzip;q=0.5, *` gives to `name`; nullopt if it
/// does not name it. What cannot be read counts as not named (RFC 9110 12.4.2).
[[nodiscard]] std::optional<int> weight(std::string_view list, std::string_view name);

/// The value of a cookie in a `Cookie` header; nullopt if it is not there, or there twice.
[[nodiscard]] std::optional<std::string_view> cookie(std::string_view header, std::string_view name);

/// Whether an `If-None-Match` names the entity tag (quoted), or any; weak ones match too (RFC 9110 13.1.2).
[[nodiscard]] bool names_tag(std::string_view list, std::string_view tag);

}  // namespace cam::api
