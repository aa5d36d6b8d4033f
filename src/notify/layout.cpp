#include "notify/layout.h"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

#include "notify/markdown.h"

namespace cam::notify {
namespace {

constexpr std::string_view kCut = "\n…";

/// Cut after a whole line, so that no entity loses its end.
std::string cut_between_lines(std::string text) {
    const std::size_t room = kMaxMessageUnits - utf16_units(kCut);
    while (utf16_units(text) > room) {
        const std::size_t last_break = text.rfind('\n');
        if (last_break == std::string::npos) return std::string(kHeader);
        text.resize(last_break);
    }
    return text.append(kCut);
}

}  // namespace

void Layout::add(const Lines& lines) {
    if (lines.empty()) return;
    if (!text_.empty()) text_ += "\n\n";
    text_ += fmt::format("{}", fmt::join(lines, "\n"));
}

void Layout::add(std::string_view title, const Lines& lines) {
    if (lines.empty()) return;
    Lines titled{std::string(title)};
    titled.insert(titled.end(), lines.begin(), lines.end());
    add(titled);
}

void add_bullets(Lines& lines, const Lines& items, std::size_t most) {
    const std::size_t count = std::min(most, items.size());
    for (std::size_t i = 0; i < count; ++i) lines.push_back("• " + items[i]);
    if (items.size() > count) lines.push_back(fmt::format("• +{} more", items.size() - count));
}

std::string join(const Lines& items, std::string_view separator, std::size_t most) {
    const std::size_t count = std::min(most, items.size());
    Lines kept(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(count));
    if (items.size() > count) kept.push_back(fmt::format("+{} more", items.size() - count));
    return fmt::format("{}", fmt::join(kept, separator));
}

std::string footer(std::string_view program, const RenderOptions& options, Footer form) {
    const std::string organization = bold(clean(options.organization, kWordCap));
    std::string line = organization.empty() ? std::string() : fmt::format("🏢 {} | ", organization);
    line += fmt::format("_{}_", program);
    if (form == Footer::kWithGeoip && options.geoip) {
        switch (*options.geoip) {
            case GeoEdition::Type::kCommercial:
                line += " | _GeoIP: Commercial_";
                break;
            case GeoEdition::Type::kFree:
                line += " | _GeoIP: Free_";
                break;
        }
    }
    return line;
}

std::string shorten_lists(std::size_t most, const std::function<std::string(std::size_t)>& make) {
    for (std::size_t limit = most;; --limit) {
        std::string text = make(limit);
        if (utf16_units(text) <= kMaxMessageUnits) return text;
        if (limit == 0) return cut_between_lines(std::move(text));
    }
}

}  // namespace cam::notify
