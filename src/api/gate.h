#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "api/http_message.h"
#include "cam/base/secret.h"

namespace cam::api {

/// Whether a path is open to everybody who can connect.
enum class Access { kOpen, kToken };

/// Who may ask. With a token: who knows it. Without one (the server then listens on loopback only): local
/// programs, and browsers as far as the page is our own; a foreign page can reach 127.0.0.1 too, by a form
/// that writes or by a name of its own that points here. Immutable.
class Gate {
public:
    /// Keeps no token, only its digest.
    explicit Gate(const std::optional<Secret>& token);
    /// The answer to a request that may not pass.
    [[nodiscard]] std::optional<HttpAnswer> refuse(const HttpRequest& request, Access access) const;

private:
    using Digest = std::array<std::uint8_t, 32>;
    static Digest digest(std::string_view text);
    [[nodiscard]] bool knows_token(const HttpRequest& request) const;
    std::optional<Digest> token_;
};

}  // namespace cam::api
