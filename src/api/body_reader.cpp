#include "api/body_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"

namespace cam::api {
namespace {

constexpr std::size_t kLongestLine = 1024;
constexpr int kMostTrailers = 32;

HttpAnswer cut_off() {
    return failure(408, "the body did not arrive in time");
}
HttpAnswer bad_chunk() {
    return failure(400, "the chunked body is malformed");
}

bool append(httplib::Stream& stream, std::size_t count, std::string& body) {
    std::array<char, 4096> piece;
    while (count > 0) {
        const ssize_t got = stream.read(piece.data(), std::min(count, piece.size()));
        if (got <= 0) return false;
        body.append(piece.data(), static_cast<std::size_t>(got));
        count -= static_cast<std::size_t>(got);
    }
    return true;
}

/// A line without its CRLF.
Result<std::string, HttpAnswer> read_line(httplib::Stream& stream) {
    std::string line;
    while (!line.ends_with("\r\n")) {
        if (line.size() > kLongestLine) return bad_chunk();
        if (!append(stream, 1, line)) return cut_off();
    }
    line.resize(line.size() - 2);
    return line;
}

/// `1a;name=value`: the size, extensions ignored.
std::optional<std::size_t> chunk_size(std::string_view line) {
    std::size_t size = 0;
    const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (fault == std::errc::result_out_of_range) return std::numeric_limits<std::size_t>::max();
    if (fault != std::errc{}) return std::nullopt;
    const std::string_view rest = line.substr(static_cast<std::size_t>(end - line.data()));
    if (!rest.empty() && rest.front() != ';' && rest.front() != ' ') return std::nullopt;
    return size;
}

Result<std::string, HttpAnswer> read_chunks(httplib::Stream& stream, std::size_t most) {
    std::string body;
    for (;;) {
        const auto line = read_line(stream);
        if (!line) return line.error();
        const std::optional<std::size_t> size = chunk_size(line.value());
        if (!size) return bad_chunk();
        if (*size == 0) break;
        if (*size > most - body.size()) return too_large(most);
        if (!append(stream, *size, body)) return cut_off();
        const auto end = read_line(stream);
        if (!end) return end.error();
        if (!end.value().empty()) return bad_chunk();
    }
    for (int trailers = 0; trailers < kMostTrailers; ++trailers) {
        const auto line = read_line(stream);
        if (!line) return line.error();
        if (line.value().empty()) return body;
    }
    return bad_chunk();
}

}  // namespace

Result<std::string, HttpAnswer> read_body(httplib::Stream& stream, const BodyFrame& frame, std::size_t most) {
    if (frame.is_chunked) return read_chunks(stream, most);
    if (frame.length > most) return too_large(most);
    std::string body;
    if (!append(stream, frame.length, body)) return cut_off();
    return body;
}

HttpAnswer too_large(std::size_t most) {
    return failure(413, fmt::format("the body is larger than {} bytes", most));
}

}  // namespace cam::api
