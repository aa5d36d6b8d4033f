#pragma once

#include <nlohmann/json_fwd.hpp>

#include "cam/model/alert.h"

namespace cam::api {

/// An alert as clients see it.
[[nodiscard]] nlohmann::ordered_json json(const Alert& alert);

}  // namespace cam::api
