#include "json_number.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace cam::cloudflare {
namespace {

/// Takes digits off the front; how many there were.
std::size_t take_digits(std::string_view& text) {
    std::size_t count = 0;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    text.remove_prefix(count);
    return count;
}

bool take(std::string_view& text, std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
}

}  // namespace

bool is_json_number(std::string_view token) {
    take(token, "-");
    const bool leading_zero = token.starts_with('0');
    const std::size_t digits = take_digits(token);
    if (digits == 0 || (leading_zero && digits > 1)) return false;
    if (take(token, ".") && take_digits(token) == 0) return false;
    if (take(token, "eE")) {
        take(token, "+-");
        if (take_digits(token) == 0) return false;
    }
    return token.empty();
}

std::optional<std::uint64_t> whole_number(std::string_view token) {
    const char* const end = token.data() + token.size();
    std::uint64_t whole = 0;
    const auto [stopped, error] = std::from_chars(token.data(), end, whole);
    if (stopped == end) return error == std::errc{} ? std::optional{whole} : std::nullopt;
    if (!is_json_number(token)) return std::nullopt;
    double real = 0;
    if (std::from_chars(token.data(), end, real).ec != std::errc{}) return std::nullopt;
    constexpr double kTwoTo64 = 18446744073709551616.0;
    if (!(real >= 0) || real >= kTwoTo64 || real != std::floor(real)) return std::nullopt;
    return static_cast<std::uint64_t>(real);
}

}  // namespace cam::cloudflare
