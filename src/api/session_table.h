#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/digest.h"
#include "cam/base/clock.h"
#include "cam/base/guarded.h"

namespace cam::api {

/// Who is logged in. Knows only digests: a session's id is with the browser alone. Not kept over a restart.
/// Safe from any thread.
class SessionTable {
public:
    struct Limits {
        std::size_t sessions = 64;  ///< beyond it the one that was idle for longest ends
        std::chrono::minutes idle{12 * 60};
        std::chrono::minutes whole{7 * 24 * 60};
    };
    SessionTable(Limits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

    /// A new session's id: 256 bits of OpenSSL's generator in hexadecimal digits. nullopt if that has none.
    std::optional<std::string> open();
    /// Whether the session is there; from now on it is not idle.
    bool use(std::string_view id);
    /// Whether it is there, without using it.
    [[nodiscard]] bool knows(std::string_view id) const;
    void close(std::string_view id);

private:
    struct Session {
        SteadyTime opened;
        SteadyTime used;
    };
    [[nodiscard]] bool is_over(const Session& session, SteadyTime now) const;

    Limits limits_;
    const Clock& clock_;
    Guarded<std::map<Digest, Session>> sessions_;
};

/// What a page must send with a write, made from the session's id: whoever cannot read the page cannot know
/// it, and it does not give the id away.
[[nodiscard]] std::string csrf_token(std::string_view session_id);

}  // namespace cam::api
