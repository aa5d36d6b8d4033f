#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "cam/base/clock.h"
#include "cam/base/secret.h"
#include "cam/net/http_client.h"

namespace cam::notify {

/// What Telegram did with a message.
enum class SendResult {
    kSent,
    kRetryAfter,     ///< 429: wait `retry_after`, nothing was sent
    kBadEntities,    ///< 400: the markup was refused; send the same text plain
    kMigrated,       ///< 400: the group is a supergroup now; use `migrate_to`
    kThreadMissing,  ///< 400: the forum topic does not exist or is closed; send without it
    kTextRefused,    ///< 400: this text will never be taken
    kChatRefused,    ///< 400 chat not found, 403: the bot cannot write there; an operator must act
    kTokenRefused,   ///< 401, 404: an operator must act
    kUnreachable,    ///< nothing was sent, or something that is not Telegram said no (a proxy); try again
    kUnknown,        ///< no or no readable answer, 5xx: it may have been sent; try again
    kCancelled,
};
[[nodiscard]] const char* name(SendResult result);

struct SendOutcome {
    SendResult result;
    std::int64_t message_id = 0;  ///< Telegram's id, if kSent and told
    std::optional<std::chrono::seconds> retry_after;
    std::optional<std::int64_t> migrate_to;
    std::string detail;  ///< one line for a person, without token or URL
};

enum class Markup { kMarkdown, kPlain };

/// One call of the Bot API's sendMessage. Decides nothing about repeating. One thread at a time; the
/// HttpClient must outlive it.
class TelegramClient {
public:
    struct Options {
        std::string api_url = "https://api.telegram.org";
        Secret bot_token;
    };
    TelegramClient(net::HttpClient& http, Options options);

    struct Target {
        std::string chat_id;  ///< a number (negative: a group) or @name
        std::optional<std::int64_t> thread_id;
    };
    /// Blocks for at most `total`.
    SendOutcome send(const Target& target, std::string_view text, Markup markup,
                     std::chrono::milliseconds total, std::stop_token stop);

private:
    net::HttpClient& http_;
    Options options_;
};

/// Keeps Telegram's published limits for one chat: a bucket of kBurst tokens that gains one a second, and for
/// groups and channels at most twenty in any minute, both its ends included. Pure; one thread at a time.
class SendPacer {
public:
    /// `chat_id` decides which limits hold: a positive number is a private chat.
    explicit SendPacer(std::string_view chat_id);
    /// When the next message may go; `now` if at once.
    [[nodiscard]] SteadyTime earliest(SteadyTime now) const;
    /// A message went (or may have gone) at `when`. Also for those that other processes sent before.
    void sent(SteadyTime when);

    static constexpr std::size_t kBurst = 3;

private:
    bool group_;
    std::deque<SteadyTime> recent_;   // of the last minute, oldest first
    std::optional<SteadyTime> full_;  // when the bucket of kBurst tokens is full again
};

}  // namespace cam::notify
