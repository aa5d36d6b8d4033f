#pragma once

#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "api/http_message.h"
#include "cam/base/result.h"
#include "cam/model/rule.h"

namespace cam::api {

/// A rule as clients see it: every field, null where the rule's type has none.
[[nodiscard]] nlohmann::ordered_json json(const Rule& rule);

/// The rule that a client's body describes, without id and times; else the answer that says everything that
/// is wrong with it. Fields that belong to another type are refused: a threshold that nobody looks at would
/// be a false promise.
[[nodiscard]] Result<Rule, HttpAnswer> parse_rule(std::string_view body);

}  // namespace cam::api
