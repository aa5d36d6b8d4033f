#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cam/base/clock.h"

namespace cam {

enum class DeliveryState : std::uint8_t {
    kWaiting,
    kSent,
    kFailed,  ///< Telegram will never take it
};

[[nodiscard]] constexpr const char* name(DeliveryState state) {
    switch (state) {
        case DeliveryState::kWaiting:
            return "waiting";
        case DeliveryState::kSent:
            return "sent";
        case DeliveryState::kFailed:
            return "failed";
    }
    return "waiting";
}

/// A message to the SOC and what became of it.
struct Delivery {
    std::int64_t id = 0;
    std::string kind;
    DeliveryState state = DeliveryState::kWaiting;
    std::optional<WallTime> created_at;
    std::optional<WallTime> sent_at;
    std::uint64_t attempts = 0;
    std::optional<WallTime> last_attempt_at;
    std::optional<WallTime> next_attempt_at;  ///< only of the first that waits, as far as it is known
    std::optional<std::string> last_error;
    std::string text;
};

/// Which deliveries a reader wants, newest first.
struct DeliveryQuery {
    std::optional<DeliveryState> state = {};
    std::optional<std::int64_t> cursor = {};  ///< only older ones than the message of this id
    std::uint32_t limit = 50;
};

struct DeliveryPage {
    std::vector<Delivery> deliveries;
    std::optional<std::int64_t> next_cursor;  ///< none: there is no more
};

}  // namespace cam
