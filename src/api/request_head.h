#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http_message.h"
#include "cam/base/result.h"

namespace cam::api {

/// Checks a request's lines up to and including the blank one, as RFC 9112 wants them: lines end in CRLF, no
/// control bytes, no folded lines, no blank before the colon. Returns the head for httplib, nullopt if it is
/// malformed. `Range` is left out: we serve no ranges, and httplib matches it with std::regex, whose stack
/// grows with the text.
[[nodiscard]] std::optional<std::string> clean_head(std::string_view head);

/// How a request's body is framed. Both members empty: there is none.
struct BodyFrame {
    std::size_t length = 0;
    bool is_chunked = false;
    [[nodiscard]] bool exists() const noexcept { return is_chunked || length > 0; }
};

/// The framing that `Content-Length` and `Transfer-Encoding` (all values of each) declare. What two readers
/// could understand differently is refused with the answer to give.
[[nodiscard]] Result<BodyFrame, HttpAnswer> body_frame(const std::vector<std::string>& content_lengths,
                                                       const std::vector<std::string>& transfer_encodings);

/// ASCII only, without the locale.
[[nodiscard]] std::string lower(std::string_view text);

}  // namespace cam::api
