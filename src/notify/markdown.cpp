#include "notify/markdown.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "cam/notify/render.h"

namespace cam::notify {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::string_view kEllipsis = "…";
constexpr std::string_view kHarmlessAsterisk = "∗";

/// Takes one code point off the front of `rest`. Bytes that begin no valid sequence give U+FFFD, one for each
/// maximal part of a sequence (Unicode 15, section 3.9).
char32_t take_code_point(std::string_view& rest) {
    const auto lead = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    if (lead < 0x80) return lead;
    if (lead < 0xC2 || lead > 0xF4) return kReplacement;
    const unsigned more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    char32_t value = lead & (0x3FU >> more);
    // The second byte's range excludes overlong forms, surrogates and values over U+10FFFF.
    unsigned char least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned char most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (unsigned i = 0; i < more; ++i) {
        if (rest.empty()) return kReplacement;
        const auto next = static_cast<unsigned char>(rest.front());
        if (next < least || next > most) return kReplacement;
        value = (value << 6U) | (next & 0x3FU);
        rest.remove_prefix(1);
        least = 0x80;
        most = 0xBF;
    }
    return value;
}

void append_utf8(std::string& out, char32_t c) {
    const auto byte = [&out](char32_t value) { out.push_back(static_cast<char>(value)); };
    if (c < 0x80) return byte(c);
    if (c < 0x800) {
        byte(0xC0 | (c >> 6));
    } else {
        if (c < 0x10000) {
            byte(0xE0 | (c >> 12));
        } else {
            byte(0xF0 | (c >> 18));
            byte(0x80 | ((c >> 12) & 0x3F));
        }
        byte(0x80 | ((c >> 6) & 0x3F));
    }
    byte(0x80 | (c & 0x3F));
}

struct Span {
    char32_t first;
    char32_t last;
};

template <std::size_t N>
bool in_any(const std::array<Span, N>& spans, char32_t c) {
    return std::any_of(spans.begin(), spans.end(), [c](Span s) { return c >= s.first && c <= s.last; });
}

bool breaks_the_line(char32_t c) {
    static constexpr std::array kSpans = std::to_array<Span>({{0x00, 0x1F}, {0x7F, 0x9F}, {0x2028, 0x2029}});
    return in_any(kSpans, c);
}

/// Bidi controls (Unicode's Bidi_Control) and characters without any look of their own. The joiners U+200C
/// and U+200D stay: Persian and emoji need them.
bool disguises(char32_t c) {
    static constexpr std::array kSpans = std::to_array<Span>({{0xAD, 0xAD},
                                                              {0x61C, 0x61C},
                                                              {0x180E, 0x180E},
                                                              {0x200B, 0x200B},
                                                              {0x200E, 0x200F},
                                                              {0x202A, 0x202E},
                                                              {0x2060, 0x206F},
                                                              {0xFEFF, 0xFEFF},
                                                              {0xFFF9, 0xFFFB},
                                                              {0xE0000, 0xE007F}});
    return in_any(kSpans, c);
}

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

bool is_unknown(std::string_view text) {
    static constexpr std::string_view kUnknown = "unknown";
    return text.size() == kUnknown.size() &&
           std::equal(text.begin(), text.end(), kUnknown.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
}

}  // namespace

std::string sanitize(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const char32_t c = take_code_point(text);
        if (disguises(c)) continue;
        append_utf8(out, breaks_the_line(c) ? U' ' : c);
    }
    return out;
}

std::string_view first_code_points(std::string_view text, std::size_t most) {
    std::string_view rest = text;
    for (; most > 0 && !rest.empty(); --most) take_code_point(rest);
    return text.substr(0, text.size() - rest.size());
}

std::string clean(std::string_view text, std::size_t most) {
    // Nearly every field is short printable ASCII without blanks at its ends, which is clean already.
    const auto printable = [](char c) { return c >= 0x20 && c <= 0x7E; };
    if (!text.empty() && text.size() <= most && text.front() != ' ' && text.back() != ' ' &&
        std::all_of(text.begin(), text.end(), printable)) {
        return std::string(text);
    }
    // Enough for `most` code points with invisible ones between them; nobody walks a megabyte for a line.
    const std::string whole = sanitize(text.substr(0, most * 16 + 64));
    std::string_view kept = trimmed(whole);
    if (code_points(kept) <= most) return std::string(kept);
    kept = trimmed(first_code_points(kept, most - 1));
    return std::string(kept) + std::string(kEllipsis);
}

std::optional<std::string> shown(MaybeText field, std::size_t most) {
    if (!field) return std::nullopt;
    std::string text = clean(*field, most);
    if (text.empty() || is_unknown(text)) return std::nullopt;
    return text;
}

std::string bold(std::string_view text) {
    if (text.empty()) return {};
    std::string out = "*";
    for (const char c : sanitize(text)) {
        if (c == '*') {
            out += kHarmlessAsterisk;
        } else {
            out.push_back(c);
        }
    }
    return out + "*";
}

std::string code(std::string_view text) {
    if (text.empty()) return {};
    return "`" + escape_code(text) + "`";
}

std::string escape_text(std::string_view text) {
    std::string out;
    for (const char c : sanitize(text)) {
        if (c == '_' || c == '*' || c == '[' || c == '`') out.push_back('\\');
        out.push_back(c);
    }
    return out;
}

std::string escape_code(std::string_view text) {
    std::string out = sanitize(text);
    std::replace(out.begin(), out.end(), '`', '\'');
    return out;
}

std::size_t utf16_units(std::string_view text) {
    std::size_t units = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0U) == 0x80U) continue;
        units += byte >= 0xF0 ? 2 : 1;
    }
    return units;
}

}  // namespace cam::notify
