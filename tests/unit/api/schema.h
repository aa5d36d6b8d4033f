#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace cam::api {

/// Why `value` does not fit the JSON Schema at `schema`, a part of `document` (for `$ref`); empty if it fits.
/// Knows the keywords that our description uses and complains of any other. Stricter than JSON Schema in one
/// thing: an object may have no property that the schema does not name.
std::string schema_fault(const nlohmann::json& document, const nlohmann::json& schema,
                         const nlohmann::json& value, const std::string& where = "$");

}  // namespace cam::api
