#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulator/markdown.h"

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

inline char mark_of(simulator::MarkdownEntity::Kind kind) {
    using Kind = simulator::MarkdownEntity::Kind;
    switch (kind) {
        case Kind::kBold:
            return '*';
        case Kind::kItalic:
            return '_';
        case Kind::kCode:
        case Kind::kPre:
            return '`';
        case Kind::kLink:
            return '[';
    }
    return '?';
}

/// The simulator's model of that parser, by the marks; nullopt where Telegram refuses the text ("can't find
/// end of the entity").
inline std::optional<Parsed> parse_legacy_markdown(std::string_view text) {
    simulator::RenderedText rendered = simulator::render_markdown(text);
    if (rendered.unclosed_at) return std::nullopt;
    Parsed parsed;
    parsed.visible = std::move(rendered.plain);
    for (simulator::MarkdownEntity& entity : rendered.entities)
        parsed.entities.push_back({mark_of(entity.kind), std::move(entity.text)});
    return parsed;
}

}  // namespace cam::notify::test
