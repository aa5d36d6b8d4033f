#include "api/http_connection.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/body_reader.h"
#include "api/envelope.h"
#include "api/request_head.h"

namespace cam::api {
namespace {

std::vector<std::string> values(const httplib::Request& request, const std::string& name) {
    std::vector<std::string> found;
    const auto [begin, end] = request.headers.equal_range(name);
    for (auto header = begin; header != end; ++header) found.push_back(header->second);
    return found;
}

std::optional<std::string> value(const httplib::Request& request, const std::string& name) {
    const auto header = request.headers.find(name);
    if (header == request.headers.end()) return std::nullopt;
    return header->second;
}

HttpRequest translated(const httplib::Request& request, std::string peer) {
    return {.method = request.method,
            .path = request.path.empty() ? "/" : request.path,
            .query = request.params,
            .host = value(request, "Host"),
            .origin = value(request, "Origin"),
            .authorization = value(request, "Authorization"),
            .body = {},
            .accept = value(request, "Accept"),
            .accept_encoding = value(request, "Accept-Encoding"),
            .cookie = value(request, "Cookie"),
            .csrf_token = value(request, "X-CSRF-Token"),
            .if_none_match = value(request, "If-None-Match"),
            .last_event_id = value(request, "Last-Event-ID"),
            .peer = std::move(peer)};
}

/// The client's address in text; empty if it has gone.
std::string peer_of(const UniqueFd& client) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (::getpeername(client.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
        return {};
    }
    return text.data();
}

/// HTTP/1.0 closes unless asked not to, HTTP/1.1 the other way round. httplib knows only some spellings.
bool wants_close(const httplib::Request& request) {
    const std::string connection = lower(value(request, "Connection").value_or(""));
    if (request.version == "HTTP/1.0") return connection != "keep-alive";
    return connection.find("close") != std::string::npos;
}

std::string_view reason(int status) {
    switch (status) {
        case 408:
            return "Request Timeout";
        case 431:
            return "Request Header Fields Too Large";
        default:
            return "Bad Request";
    }
}

}  // namespace

HttpConnection::HttpConnection(UniqueFd client, const Site& site)
    : client_(std::move(client)), site_(site), stream_(client_.get(), site.around) {
    set_keep_alive_max_count(site_.limits.requests_per_connection);
    set_keep_alive_timeout(std::chrono::duration_cast<std::chrono::seconds>(site_.limits.idle).count());
    set_pre_routing_handler([this](const httplib::Request&, httplib::Response& response) {
        hand_over(response);
        return HandlerResponse::Handled;
    });
    set_error_handler(HandlerWithResponse{[this](const httplib::Request&, httplib::Response& response) {
        if (understood_) return HandlerResponse::Unhandled;
        closing_ = true;
        const bool is_long = response.status == 414;
        answer_ = failure(response.status, is_long ? "the address is too long" : "the request is malformed");
        hand_over(response);
        return HandlerResponse::Handled;
    }});
    set_post_routing_handler(
        [this](const httplib::Request&, httplib::Response& response) { polish(response); });
}

SocketStream::Patience HttpConnection::patience(std::chrono::milliseconds calm) const {
    return {.calm = calm, .crowded = std::min(calm, site_.limits.crowded)};
}

void HttpConnection::serve() {
    Next next = Next::kRead;
    for (std::size_t served = 1; next == Next::kRead; ++served) {
        // A connection that has just come may use its first patience; one that was served gives way.
        auto idle = patience(site_.limits.idle);
        if (served > 1) idle.crowded = std::chrono::milliseconds{0};
        switch (stream_.read_head(site_.limits.head_bytes, idle, patience(site_.limits.head))) {
            case SocketStream::Head::kGone:
                return;
            case SocketStream::Head::kLate:
                site_.metrics.dropped_slow.add();
                next = refuse_unparsed(failure(408, "the request did not arrive in time"));
                break;
            case SocketStream::Head::kTooLarge:
                next = refuse_unparsed(failure(431, "the headers are too large"));
                break;
            case SocketStream::Head::kWhole:
                next = serve_one(served >= site_.limits.requests_per_connection);
                break;
        }
    }
    if (next == Next::kDrainAndClose) {
        stream_.drain(site_.limits.drained_bytes, {site_.limits.drain, site_.limits.drain});
    }
}

/// httplib 0.18 also wants both ends' addresses, which nothing here asks it for.
template <typename Parser>
bool HttpConnection::process(Parser& parser, bool& client_closes) {
    const std::function<void(httplib::Request&)> receive = [this](httplib::Request& parsed) {
        this->receive(parsed);
    };
    if constexpr (requires {
                      parser.process_request(stream_, "", 0, "", 0, closing_, client_closes, receive);
                  }) {
        return parser.process_request(stream_, "", 0, "", 0, closing_, client_closes, receive);
    } else {
        return parser.process_request(stream_, closing_, client_closes, receive);
    }
}

HttpConnection::Next HttpConnection::serve_one(bool is_last) {
    const std::optional<std::string> head = clean_head(stream_.head());
    if (!head) return refuse_unparsed(failure(400, "the request is malformed"));
    stream_.replace_head(*head);
    answer_.reset();
    understood_ = false;
    unread_ = false;
    closing_ = is_last || site_.around.waiting.load() > 0;
    bool client_closes = false;
    const bool written = process(*this, client_closes);
    if (answer_) count(answer_->status);
    if (answer_ && answer_->take_over && written && !is_head_) {
        answer_->take_over(std::move(client_));
        return Next::kClose;
    }
    if (unread_ || !understood_) return Next::kDrainAndClose;
    return closing_ || client_closes || !written ? Next::kClose : Next::kRead;
}

/// Called by httplib between the headers and its routing: reads the body and finds the answer.
void HttpConnection::receive(httplib::Request& parsed) {
    understood_ = true;
    parsed.ranges.clear();
    closing_ = closing_ || wants_close(parsed);
    HttpRequest request = translated(parsed, peer_of(client_));
    const bool asks_first = lower(value(parsed, "Expect").value_or("")) == "100-continue";
    parsed.headers.erase("Expect");           // answered here, not by httplib
    parsed.headers.erase("Accept-Encoding");  // httplib would spend a second on brotli for a thousand events
    const auto frame = body_frame(values(parsed, "Content-Length"), values(parsed, "Transfer-Encoding"));
    const std::size_t hosts = values(parsed, "Host").size();
    if (!frame) {
        answer_ = frame.error();
    } else if (hosts > 1 || (hosts == 0 && parsed.version == "HTTP/1.1")) {
        answer_ = failure(400, "a request has exactly one Host header");
    } else if (auto refused = site_.service.refuse(request)) {
        answer_ = std::move(refused);
    } else if (frame->length > site_.limits.body_bytes) {
        answer_ = too_large(site_.limits.body_bytes);
    } else if (parsed.headers.find("Content-Encoding") != parsed.headers.end()) {
        answer_ = failure(415, "compressed bodies are not understood");
    }
    if (answer_) {
        unread_ = !frame || frame->exists() || hosts != 1;
    } else if (frame->exists()) {
        stream_.begin(patience(site_.limits.body));
        if (asks_first) stream_.write("HTTP/1.1 100 Continue\r\n\r\n");
        auto body = read_body(stream_, frame.value(), site_.limits.body_bytes);
        if (body) {
            request.body = std::move(body).value();
        } else {
            if (body.error().status == 408) site_.metrics.dropped_slow.add();
            answer_ = body.error();
            unread_ = true;
        }
    }
    if (!answer_) answer_ = site_.service.answer(request);
    closing_ = closing_ || unread_ || answer_->take_over;
    is_head_ = request.method == "HEAD";
    site_.log->debug("api request method={} path={} status={}", request.method, quote(request.path),
                     answer_->status);
    stream_.begin(patience(site_.limits.answer));
}

void HttpConnection::hand_over(httplib::Response& response) {
    response.status = answer_->status;
    if (answer_->take_over) {
        // A head without a length: what follows lasts until either side closes.
        response.set_content_provider(answer_->content_type, [](std::size_t, httplib::DataSink& sink) {
            sink.done();
            return true;
        });
    } else {
        response.set_content(answer_->body, answer_->content_type);
    }
    for (const auto& [name, text] : answer_->headers) response.set_header(name, text);
}

/// The last word on the headers, after httplib has added its own.
void HttpConnection::polish(httplib::Response& response) const {
    response.headers.erase("Accept-Ranges");
    if (response.status == 304) response.headers.erase("Content-Length");  // of what the client has
    if (!response.has_header("Cache-Control")) response.set_header("Cache-Control", "no-store");
    if (!response.has_header("Content-Security-Policy")) {
        response.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    }
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_header("Cross-Origin-Opener-Policy", "same-origin");
    response.set_header("Cross-Origin-Resource-Policy", "same-origin");
    if (!closing_) return;
    response.headers.erase("Keep-Alive");
    response.headers.erase("Connection");
    response.set_header("Connection", "close");
}

HttpConnection::Next HttpConnection::refuse_unparsed(const HttpAnswer& answer) {
    count(answer.status);
    stream_.begin(patience(site_.limits.answer));
    std::string text = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{}",
        answer.status, reason(answer.status), answer.content_type, answer.body.size(), answer.body);
    for (std::size_t sent = 0; sent < text.size();) {
        const ssize_t more = stream_.write(text.data() + sent, text.size() - sent);
        if (more <= 0) return Next::kClose;
        sent += static_cast<std::size_t>(more);
    }
    return Next::kDrainAndClose;
}

void HttpConnection::count(int status) {
    HttpMetrics& metrics = site_.metrics;
    (status < 400   ? metrics.requests_ok
     : status < 500 ? metrics.requests_refused
                    : metrics.requests_failed)
        .add();
}

}  // namespace cam::api
