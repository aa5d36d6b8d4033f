#pragma once

#include <cstdint>
#include <string>

namespace cam {

/// What a message is about; also its name in the database.
enum class MessageKind { kEvent, kAttack, kStartup, kShutdown, kStatus, kAlert };

[[nodiscard]] constexpr const char* name(MessageKind kind) {
    switch (kind) {
        case MessageKind::kEvent:
            return "event";
        case MessageKind::kAttack:
            return "attack";
        case MessageKind::kStartup:
            return "startup";
        case MessageKind::kShutdown:
            return "shutdown";
        case MessageKind::kStatus:
            return "status";
        case MessageKind::kAlert:
            return "alert";
    }
    return "status";
}

/// One message to the SOC: Telegram's legacy Markdown, at most 4096 UTF-16 units of it.
struct Message {
    MessageKind kind;
    std::string text;
};

}  // namespace cam
