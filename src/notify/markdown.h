#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cam/model/maybe_text.h"

// Text from outside on its way into Telegram's legacy Markdown. Nothing in a value may end or begin an
// entity, reorder its neighbours, break a line or fill the message.
namespace cam::notify {

/// The most code points that are shown of a field.
inline constexpr std::size_t kNameCap = 128;  ///< vectors, rules, organisations, cities, ids
inline constexpr std::size_t kWordCap = 64;   ///< addresses, countries, actions, flags
inline constexpr std::size_t kCodeCap = 24;   ///< protocol, country and colo codes

/// Valid UTF-8 on one line: invalid bytes become U+FFFD, control characters and line separators blanks;
/// characters that steer the direction of text (bidi controls) or cannot be seen vanish, since they only
/// serve to disguise.
[[nodiscard]] std::string sanitize(std::string_view text);
/// `sanitize`, blanks at both ends cut, and at most `most` code points, the last of them `…` if some were
/// left out.
[[nodiscard]] std::string clean(std::string_view text, std::size_t most);
/// The first `most` code points of valid UTF-8.
[[nodiscard]] std::string_view first_code_points(std::string_view text, std::size_t most);
/// `clean`; nullopt if there is nothing to show: missing, blank, or the word Unknown in any case.
[[nodiscard]] std::optional<std::string> shown(MaybeText field, std::size_t most);

/// A bold entity. Nothing can be escaped inside an entity, so an asterisk becomes U+2217, which looks like
/// one. Empty text gives an empty string.
[[nodiscard]] std::string bold(std::string_view text);
/// A code entity; backticks become '. Empty text gives an empty string.
[[nodiscard]] std::string code(std::string_view text);

}  // namespace cam::notify
