#pragma once

#include <string>

#include "api/field_reader.h"

namespace cam::api {

/// The field `name` of a router or a rule: 1 to 256 characters, no control characters, not only blanks.
/// Notes what is wrong; then the text is of no use.
[[nodiscard]] std::string read_name(FieldReader& fields);

}  // namespace cam::api
