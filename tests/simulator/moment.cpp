#include "simulator/moment.h"

#include <array>
#include <cstdio>

namespace cam::simulator {
namespace {

std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    if (text.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return value;
}

bool take(std::string_view& text, std::string_view accepted) {
    if (text.empty() || accepted.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
    if (take(text, "Zz")) return std::chrono::minutes{0};
    if (text.empty()) return std::nullopt;
    const int sign = text.front() == '-' ? -1 : 1;
    if (!take(text, "+-")) return std::nullopt;
    const auto hours = take_digits(text, 2);
    if (!hours || !take(text, ":")) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes) return std::nullopt;
    return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

}  // namespace

std::optional<Moment> parse_moment(std::string_view text) {
    using namespace std::chrono;
    const auto y = take_digits(text, 4);
    if (!y || !take(text, "-")) return std::nullopt;
    const auto m = take_digits(text, 2);
    if (!m || !take(text, "-")) return std::nullopt;
    const auto d = take_digits(text, 2);
    if (!d || !take(text, "Tt ")) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ":")) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || !take(text, ":")) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    int fraction = 0;
    if (take(text, ".")) {
        int weight = 100;
        const std::size_t before = text.size();
        while (const auto digit = take_digits(text, 1)) {
            fraction += *digit * weight;
            weight /= 10;
        }
        if (text.size() == before) return std::nullopt;
    }
    const auto offset = take_offset(text);
    const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
    if (!offset || !text.empty() || !date.ok()) return std::nullopt;
    return Moment{sys_days{date}} + hours{*hour} + minutes{*minute} + seconds{*second} +
           milliseconds{fraction} - *offset;
}

std::string moment_text(Moment moment) {
    using namespace std::chrono;
    const auto midnight = floor<days>(moment);
    const year_month_day date{midnight};
    const hh_mm_ss time{floor<seconds>(moment - midnight)};
    std::array<char, 64> out{};
    std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return out.data();
}

Moment machine_time() {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace cam::simulator
