#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cam/base/clock.h"

namespace cam {

/// Reads an RFC 3339 time (`2026-01-19T22:51:50Z`, fraction and numeric offset allowed, also a blank for the
/// `T` and no zone, which is then UTC, as SQLite writes it). Nothing else is accepted; fractions beyond
/// milliseconds are cut.
[[nodiscard]] std::optional<WallTime> parse_time(std::string_view text);

/// `2026-01-19T22:51:50Z`, milliseconds cut: what Cloudflare's filters take.
[[nodiscard]] std::string rfc3339(WallTime time);
/// `2026-01-19 22:51:50`, milliseconds cut: what SQLite's CURRENT_TIMESTAMP writes.
[[nodiscard]] std::string sqlite_time(WallTime time);
/// `19/01/2026 22:51:50 UTC`, for people.
[[nodiscard]] std::string european_time(WallTime time);
/// `19/01/2026 22:51`, for people.
[[nodiscard]] std::string european_minute(WallTime time);
/// `19/01/2026`, for people.
[[nodiscard]] std::string european_date(WallTime time);
/// `3 d 4 h`, `2 h 5 min`, `7 min`, `42 s`: the two largest units, for people. Negative counts as zero.
[[nodiscard]] std::string duration_text(std::chrono::milliseconds duration);

}  // namespace cam
