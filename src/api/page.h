#pragma once

#include "api/http_message.h"
#include "api/page_file.h"

namespace cam::api {

/// The one Content-Security-Policy of the page: its own files and its own server, no code within markup, no
/// frames, no forms that leave.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether the client would rather read HTML than JSON, as browsers would that open an address.
[[nodiscard]] bool wants_html(const HttpRequest& request);

/// The file as the client can take it: compressed if it says so, 304 if it has it already.
[[nodiscard]] HttpAnswer file_answer(const PageFile& file, const HttpRequest& request);

}  // namespace cam::api
