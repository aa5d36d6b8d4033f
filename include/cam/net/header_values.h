#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "cam/base/clock.h"

namespace cam::net {

struct HttpResponse;

/// Reads an HTTP date in any of the three forms of RFC 9110 section 5.6.7, whatever the locale.
[[nodiscard]] std::optional<WallTime> parse_http_date(std::string_view text);

/// The longest wait that `retry_after` passes on: a server cannot silence us for longer.
inline constexpr std::chrono::seconds kLongestRetryAfter{86'400};

/// How long the server asks us to wait: `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3),
/// `now` being our time; between 0 and kLongestRetryAfter. nullopt if absent or unreadable.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const HttpResponse& response, WallTime now);

}  // namespace cam::net
