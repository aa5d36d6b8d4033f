#include "notify/telegram_answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "notify/markdown.h"

namespace cam::notify {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds kLongestWait{86'400};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::any_of(words.begin(), words.end(),
                       [text](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// The number at the front of `text`, as a wait that is not absurd.
std::optional<std::chrono::seconds> wait_at(std::string_view text) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    std::int64_t seconds = 0;
    const auto read = std::from_chars(text.data(), text.data() + digits, seconds);
    if (read.ec != std::errc()) return kLongestWait;  // all digits, so it can only be too large
    return std::min(std::chrono::seconds(seconds), kLongestWait);
}

/// One answer of the Bot API, taken apart.
struct Answer {
    bool ok = false;
    int code = 0;
    std::string description;
    std::int64_t message_id = 0;
    std::optional<std::int64_t> migrate_to;
    std::optional<std::chrono::seconds> retry_after;
};

std::optional<std::int64_t> integer(const json& object, const char* key) {
    if (!object.is_object()) return std::nullopt;
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
}

json member(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? json() : *found;
}

/// The wait that the body, the header or the words ask for, in this order of trust.
std::optional<std::chrono::seconds> wait_asked(const json& parameters, const net::HttpResponse& response,
                                               std::string_view description) {
    if (const auto told = integer(parameters, "retry_after"); told && *told >= 0)
        return std::min(std::chrono::seconds(*told), kLongestWait);
    if (const auto header = response.header("retry-after")) {
        if (const auto told = wait_at(*header)) return told;  // the date form is not used by Telegram
    }
    static constexpr std::array<std::string_view, 3> kWords{"retry after ", "flood_wait_", "slowmode_wait_"};
    for (const std::string_view word : kWords) {
        const std::size_t at = description.find(word);
        if (at != std::string_view::npos) return wait_at(description.substr(at + word.size()));
    }
    return std::nullopt;
}

/// nullopt if the body is none of the Bot API's.
std::optional<Answer> read_answer(const net::HttpResponse& response) {
    const json body = json::parse(response.body, nullptr, false);
    if (!body.is_object()) return std::nullopt;
    const json ok = member(body, "ok");
    if (!ok.is_boolean()) return std::nullopt;
    Answer answer;
    answer.ok = ok.get<bool>();
    const auto code = integer(body, "error_code");
    answer.code = code && *code >= 100 && *code <= 999 ? static_cast<int>(*code) : response.status;
    if (const json text = member(body, "description"); text.is_string())
        answer.description = text.get<std::string>();
    answer.message_id = integer(member(body, "result"), "message_id").value_or(0);
    const json parameters = member(body, "parameters");
    answer.migrate_to = integer(parameters, "migrate_to_chat_id");
    answer.retry_after = wait_asked(parameters, response, lower(answer.description));
    return answer;
}

/// 400 covers everything from a stray asterisk to a chat that is gone; only the words tell. Unknown words
/// mean that the text is at fault, so that one message cannot stop all those behind it.
SendResult classify_bad_request(const Answer& answer, const Asked& asked) {
    static constexpr std::array<std::string_view, 2> kWaits{"flood_wait_", "slowmode_wait_"};
    static constexpr std::array<std::string_view, 5> kText{"message text is empty", "is too long",
                                                           "encoded in utf-8", "must be non-empty",
                                                           "request entity too large"};
    static constexpr std::array<std::string_view, 3> kMarkup{"entit", "parse_mode", "can't find end"};
    static constexpr std::array<std::string_view, 2> kThread{"thread", "topic"};
    static constexpr std::array<std::string_view, 11> kChat{
        "chat", "channel", "rights",    "peer_id",    "administrator", "member",
        "user", "kicked",  "forbidden", "restricted", "bot was"};
    if (answer.migrate_to) return SendResult::kMigrated;
    const std::string words = lower(answer.description);
    if (has_any(words, kWaits)) return SendResult::kRetryAfter;
    if (has_any(words, kText)) return SendResult::kTextRefused;
    if (has_any(words, kMarkup))
        return asked.markup == Markup::kMarkdown ? SendResult::kBadEntities : SendResult::kTextRefused;
    if (has_any(words, kThread))
        return asked.has_thread ? SendResult::kThreadMissing : SendResult::kChatRefused;
    if (has_any(words, kChat)) return SendResult::kChatRefused;
    return SendResult::kTextRefused;
}

SendResult classify_refusal(const Answer& answer, const Asked& asked) {
    switch (answer.code) {
        case 400:
            return classify_bad_request(answer, asked);
        case 401:
        case 404:
            return SendResult::kTokenRefused;
        case 402:
        case 403:
            return SendResult::kChatRefused;
        case 409:
            return SendResult::kUnreachable;  // the bot is being moved or closed: nothing was sent
        case 420:
        case 429:
            return SendResult::kRetryAfter;
        default:
            break;
    }
    return answer.code >= 400 && answer.code < 500 ? SendResult::kTextRefused : SendResult::kUnknown;
}

bool says_yes(int status) {
    return status >= 200 && status < 300;
}

/// An answer that is not the Bot API's: a gateway, a proxy, a wrong api_url, or Telegram's own front end in
/// trouble.
SendOutcome classify_stranger(const net::HttpResponse& response) {
    SendOutcome outcome{SendResult::kUnknown, 0, std::nullopt, std::nullopt,
                        fmt::format("HTTP {} without an answer of the Bot API", response.status)};
    if (response.status == 429) {
        outcome.result = SendResult::kRetryAfter;
        outcome.retry_after = wait_asked(json(), response, {});
    } else if (response.status == 413) {
        outcome.result = SendResult::kTextRefused;
    } else if (response.status >= 300 && response.status < 500) {
        outcome.result = SendResult::kUnreachable;
        outcome.detail += "; is telegram.api_url right, is a proxy in the way?";
    }
    return outcome;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_token_character(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
    if (what.empty()) return;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
}

/// `<digits>:<secret>` with a long secret, or a shorter one behind the word bot, becomes `<token>`.
std::string without_tokens(std::string_view text) {
    static constexpr std::size_t kLongSecret = 16;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t colon = at;
        while (colon < text.size() && is_digit(text[colon])) ++colon;
        std::size_t end = colon < text.size() && text[colon] == ':' ? colon + 1 : colon;
        while (end > colon && end < text.size() && is_token_character(text[end])) ++end;
        const std::size_t secret = end > colon ? end - colon - 1 : 0;
        const bool named = out.ends_with("bot") && secret > 0;
        if (colon > at && (named || secret >= kLongSecret)) {
            out += "<token>";
            at = end;
        } else {
            const std::size_t next = std::max(colon, at + 1);  // digits without a secret stay together
            out += text.substr(at, next - at);
            at = next;
        }
    }
    return out;
}

}  // namespace

SendOutcome classify(const net::HttpResponse& response, const Asked& asked) {
    const std::optional<Answer> answer = read_answer(response);
    if (!answer) return classify_stranger(response);
    SendOutcome outcome{SendResult::kUnknown, 0, answer->retry_after, answer->migrate_to,
                        answer->description};
    if (answer->ok) {
        outcome.result = says_yes(response.status) ? SendResult::kSent : SendResult::kUnknown;
        outcome.message_id = outcome.result == SendResult::kSent ? answer->message_id : 0;
        outcome.detail = fmt::format("HTTP {}", response.status);
        return outcome;
    }
    outcome.result = classify_refusal(*answer, asked);
    if (outcome.detail.empty()) outcome.detail = fmt::format("error {} without a description", answer->code);
    return outcome;
}

SendOutcome classify(const Error& error) {
    SendOutcome outcome{SendResult::kUnknown, 0, std::nullopt, std::nullopt, error.detail};
    switch (error.code) {
        case ErrorCode::kUnreachable:
        case ErrorCode::kTls:
        case ErrorCode::kRefused:  // a redirect: whoever answered, it was not the Bot API
        case ErrorCode::kInvalid:
            outcome.result = SendResult::kUnreachable;
            break;
        case ErrorCode::kCancelled:
            outcome.result = SendResult::kCancelled;
            break;
        case ErrorCode::kNotFound:
        case ErrorCode::kTimeout:
        case ErrorCode::kBroken:
        case ErrorCode::kTooLarge:
        case ErrorCode::kBusy:
        case ErrorCode::kFull:
        case ErrorCode::kCorrupt:
        case ErrorCode::kReadOnly:
        case ErrorCode::kExists:
        case ErrorCode::kNewer:
        case ErrorCode::kInternal:
            break;
    }
    return outcome;
}

std::string encode_segment(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (is_token_character(c) || c == '.' || c == '~' || c == ':') {
            out.push_back(c);
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string scrub(std::string_view detail, const Secret& token, std::string_view api_url) {
    static constexpr std::size_t kLongestDetail = 200;
    std::string text = sanitize(detail.substr(0, 64 * kLongestDetail));
    replace_all(text, encode_segment(token.reveal()), "<token>");
    replace_all(text, token.reveal(), "<token>");
    replace_all(text, api_url, "<api_url>");
    return clean(without_tokens(text), kLongestDetail);
}

}  // namespace cam::notify
