#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "cam/notify/telegram.h"
#include "notify/telegram_answer.h"

namespace cam::notify {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kLongestConnect{10'000};
constexpr std::size_t kLargestAnswer = 256U * 1024;  // an answer repeats the message: a few KiB

/// The Bot API tells a number from a name by its JSON type.
json chat_id_value(std::string_view chat_id) {
    std::int64_t number = 0;
    const auto read = std::from_chars(chat_id.data(), chat_id.data() + chat_id.size(), number);
    if (read.ec == std::errc() && read.ptr == chat_id.data() + chat_id.size()) return number;
    return std::string(chat_id);
}

std::string request_body(const TelegramClient::Target& target, std::string_view text, Markup markup) {
    json body{{"chat_id", chat_id_value(target.chat_id)},
              {"text", std::string(text)},
              {"link_preview_options", {{"is_disabled", true}}}};
    if (markup == Markup::kMarkdown) body["parse_mode"] = "Markdown";
    if (target.thread_id) body["message_thread_id"] = *target.thread_id;
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Blanks and control characters come from a badly read file; no token has them.
bool can_be_a_token(const std::string& token) {
    return !token.empty() && std::all_of(token.begin(), token.end(),
                                         [](char c) { return static_cast<unsigned char>(c) > 0x20; });
}

SendOutcome not_asked(SendResult result, const char* why) {
    return {result, 0, std::nullopt, std::nullopt, why};
}

}  // namespace

const char* name(SendResult result) {
    switch (result) {
        case SendResult::kSent:
            return "sent";
        case SendResult::kRetryAfter:
            return "retry_after";
        case SendResult::kBadEntities:
            return "bad_entities";
        case SendResult::kMigrated:
            return "migrated";
        case SendResult::kThreadMissing:
            return "thread_missing";
        case SendResult::kTextRefused:
            return "text_refused";
        case SendResult::kChatRefused:
            return "chat_refused";
        case SendResult::kTokenRefused:
            return "token_refused";
        case SendResult::kUnreachable:
            return "unreachable";
        case SendResult::kUnknown:
            return "unknown";
        case SendResult::kCancelled:
            return "cancelled";
    }
    return "unknown";
}

TelegramClient::TelegramClient(net::HttpClient& http, Options options)
    : http_(http), options_(std::move(options)) {
    while (options_.api_url.ends_with('/')) options_.api_url.pop_back();
}

SendOutcome TelegramClient::send(const Target& target, std::string_view text, Markup markup,
                                 std::chrono::milliseconds total, std::stop_token stop) {
    if (stop.stop_requested()) return not_asked(SendResult::kCancelled, "stopping");
    if (total <= std::chrono::milliseconds::zero())
        return not_asked(SendResult::kUnreachable, "no time left to send");
    if (!can_be_a_token(options_.bot_token.reveal()))
        return not_asked(SendResult::kTokenRefused,
                         "the bot token is empty or holds blanks or control characters");

    net::HttpRequest request;
    request.method = net::Method::kPost;
    request.url = options_.api_url + "/bot" + encode_segment(options_.bot_token.reveal()) + "/sendMessage";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = request_body(target, text, markup);
    request.total = total;
    request.connect = std::min(total, kLongestConnect);
    request.max_response_bytes = kLargestAnswer;
    request.stop = std::move(stop);

    const Result<net::HttpResponse> response = http_.perform(request);
    SendOutcome outcome = response ? classify(*response, Asked{markup, target.thread_id.has_value()})
                                   : classify(response.error());
    outcome.detail = scrub(outcome.detail, options_.bot_token, options_.api_url);
    return outcome;
}

}  // namespace cam::notify
