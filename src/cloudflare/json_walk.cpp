#include "json_walk.h"

#include "json_number.h"

namespace cam::cloudflare {
namespace {

namespace od = simdjson::ondemand;
using Kind = JsonToken::Kind;

/// True if every backslash begins an escape of RFC 8259. Such a text can still stand for no characters.
bool has_valid_escapes(std::string_view text) {
    constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";
    constexpr std::string_view kShortEscapes = "\"\\/bfnrt";
    for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
        const std::string_view escape = text.substr(at + 1, 5);
        if (escape.starts_with('u')) {
            const bool has_four_digits =
                escape.size() == 5 && escape.find_first_not_of(kHexDigits, 1) == std::string_view::npos;
            if (!has_four_digits) return false;
        } else if (escape.empty() || kShortEscapes.find(escape.front()) == std::string_view::npos) {
            return false;
        }
        at += 2;
    }
    return true;
}

bool read_text(od::value value, JsonToken& token) {
    token.kind = Kind::kText;
    token.text = value.raw_json_token();
    if (token.text.find('\\') == std::string_view::npos) {
        // Asked for, or the walk would not see what is wrong behind the text.
        od::raw_json_string unread;
        token.text = without_trailing_blanks(token.text);
        if (value.get_raw_json_string().get(unread) != simdjson::SUCCESS || token.text.size() < 2)
            return false;
        token.text = token.text.substr(1, token.text.size() - 2);
        return true;
    }
    std::string_view text;
    const simdjson::error_code error = value.get_string().get(text);
    token.readable = error == simdjson::SUCCESS;
    if (token.readable) {
        token.text = text;
        token.in_document = false;
    }
    return token.readable || (error == simdjson::STRING_ERROR && has_valid_escapes(token.text));
}

}  // namespace

std::string_view without_trailing_blanks(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    while (!text.empty() && kBlanks.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    return text;
}

bool read_token(od::value value, JsonToken& token) {
    od::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    if (type == od::json_type::string) return read_text(value, token);
    token.text = without_trailing_blanks(value.raw_json_token());
    switch (type) {
        case od::json_type::array:
            token.kind = Kind::kArray;
            return true;
        case od::json_type::object:
            token.kind = Kind::kObject;
            return true;
        case od::json_type::number:
            token.kind = Kind::kNumber;
            return is_json_number(token.text);
        case od::json_type::null:
            token.kind = Kind::kNull;
            return token.text == "null";
        case od::json_type::boolean:
            token.kind = token.text == "true" ? Kind::kTrue : Kind::kFalse;
            return token.text == "true" || token.text == "false";
        case od::json_type::string:
            break;
        default:
            break;  // simdjson 4 adds a type for a token that is nothing
    }
    return false;
}

bool skip(od::value value, unsigned depth) {
    JsonToken token;
    return read_token(value, token) && skip_rest(value, token, depth);
}

bool skip_rest(od::value value, const JsonToken& token, unsigned depth) {
    if (!token.is_container()) return true;
    if (depth > kMostJsonDepth) return false;
    if (token.kind == Kind::kArray) {
        return each_element(value, [&](od::value element) { return skip(element, depth + 1); });
    }
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    return each_field(object, [&](std::string_view, od::value inner) { return skip(inner, depth + 1); });
}

}  // namespace cam::cloudflare
