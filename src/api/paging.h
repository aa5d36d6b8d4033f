#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "api/http_message.h"
#include "cam/base/clock.h"
#include "cam/base/time_text.h"

namespace cam::api {

template <typename T>
nlohmann::ordered_json or_null(const std::optional<T>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}
inline nlohmann::ordered_json or_null(const std::optional<WallTime>& time) {
    return time ? nlohmann::ordered_json(rfc3339(*time)) : nlohmann::ordered_json(nullptr);
}

/// What stands beside a list that has pages.
inline nlohmann::ordered_json result_info(const std::optional<std::int64_t>& next_cursor) {
    return {{"next_cursor",
             next_cursor ? nlohmann::ordered_json(std::to_string(*next_cursor)) : nlohmann::ordered_json()}};
}

/// The value of a `Link` header that leads on: the same request with this cursor.
[[nodiscard]] std::string next_link(const HttpRequest& request, std::int64_t cursor);

}  // namespace cam::api
