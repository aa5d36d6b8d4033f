#include "simulator/markdown.h"

#include <algorithm>
#include <utility>

namespace cam::simulator {
namespace {

constexpr std::string_view kMarks = "_*`[";

class Renderer {
public:
    explicit Renderer(std::string_view text) : rest_(text), size_(text.size()) {}

    RenderedText run() {
        while (!rest_.empty()) {
            if (rest_.size() > 1 && rest_[0] == '\\' && is_mark(rest_[1])) {
                out_.plain += rest_[1];
                rest_.remove_prefix(2);
            } else if (is_mark(rest_.front())) {
                const std::size_t begin = size_ - rest_.size();
                if (!entity()) {
                    out_.unclosed_at = begin;
                    return std::move(out_);
                }
            } else {
                out_.plain += rest_.front();
                rest_.remove_prefix(1);
            }
        }
        return std::move(out_);
    }

private:
    static bool is_mark(char c) { return kMarks.find(c) != std::string_view::npos; }

    /// False when the entity has no end.
    bool entity() {
        if (rest_.starts_with("```")) return pre();
        const char mark = rest_.front();
        const auto kind = mark == '*'   ? MarkdownEntity::Kind::kBold
                          : mark == '_' ? MarkdownEntity::Kind::kItalic
                          : mark == '`' ? MarkdownEntity::Kind::kCode
                                        : MarkdownEntity::Kind::kLink;
        const std::size_t end = rest_.find(mark == '[' ? ']' : mark, 1);
        if (end == std::string_view::npos) return false;
        const std::string text(rest_.substr(1, end - 1));
        rest_.remove_prefix(end + 1);
        add(kind, text);
        if (kind == MarkdownEntity::Kind::kLink && !text.empty()) link_target(text);
        return true;
    }

    bool pre() {
        rest_.remove_prefix(3);
        const std::size_t language = std::min(rest_.find_first_of(" \t\r\n`"), rest_.size());
        if (language < rest_.size() && rest_[language] != '`') rest_.remove_prefix(language);
        if (rest_.starts_with("\r\n") || rest_.starts_with("\n\r")) {
            rest_.remove_prefix(2);
        } else if (rest_.starts_with("\n") || rest_.starts_with("\r")) {
            rest_.remove_prefix(1);
        }
        const std::size_t end = rest_.find("```");
        if (end == std::string_view::npos) return false;
        add(MarkdownEntity::Kind::kPre, std::string(rest_.substr(0, end)));
        rest_.remove_prefix(end + 3);
        return true;
    }

    void link_target(const std::string& text) {
        std::string url = text;
        if (rest_.starts_with("(")) {
            const std::size_t end = std::min(rest_.find(')'), rest_.size());
            url = rest_.substr(1, end - 1);
            rest_.remove_prefix(std::min(end + 1, rest_.size()));
        }
        out_.entities.back().url = url;
    }

    void add(MarkdownEntity::Kind kind, const std::string& text) {
        if (text.empty()) return;
        out_.plain += text;
        out_.entities.push_back({kind, text, {}});
    }

    std::string_view rest_;
    std::size_t size_;
    RenderedText out_;
};

bool is_continuation(unsigned char c) {
    return (c & 0xC0U) == 0x80U;
}

/// Bytes of the character that starts here, 0 if none does.
std::size_t utf8_length(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                               : lead >= 0xE0 && lead <= 0xEF ? 3
                               : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                              : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(at(i))) return 0;
    }
    const unsigned char second = at(1);
    const bool wrong_second = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                              (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
    return wrong_second ? 0 : length;
}

}  // namespace

RenderedText render_markdown(std::string_view text) {
    return Renderer(text).run();
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return !is_continuation(static_cast<unsigned char>(c)); }));
}

std::size_t utf16_units(std::string_view text) {
    return code_points(text) + static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) >= 0xF0;
           }));
}

}  // namespace cam::simulator
