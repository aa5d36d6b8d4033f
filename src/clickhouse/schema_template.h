#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/result.h"

namespace cam::clickhouse {

enum class Servers : std::uint8_t { kOne, kCluster };

/// The statements of a file of config/clickhouse: comments are left out, and with kOne the statements that
/// follow a line `-- cluster`.
[[nodiscard]] std::vector<std::string> statements_of(std::string_view file, Servers servers);

/// The text without lines of comment, in one line.
[[nodiscard]] std::string one_line(std::string_view file);

/// `text` with every `@name@`, `@name:argument@` and `@name(argument)@` replaced by what `value` gives.
/// kInternal: it gives nothing, or a placeholder does not end.
Result<std::string> filled_in(
    std::string_view text,
    const std::function<std::optional<std::string>(std::string_view name, std::string_view argument)>& value);

/// A literal of SQL: in quotes, `\` and `'` escaped.
[[nodiscard]] std::string string_literal(std::string_view text);

}  // namespace cam::clickhouse
