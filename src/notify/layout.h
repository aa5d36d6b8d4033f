#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/notify/render.h"

// How a message is put together: sections of lines with a blank line between them. An entity never spans
// lines.
namespace cam::notify {

inline constexpr std::string_view kHeader = "🛡️ *CLOUDFLARE DDoS PROTECTION*";
inline constexpr std::string_view kTrafficHeader = "🛡️ *NETWORK FLOW MONITOR*";

using Lines = std::vector<std::string>;

/// The sections of one message. Everything added is finished Markdown. One thread at a time.
class Layout {
public:
    explicit Layout(std::string_view header = kHeader) { add({std::string(header)}); }
    /// A section without lines is left out.
    void add(const Lines& lines);
    /// The same, with a title above the lines.
    void add(std::string_view title, const Lines& lines);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

/// The first `most` of `items` as bullets and, if there are more, `• +N more`.
void add_bullets(Lines& lines, const Lines& items, std::size_t most);

/// The first `most` of `items` with `separator` between them and, if there are more, `+N more`.
[[nodiscard]] std::string join(const Lines& items, std::string_view separator, std::size_t most);

/// `🏢 *ORG* | _program_`, and the GeoIP edition behind it if asked for and loaded.
enum class Footer { kPlain, kWithGeoip };
[[nodiscard]] std::string footer(std::string_view program, const RenderOptions& options, Footer form);

/// make(most), or if Telegram would not take that the longest of make(most - 1) … make(0) that it takes.
/// `make` writes a message whose lists have at most that many items. Last resort: make(0), cut between two
/// lines.
[[nodiscard]] std::string shorten_lists(std::size_t most,
                                        const std::function<std::string(std::size_t)>& make);

}  // namespace cam::notify
