#include "cam/net/header_values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "cam/net/http_client.h"

namespace cam::net {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes a date apart from the left. A part that does not fit makes all that follow fail.
class DateText {
public:
    explicit DateText(std::string_view text) : rest_(text) {}

    void literal(std::string_view expected) {
        if (!rest_.starts_with(expected)) return fail();
        rest_.remove_prefix(expected.size());
    }
    /// Letters up to the next other character: a day's name, which says nothing new.
    void word() {
        while (!rest_.empty() && (rest_.front() | 0x20) >= 'a' && (rest_.front() | 0x20) <= 'z') {
            rest_.remove_prefix(1);
        }
    }
    int number(std::size_t digits) {
        int value = 0;
        if (rest_.size() < digits) return fail(), 0;
        for (const char c : rest_.substr(0, digits)) {
            if (c < '0' || c > '9') return fail(), 0;
            value = value * 10 + (c - '0');
        }
        rest_.remove_prefix(digits);
        return value;
    }
    unsigned month() {
        const auto found = std::find(kMonths.begin(), kMonths.end(), rest_.substr(0, 3));
        if (found == kMonths.end()) return fail(), 0U;
        rest_.remove_prefix(3);
        return static_cast<unsigned>(found - kMonths.begin()) + 1;
    }
    [[nodiscard]] bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
    /// Everything was as expected and nothing is left.
    [[nodiscard]] bool complete() const { return good_ && rest_.empty(); }

private:
    void fail() {
        good_ = false;
        rest_ = {};
    }
    std::string_view rest_;
    bool good_ = true;
};

struct DateParts {
    int year = 0;
    unsigned month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

void read_time(DateText& text, DateParts& parts) {
    parts.hour = text.number(2);
    text.literal(":");
    parts.minute = text.number(2);
    text.literal(":");
    parts.second = text.number(2);
}

/// `06 Nov 1994 08:49:37 GMT`, or with dashes and two digits of the year (RFC 850).
void read_day_first(DateText& text, DateParts& parts) {
    text.literal(" ");
    parts.day = text.number(2);
    const bool old_form = text.at('-');
    const std::string_view separator = old_form ? "-" : " ";
    text.literal(separator);
    parts.month = text.month();
    text.literal(separator);
    parts.year = text.number(old_form ? 2 : 4);
    if (old_form) parts.year += parts.year < 70 ? 2000 : 1900;
    text.literal(" ");
    read_time(text, parts);
    text.literal(" GMT");
}

/// `Nov  6 08:49:37 1994` (asctime).
void read_month_first(DateText& text, DateParts& parts) {
    text.literal(" ");
    parts.month = text.month();
    text.literal(" ");
    if (text.at(' ')) {
        text.literal(" ");
        parts.day = text.number(1);
    } else {
        parts.day = text.number(2);
    }
    text.literal(" ");
    read_time(text, parts);
    text.literal(" ");
    parts.year = text.number(4);
}

std::optional<WallTime> instant(const DateParts& parts) {
    const std::chrono::year_month_day date{std::chrono::year{parts.year}, std::chrono::month{parts.month},
                                           std::chrono::day{static_cast<unsigned>(parts.day)}};
    // 60 is a leap second.
    if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
    return std::chrono::sys_days{date} + std::chrono::hours{parts.hour} + std::chrono::minutes{parts.minute} +
           std::chrono::seconds{parts.second};
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
    DateText rest{text};
    DateParts parts;
    rest.word();
    if (rest.at(',')) {
        rest.literal(",");
        read_day_first(rest, parts);
    } else {
        read_month_first(rest, parts);
    }
    if (!rest.complete()) return std::nullopt;
    return instant(parts);
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response, WallTime now) {
    using std::chrono::seconds;
    const std::optional<std::string_view> value = response.header("retry-after");
    if (!value) return std::nullopt;
    std::uint32_t told = 0;
    const char* const end = value->data() + value->size();
    const auto [stopped, error] = std::from_chars(value->data(), end, told);
    if (stopped == end && error == std::errc{}) return std::min(seconds{told}, kLongestRetryAfter);
    if (stopped == end && error == std::errc::result_out_of_range) return kLongestRetryAfter;
    const std::optional<WallTime> date = parse_http_date(*value);
    if (!date) return std::nullopt;
    return std::clamp(std::chrono::ceil<seconds>(*date - now), seconds{0}, kLongestRetryAfter);
}

}  // namespace cam::net
