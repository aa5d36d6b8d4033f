#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/digest.h"
#include "api/http_message.h"
#include "api/login_limiter.h"
#include "api/session_table.h"
#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/base/secret.h"

namespace cam::api {

/// Whether a path is open to everybody who can connect.
enum class Access { kOpen, kToken };

/// Who may ask. With a token: who knows it, or logged in with it and sends the session's cookie; writes by
/// cookie need the session's CSRF token too, because a browser sends cookies unasked. Without a token (the
/// server then listens on loopback only): local programs, and browsers as far as the page is our own; a
/// foreign page can reach 127.0.0.1 too, by a form that writes or by a name of its own that points here.
/// Safe from any thread.
class Gate {
public:
    static constexpr std::string_view kCookie = "cam_session";

    /// Keeps no token, only its digest. The clock must outlive the gate.
    Gate(const std::optional<Secret>& token, const Clock& clock);
    /// The answer to a request that may not pass.
    [[nodiscard]] std::optional<HttpAnswer> refuse(const HttpRequest& request, Access access);

    [[nodiscard]] bool asks_for_token() const noexcept { return token_.has_value(); }
    /// The id of the session that the request belongs to; nullopt if there is none, or it is over. The id is
    /// as good as the token: only for the browser that it came from.
    [[nodiscard]] std::optional<std::string> session(const HttpRequest& request) const;
    /// Whether what passed by this session, or by none, would still pass.
    [[nodiscard]] bool still_open(const std::optional<std::string>& session) const;
    /// A new session's id; else the answer to give: 401 for a wrong token, 429 for too many tries.
    Result<std::string, HttpAnswer> log_in(std::string_view token, std::string_view peer);
    void log_out(std::string_view session) { sessions_.close(session); }

private:
    [[nodiscard]] bool knows_token(const HttpRequest& request) const;
    [[nodiscard]] std::optional<HttpAnswer> refuse_session(const HttpRequest& request);

    std::optional<Digest> token_;
    SessionTable sessions_;
    LoginLimiter logins_;
};

/// Whether a browser says that the request comes from a page of another origin.
[[nodiscard]] bool is_foreign(const HttpRequest& request);

}  // namespace cam::api
