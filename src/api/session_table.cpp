#include "api/session_table.h"

#include <algorithm>

#include <openssl/rand.h>

namespace cam::api {

bool SessionTable::is_over(const Session& session, SteadyTime now) const {
    return now - session.used >= limits_.idle || now - session.opened >= limits_.whole;
}

std::optional<std::string> SessionTable::open() {
    Digest random;
    if (::RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return std::nullopt;
    const std::string id = hex(random);
    const SteadyTime now = clock_.steady();
    const Digest key = digest(id);
    sessions_.with([&](auto& sessions) {
        std::erase_if(sessions, [&](const auto& entry) { return is_over(entry.second, now); });
        if (sessions.size() >= limits_.sessions) {
            sessions.erase(
                std::min_element(sessions.begin(), sessions.end(),
                                 [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
        }
        sessions.insert_or_assign(key, Session{.opened = now, .used = now});
    });
    return id;
}

bool SessionTable::use(std::string_view id) {
    const SteadyTime now = clock_.steady();
    const Digest key = digest(id);
    return sessions_.with([&](auto& sessions) {
        const auto found = sessions.find(key);
        if (found == sessions.end()) return false;
        if (is_over(found->second, now)) {
            sessions.erase(found);
            return false;
        }
        found->second.used = now;
        return true;
    });
}

bool SessionTable::knows(std::string_view id) const {
    const SteadyTime now = clock_.steady();
    const Digest key = digest(id);
    return sessions_.with([&](const auto& sessions) {
        const auto found = sessions.find(key);
        return found != sessions.end() && !is_over(found->second, now);
    });
}

void SessionTable::close(std::string_view id) {
    const Digest key = digest(id);
    sessions_.with([&](auto& sessions) { sessions.erase(key); });
}

std::string csrf_token(std::string_view session_id) {
    return hex(keyed_digest(session_id, "csrf"));
}

}  // namespace cam::api
