#include "simulator/telegram.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "simulator/markdown.h"

namespace cam::simulator {

using nlohmann::json;
using std::chrono::seconds;

namespace {

constexpr std::size_t kMaxRawBytes = 32768;
constexpr std::size_t kMaxCharacters = 4096;

std::optional<std::int64_t> whole_number(const json& value) {
    if (value.is_number_integer()) return value.get<std::int64_t>();
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<json> parameters_of(const HttpRequest& request) {
    json parameters = json::object();
    for (auto& [name, value] : parse_form(request.query)) parameters[name] = value;
    if (request.body.empty()) return parameters;
    if (request.header("Content-Type").starts_with("application/json")) {
        const json body = json::parse(request.body, nullptr, false);
        if (!body.is_object()) return std::nullopt;
        parameters.update(body);
    } else {
        for (auto& [name, value] : parse_form(request.body)) parameters[name] = value;
    }
    return parameters;
}

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::string trimmed(const std::string& text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kBlank);
    if (begin == std::string::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// The token's form is `<digits>:<characters>`.
bool looks_like_token(std::string_view token) {
    const std::size_t colon = token.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == token.size()) return false;
    return token.substr(0, colon).find_first_not_of("0123456789") == std::string_view::npos;
}

json chat_json(const TelegramChat& chat) {
    json out{{"id", chat.id}, {"type", chat.type}, {"title", "Simulated chat"}};
    if (!chat.username.empty()) out["username"] = chat.username;
    if (!chat.threads.empty()) out["is_forum"] = true;
    return out;
}

}  // namespace

struct Telegram::Reply {
    int code = 200;
    std::string description{};
    json body = json::object();  ///< the result, or the parameters of an error
};

HttpResponse Telegram::answer(const HttpRequest& request, const std::string& path, Moment now, Steady tick,
                              RequestRecord& record) {
    const std::size_t slash = path.find('/', 1);
    const std::string token = path.substr(4, slash == std::string::npos ? slash : slash - 4);
    const std::string method = slash == std::string::npos ? std::string{} : lower(path.substr(slash + 1));
    const auto parameters = parameters_of(request);
    if (parameters) record.variables = *parameters;
    Reply reply;
    if (!looks_like_token(token)) {
        reply = {404, "Not Found"};
    } else if (token != settings.bot_token) {
        reply = {401, "Unauthorized"};
    } else if (!is_utf8(request.body)) {
        reply = {400, "Bad Request: strings must be encoded in UTF-8"};
    } else if (!parameters) {
        reply = {400, "Bad Request: can't parse parameters JSON object"};
    } else if (method == "sendmessage") {
        reply = send_message(*parameters, now, tick, record);
    } else if (method == "getme") {
        reply.body = {{"id", *whole_number(token.substr(0, token.find(':')))},
                      {"is_bot", true},
                      {"first_name", "Simulated"},
                      {"username", settings.bot_username}};
    } else if (method == "getchat") {
        reply = get_chat(*parameters);
    } else {
        reply = {404, "Not Found"};
    }

    json body{{"ok", reply.code == 200}};
    HttpResponse response{.status = reply.code};
    if (reply.code == 200) {
        body["result"] = reply.body;
    } else {
        body["error_code"] = reply.code;
        body["description"] = record.error = reply.description;
        if (!reply.body.empty()) body["parameters"] = reply.body;
        if (reply.body.contains("retry_after")) {
            response.headers.emplace_back("Retry-After", reply.body.at("retry_after").dump());
        }
    }
    response.body = body.dump();
    return response;
}

Telegram::Reply Telegram::send_message(const json& parameters, Moment now, Steady tick,
                                       RequestRecord& record) {
    const json given = parameters.value("text", json(""));
    DeliveredMessage message{.text = given.is_string() ? given.get<std::string>() : std::string{},
                             .received_at = now,
                             .connection = record.connection,
                             .parameters = parameters};
    if (message.text.size() > kMaxRawBytes) return {400, "Bad Request: text is too long"};
    if (!is_utf8(message.text)) return {400, "Bad Request: strings must be encoded in UTF-8"};
    const json mode = parameters.value("parse_mode", json(""));
    message.parse_mode = mode.is_string() ? mode.get<std::string>() : std::string{};
    message.plain = message.text;
    if (lower(message.parse_mode) == "markdown") {
        RenderedText rendered = render_markdown(message.text);
        if (rendered.unclosed_at) {
            return {
                400,
                "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset " +
                    std::to_string(*rendered.unclosed_at)};
        }
        message.plain = std::move(rendered.plain);
    } else if (!message.parse_mode.empty() && lower(message.parse_mode) != "none") {
        return {400,
                "Bad Request: unsupported parse_mode (the simulator plays only Markdown and plain text)"};
    }
    message.plain = trimmed(message.plain);
    if (message.plain.empty()) return {400, "Bad Request: message text is empty"};

    const TelegramChat* chat = find_chat(parameters.value("chat_id", json(nullptr)));
    if (chat == nullptr) return {400, "Bad Request: chat not found"};
    if (chat->state == TelegramChat::State::kKicked) {
        return {403, "Forbidden: bot was kicked from the " + chat->type +
                         (chat->type == "private" ? "" : " chat")};
    }
    if (chat->state == TelegramChat::State::kUpgraded) {
        return {400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                {{"migrate_to_chat_id", chat->migrated_to}}};
    }
    if (code_points(message.plain) > kMaxCharacters) return {400, "Bad Request: message is too long"};
    const json thread = parameters.value("message_thread_id", json(nullptr));
    if (!thread.is_null() && thread != "" && thread != 0) {
        message.thread_id = whole_number(thread);
        const auto& threads = chat->threads;
        if (!message.thread_id ||
            std::find(threads.begin(), threads.end(), *message.thread_id) == threads.end()) {
            return {400, "Bad Request: message thread not found"};
        }
    }
    if (const auto wait = flood_wait(*chat, tick)) {
        ++rate_limited_;
        return {429,
                "Too Many Requests: retry after " + std::to_string(wait->count()),
                {{"retry_after", wait->count()}}};
    }
    message.chat_id = chat->id;
    message.message_id = next_id_++;
    json result{{"message_id", message.message_id},
                {"chat", chat_json(*chat)},
                {"date", std::chrono::floor<seconds>(now).time_since_epoch().count()},
                {"text", message.plain}};
    if (message.thread_id) result["message_thread_id"] = *message.thread_id;
    messages_.push_back(std::move(message));
    return {200, {}, std::move(result)};
}

Telegram::Reply Telegram::get_chat(const json& parameters) {
    const TelegramChat* chat = find_chat(parameters.value("chat_id", json(nullptr)));
    if (chat == nullptr || chat->state == TelegramChat::State::kUpgraded)
        return {400, "Bad Request: chat not found"};
    if (chat->state == TelegramChat::State::kKicked) {
        return {403, "Forbidden: bot was kicked from the " + chat->type + " chat"};
    }
    return {200, {}, chat_json(*chat)};
}

const TelegramChat* Telegram::find_chat(const json& id) const {
    const auto number = whole_number(id);
    for (const TelegramChat& chat : settings.chats) {
        if (number && chat.id == *number) return &chat;
        if (!chat.username.empty() && id == "@" + chat.username) return &chat;
    }
    return nullptr;
}

std::optional<seconds> Telegram::flood_wait(const TelegramChat& chat, Steady tick) {
    const auto whole = [](auto time) { return std::max(seconds{1}, std::chrono::ceil<seconds>(time)); };
    Flood& flood = floods_[chat.id];
    if (flood.not_before && tick < *flood.not_before) {
        ++violations_;
        return whole(*flood.not_before - tick);
    }
    flood.not_before.reset();
    if (!settings.rates.enabled) return std::nullopt;

    const TelegramRates& rates = settings.rates;
    if (!flood.started) {
        flood.started = true;
        flood.tokens = rates.burst;
        flood.refilled = tick;
    }
    const double gained = std::chrono::duration<double>(tick - flood.refilled) /
                          std::chrono::duration<double>(rates.per_message);
    flood.tokens = std::min<double>(rates.burst, flood.tokens + gained);
    flood.refilled = tick;
    while (!flood.recent.empty() && tick - flood.recent.front() >= rates.group_window)
        flood.recent.pop_front();

    const bool is_group = chat.type == "group" || chat.type == "supergroup";
    std::optional<std::chrono::steady_clock::duration> wait;
    if (flood.tokens < 1) wait = rates.per_message;
    if (is_group && flood.recent.size() >= static_cast<std::size_t>(rates.per_group_window)) {
        wait = rates.group_window - (tick - flood.recent.front());
    }
    if (wait) {
        // What is told is what is kept: a client that waits as told never meets a second refusal.
        flood.not_before = tick + whole(*wait);
        return whole(*wait);
    }
    flood.tokens -= 1;
    flood.recent.push_back(tick);
    return std::nullopt;
}

void Telegram::hold(const HttpRequest& request, seconds time, Steady tick) {
    const auto parameters = parameters_of(request);
    const TelegramChat* chat = parameters ? find_chat(parameters->value("chat_id", json(nullptr))) : nullptr;
    if (chat != nullptr) floods_[chat->id].not_before = tick + time;
}

std::string Telegram::without_token(const std::string& path) {
    const std::size_t slash = path.find('/', 1);
    return "/bot<token>" + (slash == std::string::npos ? std::string{} : path.substr(slash));
}

void Telegram::clear() {
    messages_.clear();
    floods_.clear();
    violations_ = rate_limited_ = 0;
}

}  // namespace cam::simulator
