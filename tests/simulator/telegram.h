#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulator/http_message.h"
#include "simulator/moment.h"
#include "simulator/request_record.h"

namespace cam::simulator {

struct TelegramChat {
    enum class State { kMember, kKicked, kUpgraded };
    std::int64_t id = 0;
    std::string type = "supergroup";  ///< private, group, supergroup or channel
    std::string username{};           ///< without @
    std::vector<std::int64_t> threads{};
    State state = State::kMember;
    std::int64_t migrated_to = 0;  ///< of kUpgraded
};

/// Telegram's flood limits; scale the times down to make tests short.
struct TelegramRates {
    bool enabled = false;
    std::chrono::milliseconds per_message{1000};
    int burst = 3;
    std::chrono::milliseconds group_window{60000};
    int per_group_window = 20;
};

struct TelegramSettings {
    /// A token, bot name and chat that the simulator accepts.
    std::string bot_token = "123456789:AAsimulatedTelegramBotToken00000001";
    std::string bot_username = "simulated_bot";
    std::vector<TelegramChat> chats{TelegramChat{.id = -1001234567890}};
    TelegramRates rates;
};

/// A message Telegram accepted.
struct DeliveredMessage {
    std::int64_t message_id = 0;
    std::int64_t chat_id = 0;
    std::optional<std::int64_t> thread_id{};
    std::string text{};        ///< as sent
    std::string parse_mode{};  ///< as sent; empty for plain text
    std::string plain{};       ///< as people read it, marks removed
    Moment received_at{};
    std::uint64_t connection = 0;
    nlohmann::json parameters{};  ///< all of the call
};

/// Telegram's part: sendMessage, getMe and getChat of one bot. Guarded by its owner.
class Telegram {
public:
    using Steady = std::chrono::steady_clock::time_point;

    TelegramSettings settings;

    /// `path` starts with `/bot`.
    HttpResponse answer(const HttpRequest& request, const std::string& path, Moment now, Steady tick,
                        RequestRecord& record);
    /// No message to the request's chat is allowed for so long (after a 429 made by a fault).
    void hold(const HttpRequest& request, std::chrono::seconds time, Steady tick);
    /// The token of `/bot<token>/method` replaced.
    static std::string without_token(const std::string& path);

    [[nodiscard]] const std::vector<DeliveredMessage>& messages() const { return messages_; }
    [[nodiscard]] std::size_t violations() const { return violations_; }
    [[nodiscard]] std::size_t rate_limited() const { return rate_limited_; }
    void clear();

private:
    struct Flood {
        std::optional<Steady> not_before;  ///< set by a 429
        double tokens = 0;
        Steady refilled;
        bool started = false;
        std::deque<Steady> recent;
    };
    struct Reply;

    Reply send_message(const nlohmann::json& parameters, Moment now, Steady tick, RequestRecord& record);
    Reply get_chat(const nlohmann::json& parameters);
    [[nodiscard]] const TelegramChat* find_chat(const nlohmann::json& id) const;
    std::optional<std::chrono::seconds> flood_wait(const TelegramChat& chat, Steady tick);

    std::vector<DeliveredMessage> messages_;
    std::map<std::int64_t, Flood> floods_;
    std::size_t violations_ = 0;
    std::size_t rate_limited_ = 0;
    std::int64_t next_id_ = 1;
};

}  // namespace cam::simulator
