#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/http_message.h"
#include "cam/base/result.h"

namespace cam::api {

/// The shape of every JSON answer: `{"result": …, "errors": [{"message": "…"}], "success": …}`. Success is a
/// status below 400. Bytes that are not UTF-8 are replaced.
[[nodiscard]] HttpAnswer envelope(int status, const nlohmann::ordered_json& result,
                                  const std::vector<std::string>& errors);
/// 200 with a result.
[[nodiscard]] HttpAnswer success(const nlohmann::ordered_json& result);
/// An error without a result.
[[nodiscard]] HttpAnswer failure(int status, std::string_view message);

/// A client's JSON. Refused (kInvalid) if it is none or nests deeper than 32 levels.
[[nodiscard]] Result<nlohmann::ordered_json> parse_json(std::string_view text);

}  // namespace cam::api
