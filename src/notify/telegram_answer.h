#pragma once

#include <string>
#include <string_view>

#include "cam/base/secret.h"
#include "cam/net/http_client.h"
#include "cam/notify/telegram.h"

namespace cam::notify {

/// What was asked, as far as it decides what an answer means.
struct Asked {
    Markup markup;
    bool has_thread;
};

/// What an HTTP answer to sendMessage means. Believes the body, not the status: proxies answer too. The
/// detail is Telegram's own words and not yet scrubbed.
[[nodiscard]] SendOutcome classify(const net::HttpResponse& response, const Asked& asked);

/// What a call without an answer means.
[[nodiscard]] SendOutcome classify(const Error& error);

/// One line for a person: without the token (also percent-encoded), without anything that looks like one,
/// without `api_url`, without control characters, not long.
[[nodiscard]] std::string scrub(std::string_view detail, const Secret& token, std::string_view api_url);

/// `text` for one segment of a URL's path (RFC 3986): everything but unreserved characters and `:`
/// percent-encoded.
[[nodiscard]] std::string encode_segment(std::string_view text);

}  // namespace cam::notify
