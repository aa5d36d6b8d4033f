#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cam::simulator {

struct MarkdownEntity {
    enum class Kind { kBold, kItalic, kCode, kPre, kLink } kind;
    std::string text;
    std::string url;  ///< of kLink
};

/// Text as Telegram shows it, or why Telegram refuses it.
struct RenderedText {
    std::string plain;
    std::vector<MarkdownEntity> entities;
    std::optional<std::size_t> unclosed_at;  ///< byte offset of the opening mark that has no end
};

/// Telegram's legacy Markdown, written from the rules of parse_markdown in tdlib's MessageEntity.cpp: one
/// level; outside entities a backslash escapes `_ * [` and the backtick and nothing else; inside an entity
/// nothing is escaped and the next closing mark ends it; an empty entity vanishes.
RenderedText render_markdown(std::string_view text);

bool is_utf8(std::string_view text);
/// Of valid UTF-8.
std::size_t code_points(std::string_view text);
std::size_t utf16_units(std::string_view text);

}  // namespace cam::simulator
