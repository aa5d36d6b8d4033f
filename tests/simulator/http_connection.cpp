#include "simulator/http_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace cam::simulator {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr std::size_t kMaxBodyBytes = 64 * 1024 * 1024;

std::optional<std::size_t> parse_size(std::string_view text, int base) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end == text.data()) return std::nullopt;
    return value;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

bool parse_request_line(std::string_view line, HttpRequest& request) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last <= first) return false;
    if (!line.substr(last + 1).starts_with("HTTP/1.")) return false;
    request.method = line.substr(0, first);
    const std::string_view target = line.substr(first + 1, last - first - 1);
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    return true;
}

std::string in_chunks(std::string_view body) {
    std::string out;
    constexpr std::size_t kChunk = 4096;
    for (std::size_t at = 0; at < body.size(); at += kChunk) {
        const std::string_view part = body.substr(at, kChunk);
        std::array<char, 16> size{};
        const auto end = std::to_chars(size.data(), size.data() + size.size(), part.size(), 16).ptr;
        out.append(size.data(), end).append("\r\n").append(part).append("\r\n");
    }
    return out + "0\r\n\r\n";
}

bool has_header(const Headers& headers, std::string_view name) {
    return std::any_of(headers.begin(), headers.end(), [&](const auto& one) { return one.first == name; });
}

}  // namespace

bool HttpConnection::fill() {
    std::array<char, 16384> bytes{};
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
}

bool HttpConnection::wait_for_bytes(std::size_t count) {
    while (buffer_.size() < count) {
        if (!fill()) return false;
    }
    return true;
}

std::optional<std::string> HttpConnection::read_line() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos) {
        if (buffer_.size() > kMaxHeaderBytes || !fill()) return std::nullopt;
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
}

std::optional<HttpRequest> HttpConnection::read_request() {
    HttpRequest request;
    const auto first = read_line();
    if (!first || !parse_request_line(*first, request)) return std::nullopt;
    for (;;) {
        const auto line = read_line();
        if (!line) return std::nullopt;
        if (line->empty()) break;
        const std::size_t colon = line->find(':');
        if (colon == std::string::npos || request.headers.size() > 100) return std::nullopt;
        request.headers.emplace_back(line->substr(0, colon),
                                     trimmed(std::string_view{*line}.substr(colon + 1)));
    }
    if (!read_body(request)) return std::nullopt;
    return request;
}

bool HttpConnection::read_body(HttpRequest& request) {
    if (request.header("Expect") == "100-continue" && !send("HTTP/1.1 100 Continue\r\n\r\n")) return false;
    if (request.header("Transfer-Encoding") == "chunked") return read_chunks(request.body);
    const std::string length = request.header("Content-Length");
    if (length.empty()) return true;
    const auto size = parse_size(length, 10);
    if (!size || *size > kMaxBodyBytes || !wait_for_bytes(*size)) return false;
    request.body = buffer_.substr(0, *size);
    buffer_.erase(0, *size);
    return true;
}

bool HttpConnection::read_chunks(std::string& body) {
    for (;;) {
        const auto line = read_line();
        const auto size = line ? parse_size(*line, 16) : std::nullopt;
        if (!size || body.size() + *size > kMaxBodyBytes || !wait_for_bytes(*size + 2)) return false;
        body.append(buffer_, 0, *size);
        buffer_.erase(0, *size + 2);
        if (*size == 0) return true;
    }
}

bool HttpConnection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool HttpConnection::send_slowly(std::string_view bytes, std::size_t bytes_per_second) {
    if (bytes_per_second == 0) return send(bytes);
    constexpr std::size_t kStepsPerSecond = 20;
    const std::size_t step = std::max<std::size_t>(1, bytes_per_second / kStepsPerSecond);
    const std::chrono::milliseconds wait{1000 * step / bytes_per_second};
    for (std::size_t at = 0; at < bytes.size(); at += step) {
        if (!send(bytes.substr(at, step)) || !pause(wait)) return false;
    }
    return true;
}

bool HttpConnection::pause(std::optional<std::chrono::milliseconds> time) {
    std::array<pollfd, 2> events{pollfd{socket_, POLLRDHUP, 0}, pollfd{stop_signal_, POLLIN, 0}};
    const auto until = std::chrono::steady_clock::now() + time.value_or(std::chrono::hours{24});
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return true;
        const int ready = ::poll(events.data(), events.size(), static_cast<int>(left.count()));
        if (ready == 0) return true;
        if (ready > 0) return false;
        if (errno != EINTR) return false;
    }
}

HttpConnection::Next HttpConnection::answer(const HttpRequest& request, const HttpResponse& response) {
    const Delivery& how = response.delivery;
    if (how.stall_forever) {
        static_cast<void>(pause(std::nullopt));
        return Next::kClose;
    }
    if (how.stall.count() > 0 && !pause(how.stall)) return Next::kClose;
    if (how.reset) return Next::kReset;
    if (how.hang_up) return Next::kClose;

    std::string body = response.body;
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head.append(reason_phrase(response.status)).append("\r\n");
    for (const auto& [name, value] : response.headers)
        head.append(name).append(": ").append(value).append("\r\n");
    if (!has_header(response.headers, "Content-Type")) {
        head.append("Content-Type: ").append(response.content_type).append("\r\n");
    }
    const bool asked_for_gzip = request.header("Accept-Encoding").find("gzip") != std::string::npos;
    if (how.may_compress && asked_for_gzip && body.size() > 200) {
        body = gzip(body);
        head.append("Content-Encoding: gzip\r\n");
    }
    if (how.chunked) {
        body = in_chunks(body);
        head.append("Transfer-Encoding: chunked\r\n");
    } else {
        head.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    }
    const bool client_closes = request.header("Connection") == "close";
    if (client_closes) head.append("Connection: close\r\n");
    head.append("\r\n");
    if (how.cut_at && *how.cut_at < body.size()) body.resize(*how.cut_at);
    if (how.bytes_per_second == 0) {
        if (!send(head + body)) return Next::kClose;
    } else if (!send(head) || !send_slowly(body, how.bytes_per_second)) {
        return Next::kClose;
    }
    return client_closes || how.close_after || how.cut_at ? Next::kClose : Next::kRead;
}

}  // namespace cam::simulator
