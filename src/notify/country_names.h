#pragma once

#include <string_view>

namespace cam::notify {

/// The English short name of an ISO 3166-1 alpha-2 code (either case). A code that is none comes back as it
/// is, and so does any longer text, which then is already a name. The result lives as long as `code` does.
[[nodiscard]] std::string_view country_name(std::string_view code);

}  // namespace cam::notify
