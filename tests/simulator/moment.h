#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace cam::simulator {

/// A point in UTC time, to the millisecond.
using Moment = std::chrono::sys_time<std::chrono::milliseconds>;

/// Reads RFC 3339 ("2026-01-19T22:51:50Z", fractions and offsets too).
std::optional<Moment> parse_moment(std::string_view text);

/// Writes RFC 3339 with whole seconds and `Z`, rounding down.
std::string moment_text(Moment moment);

/// The machine's clock.
Moment machine_time();

}  // namespace cam::simulator
