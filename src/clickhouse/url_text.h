#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cam::clickhouse {

/// For a name or value in a URL's query (RFC 3986: all but the unreserved characters as %XX).
[[nodiscard]] std::string url_text(std::string_view text);

/// A parameter's value as ClickHouse reads it: the escapes of the format TabSeparated.
[[nodiscard]] std::string escaped_parameter(std::string_view value);

/// Why a text is no address of a ClickHouse server, in one sentence; nullopt: it is one.
[[nodiscard]] std::optional<std::string> fault_of_url(std::string_view url);

}  // namespace cam::clickhouse
