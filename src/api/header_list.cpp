#include "api/header_list.h"

#include "api/request_head.h"

namespace cam::api {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

/// Takes the part before the next `mark` off the front of `rest`.
std::string_view next_part(std::string_view& rest, char mark) {
    const std::size_t end = rest.find(mark);
    const std::string_view part = trimmed(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    return part;
}

/// `0.25` as 250; nullopt if it is no weight.
std::optional<int> thousandths(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
    if (text.size() > 1 && text[1] != '.') return std::nullopt;
    int value = (text[0] - '0') * 1000;
    int place = 100;
    for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
        if (c < '0' || c > '9') return std::nullopt;
        value += (c - '0') * place;
        place /= 10;
    }
    if (value > 1000) return std::nullopt;
    return value;
}

}  // namespace

std::optional<int> weight(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        std::string_view entry = next_part(list, ',');
        if (lower(next_part(entry, ';')) != name) continue;
        while (!entry.empty()) {
            const std::string_view parameter = next_part(entry, ';');
            if (lower(parameter.substr(0, 2)) == "q=") return thousandths(parameter.substr(2));
        }
        return 1000;
    }
    return std::nullopt;
}

std::optional<std::string_view> cookie(std::string_view header, std::string_view name) {
    std::optional<std::string_view> found;
    while (!header.empty()) {
        std::string_view pair = next_part(header, ';');
        if (next_part(pair, '=') != name) continue;
        if (found) return std::nullopt;
        found = pair;
    }
    return found;
}

bool names_tag(std::string_view list, std::string_view tag) {
    while (!list.empty()) {
        std::string_view entry = next_part(list, ',');
        if (entry == "*") return true;
        if (entry.starts_with("W/")) entry.remove_prefix(2);
        if (entry == tag) return true;
    }
    return false;
}

}  // namespace cam::api
