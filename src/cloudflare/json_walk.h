#pragma once

#include <simdjson.h>

#include <string_view>

namespace cam::cloudflare {

// simdjson's on-demand values only look at what is asked of them, so damage in what nobody asks for would go
// unnoticed. These functions ask everything: what the caller does not need goes to `skip`. Each returns false
// as soon as the JSON is not intact; the document is of no use after that.

/// Real answers nest to a depth of 9. What nests deeper than this counts as not intact.
inline constexpr unsigned kMostJsonDepth = 64;

/// A value that is neither object nor array, or the opening bracket of one that is.
struct JsonToken {
    enum class Kind { kText, kNumber, kTrue, kFalse, kNull, kArray, kObject };
    Kind kind = Kind::kNull;
    /// kText: without quotes and escapes; else as it stands in the document. Lives as long as the document,
    /// or, if it had escapes, as long as the parser.
    std::string_view text{};
    /// True while `text` lies in the document itself.
    bool in_document = true;
    /// False for a text that stands for no characters: half a surrogate pair. `text` is then as it stands.
    bool readable = true;

    [[nodiscard]] bool is_container() const { return kind == Kind::kArray || kind == Kind::kObject; }
};

/// Reads a value's token. Of a container only the bracket is read: walk it, or `skip_rest`.
bool read_token(simdjson::ondemand::value value, JsonToken& token);
/// Walks a value that nobody needs.
bool skip(simdjson::ondemand::value value, unsigned depth);
/// Walks what is left of a value whose token was read.
bool skip_rest(simdjson::ondemand::value value, const JsonToken& token, unsigned depth);

[[nodiscard]] std::string_view without_trailing_blanks(std::string_view text);

/// Calls `visit(key, value)`, which returns false to end the walk, for every field.
template <typename Visit>
bool each_field(simdjson::ondemand::object& object, Visit visit) {
    for (auto entry : object) {
        std::string_view key;
        simdjson::ondemand::value value;
        if (entry.unescaped_key().get(key) != simdjson::SUCCESS) return false;
        if (entry.value().get(value) != simdjson::SUCCESS) return false;
        if (!visit(key, value)) return false;
    }
    return true;
}

/// Calls `visit(element)`, which returns false to end the walk, for every element of an array.
template <typename Visit>
bool each_element(simdjson::ondemand::value list, Visit visit) {
    simdjson::ondemand::array array;
    if (list.get_array().get(array) != simdjson::SUCCESS) return false;
    for (auto entry : array) {
        simdjson::ondemand::value element;
        if (entry.get(element) != simdjson::SUCCESS) return false;
        if (!visit(element)) return false;
    }
    return true;
}

/// Hands an object's fields to `visit` and walks anything else; `is_object` says which it was.
template <typename Visit>
bool visit_object(simdjson::ondemand::value value, bool& is_object, Visit visit) {
    JsonToken token;
    if (!read_token(value, token)) return false;
    is_object = token.kind == JsonToken::Kind::kObject;
    if (!is_object) return skip_rest(value, token, 1);
    simdjson::ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return false;
    return each_field(object, visit);
}

}  // namespace cam::cloudflare
