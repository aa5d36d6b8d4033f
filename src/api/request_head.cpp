#include "api/request_head.h"

#include <algorithm>
#include <charconv>

#include "api/envelope.h"

#include <nlohmann/json.hpp>

namespace cam::api {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

bool is_token(std::string_view text) {
    static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

bool has_control_byte(std::string_view line) {
    return std::any_of(line.begin(), line.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7f;
    });
}

}  // namespace

std::optional<std::string> clean_head(std::string_view head) {
    std::string cleaned;
    cleaned.reserve(head.size());
    for (bool first = true; !head.empty(); first = false) {
        const std::size_t end = head.find(kLineEnd);
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + kLineEnd.size());
        if (has_control_byte(line)) return std::nullopt;
        if (line.empty() && !head.empty()) return std::nullopt;
        if (!first && !line.empty()) {
            const std::size_t colon = line.find(':');
            if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return std::nullopt;
            if (lower(line.substr(0, colon)) == "range") continue;
        }
        cleaned.append(line).append(kLineEnd);
    }
    return cleaned;
}

Result<BodyFrame, HttpAnswer> body_frame(const std::vector<std::string>& content_lengths,
                                         const std::vector<std::string>& transfer_encodings) {
    if (!transfer_encodings.empty()) {
        if (!content_lengths.empty()) {
            return failure(400, "Content-Length and Transfer-Encoding exclude each other");
        }
        if (transfer_encodings.size() != 1 || lower(transfer_encodings.front()) != "chunked") {
            return failure(501, "the only Transfer-Encoding that is understood is chunked");
        }
        return BodyFrame{.length = 0, .is_chunked = true};
    }
    if (content_lengths.empty()) return BodyFrame{};
    const std::string& text = content_lengths.front();
    BodyFrame frame;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), frame.length);
    if (fault == std::errc::result_out_of_range) return failure(413, "the body is too large");
    if (content_lengths.size() != 1 || fault != std::errc{} || end != text.data() + text.size()) {
        return failure(400, "Content-Length is not one number");
    }
    return frame;
}

std::string lower(std::string_view text) {
    std::string lowered{text};
    for (char& c : lowered) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
}

}  // namespace cam::api
