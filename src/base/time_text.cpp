#include "cam/base/time_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <spdlog/fmt/fmt.h>

namespace cam {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Reads fixed-width decimal fields off the front of a text.
class Fields {
public:
    explicit Fields(std::string_view text) : rest_(text) {}

    std::optional<int> number(std::size_t digits) {
        if (rest_.size() < digits) return std::nullopt;
        int value = 0;
        for (const char c : rest_.substr(0, digits)) {
            if (c < '0' || c > '9') return std::nullopt;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }
    bool literal(std::string_view any_of) {
        if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Digits after the point: milliseconds, the rest cut.
    std::optional<int> fraction() {
        int value = 0;
        std::size_t count = 0;
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            if (count < 3) value = value * 10 + (rest_.front() - '0');
            ++count;
            rest_.remove_prefix(1);
        }
        if (count == 0) return std::nullopt;
        for (; count < 3; ++count) value *= 10;
        return value;
    }
    [[nodiscard]] bool empty() const { return rest_.empty(); }
    [[nodiscard]] char front() const { return rest_.empty() ? '\0' : rest_.front(); }

private:
    std::string_view rest_;
};

std::optional<milliseconds> zone_offset(Fields& fields) {
    if (fields.empty() || fields.literal("Zz")) return milliseconds{0};
    const int sign = fields.front() == '-' ? -1 : 1;
    if (!fields.literal("+-")) return std::nullopt;
    const auto offset_hours = fields.number(2);
    if (!offset_hours || *offset_hours > 23 || !fields.literal(":")) return std::nullopt;
    const auto offset_minutes = fields.number(2);
    if (!offset_minutes || *offset_minutes > 59) return std::nullopt;
    return sign * (hours{*offset_hours} + minutes{*offset_minutes});
}

struct Parts {
    std::chrono::year_month_day day;
    std::chrono::hh_mm_ss<seconds> clock;
};

Parts parts(WallTime time) {
    const auto whole = std::chrono::floor<seconds>(time);
    const auto midnight = std::chrono::floor<days>(whole);
    return {std::chrono::year_month_day{midnight}, std::chrono::hh_mm_ss<seconds>{whole - midnight}};
}

std::string iso(WallTime time, char separator, std::string_view zone) {
    const Parts at = parts(time);
    return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}", static_cast<int>(at.day.year()),
                       static_cast<unsigned>(at.day.month()), static_cast<unsigned>(at.day.day()), separator,
                       at.clock.hours().count(), at.clock.minutes().count(), at.clock.seconds().count(),
                       zone);
}

}  // namespace

std::optional<WallTime> parse_time(std::string_view text) {
    Fields fields(text);
    const auto year = fields.number(4);
    if (!year || !fields.literal("-")) return std::nullopt;
    const auto month = fields.number(2);
    if (!month || !fields.literal("-")) return std::nullopt;
    const auto day = fields.number(2);
    if (!day || !fields.literal("Tt ")) return std::nullopt;
    const auto hour = fields.number(2);
    if (!hour || !fields.literal(":")) return std::nullopt;
    const auto minute = fields.number(2);
    if (!minute || !fields.literal(":")) return std::nullopt;
    const auto second = fields.number(2);
    if (!second) return std::nullopt;
    int fraction = 0;
    if (fields.literal(".")) {
        const auto read = fields.fraction();
        if (!read) return std::nullopt;
        fraction = *read;
    }
    const auto offset = zone_offset(fields);
    if (!offset || !fields.empty()) return std::nullopt;

    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;  // 60: a leap second
    return WallTime{std::chrono::sys_days{date}} + hours{*hour} + minutes{*minute} + seconds{*second} +
           milliseconds{fraction} - *offset;
}

std::string rfc3339(WallTime time) {
    return iso(time, 'T', "Z");
}

std::string sqlite_time(WallTime time) {
    return iso(time, ' ', "");
}

std::string european_date(WallTime time) {
    const Parts at = parts(time);
    return fmt::format("{:02}/{:02}/{:04}", static_cast<unsigned>(at.day.day()),
                       static_cast<unsigned>(at.day.month()), static_cast<int>(at.day.year()));
}

std::string european_minute(WallTime time) {
    const Parts at = parts(time);
    return fmt::format("{} {:02}:{:02}", european_date(time), at.clock.hours().count(),
                       at.clock.minutes().count());
}

std::string european_time(WallTime time) {
    return fmt::format("{}:{:02} UTC", european_minute(time), parts(time).clock.seconds().count());
}

std::string duration_text(milliseconds duration) {
    const auto total = std::max<std::int64_t>(std::chrono::floor<seconds>(duration).count(), 0);
    struct Unit {
        std::int64_t length;
        std::string_view name;
    };
    constexpr std::array<Unit, 4> kUnits{{{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
    for (std::size_t i = 0; i < kUnits.size(); ++i) {
        const std::int64_t count = total / kUnits[i].length;
        if (count == 0) continue;
        const std::int64_t rest = i + 1 < kUnits.size() ? total % kUnits[i].length / kUnits[i + 1].length : 0;
        if (rest == 0) return fmt::format("{} {}", count, kUnits[i].name);
        return fmt::format("{} {} {} {}", count, kUnits[i].name, rest, kUnits[i + 1].name);
    }
    return "0 s";
}

}  // namespace cam
