#include "prefix_list.h"

#include <cstddef>

namespace cam::store {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

/// Cuts blanks, then `token`, off the front; false if something else is there.
bool take(std::string_view& text, char token) {
    const std::size_t at = text.find_first_not_of(kBlanks);
    if (at == std::string_view::npos || text[at] != token) return false;
    text.remove_prefix(at + 1);
    return true;
}

}  // namespace

std::string prefix_list(std::span<const Prefix> prefixes) {
    std::string json = "[";
    for (const Prefix& prefix : prefixes) {
        if (json.size() > 1) json += ',';
        json.append("\"").append(prefix.text()).append("\"");
    }
    return json += ']';
}

std::optional<std::vector<Prefix>> parse_prefix_list(std::string_view json) {
    std::vector<Prefix> prefixes;
    if (!take(json, '[')) return std::nullopt;
    if (!take(json, ']')) {
        do {
            if (!take(json, '"')) return std::nullopt;
            const std::size_t end = json.find('"');
            // No prefix needs an escape.
            const std::optional<Prefix> prefix =
                end == std::string_view::npos ? std::nullopt : Prefix::parse(json.substr(0, end));
            if (!prefix) return std::nullopt;
            prefixes.push_back(*prefix);
            json.remove_prefix(end + 1);
        } while (take(json, ','));
        if (!take(json, ']')) return std::nullopt;
    }
    if (json.find_first_not_of(kBlanks) != std::string_view::npos) return std::nullopt;
    return prefixes;
}

}  // namespace cam::store
