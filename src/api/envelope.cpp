#include "api/envelope.h"

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

namespace cam::api {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kDeepest = 32;

/// Whether brackets outside strings ever open more than kDeepest levels. Right for JSON; for anything else it
/// does not matter, because the parser refuses that.
bool nests_too_deep(std::string_view text) {
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (in_string) {
            if (c == '\\') ++at;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kDeepest) return true;
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return false;
}

std::string text_of(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

HttpAnswer envelope(int status, const Json& result, const std::vector<std::string>& errors) {
    Json messages = Json::array();
    for (const std::string& error : errors) messages.push_back({{"message", error}});
    const Json whole = {{"result", result}, {"errors", std::move(messages)}, {"success", status < 400}};
    return {
        .status = status, .content_type = "application/json", .body = text_of(whole) + '\n', .headers = {}};
}

HttpAnswer success(const Json& result) {
    return envelope(200, result, {});
}

HttpAnswer failure(int status, std::string_view message) {
    return envelope(status, nullptr, {std::string{message}});
}

HttpAnswer failure(const Error& why) {
    const bool is_known = why.code == ErrorCode::kNotFound || why.code == ErrorCode::kExists;
    return failure(!is_known ? 500 : why.code == ErrorCode::kNotFound ? 404 : 409, why.detail);
}

HttpAnswer query_failure(const Error& why) {
    return why.code == ErrorCode::kInvalid ? failure(422, why.detail) : failure(why);
}

void ListAnswer::add(const Json& item) {
    if (!is_empty_) body_ += ',';
    is_empty_ = false;
    body_ += text_of(item);
}

HttpAnswer ListAnswer::finish() && {
    body_ += "],\"errors\":[],\"success\":true}\n";
    return {.status = 200, .content_type = "application/json", .body = std::move(body_), .headers = {}};
}

HttpAnswer ListAnswer::finish(const Json& result_info) && {
    body_ += "],\"result_info\":" + text_of(result_info) + ",\"errors\":[],\"success\":true}\n";
    return {.status = 200, .content_type = "application/json", .body = std::move(body_), .headers = {}};
}

Result<Json> parse_json(std::string_view text) {
    if (nests_too_deep(text)) {
        return Error{ErrorCode::kInvalid, fmt::format("the body nests deeper than {} levels", kDeepest)};
    }
    try {
        return Json::parse(text);
    } catch (const Json::parse_error& broken) {
        return Error{ErrorCode::kInvalid, fmt::format("the body is not JSON (byte {})", broken.byte)};
    } catch (const Json::out_of_range&) {  // 1e400
        return Error{ErrorCode::kTooLarge, "a number in the body is too large"};
    }
}

}  // namespace cam::api
