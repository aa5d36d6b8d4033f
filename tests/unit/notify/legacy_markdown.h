#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cam::notify::test {

/// What Telegram's parser of the legacy Markdown makes of a text.
struct Parsed {
    struct Entity {
        char mark;  ///< `_`, `*`, a backtick or `[`
        std::string text;
    };
    std::vector<Entity> entities;
    std::string visible;
};

/// A model of parse_markdown in tdlib's MessageEntity.cpp, written from its rules: outside entities a
/// backslash escapes
/// `_ * [` and the backtick and nothing else; inside an entity nothing is escaped and the next closing mark
/// ends it; an empty entity vanishes; a missing end is an error (nullopt: Telegram's "can't find end of the
/// entity").
inline std::optional<Parsed> parse_legacy_markdown(std::string_view text) {
    static constexpr std::string_view kMarks = "_*`[";
    Parsed parsed;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\\' && i + 1 < text.size() && kMarks.find(text[i + 1]) != std::string_view::npos) {
            parsed.visible.push_back(text[++i]);
            continue;
        }
        if (kMarks.find(c) == std::string_view::npos) {
            parsed.visible.push_back(c);
            continue;
        }
        const bool is_block = text.substr(i).starts_with("```");
        const std::string_view closer = is_block   ? std::string_view("```")
                                        : c == '[' ? std::string_view("]")
                                                   : text.substr(i, 1);
        const std::size_t begin = i + (is_block ? 3 : 1);
        const std::size_t end = text.find(closer, begin);
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view inner = text.substr(begin, end - begin);
        if (!inner.empty()) parsed.entities.push_back({c, std::string(inner)});
        parsed.visible += inner;
        i = end + closer.size() - 1;
        if (c == '[' && i + 1 < text.size() && text[i + 1] == '(') {
            const std::size_t link_end = text.find(')', i + 2);
            i = link_end == std::string_view::npos ? text.size() : link_end;
        }
    }
    return parsed;
}

}  // namespace cam::notify::test
