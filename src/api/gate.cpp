#include "api/gate.h"

#include <algorithm>
#include <string>

#include <spdlog/fmt/fmt.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
#include "api/header_list.h"
#include "api/request_head.h"
#include "cam/model/ip_address.h"

namespace cam::api {
namespace {

/// The host of `host`, `host:port` or `[v6]:port`, lower-case; empty if the text is none of them.
std::string host_of(std::string_view text) {
    const std::size_t close = text.find(']');
    const bool has_brackets = text.starts_with('[') && close != std::string_view::npos;
    const std::size_t end = has_brackets ? close + 1 : std::min(text.find(':'), text.size());
    const std::string_view port = text.substr(end);
    const bool port_ok = port.empty() || (port.front() == ':' && port.size() <= 6 &&
                                          port.find_first_not_of("0123456789", 1) == std::string_view::npos);
    if (!port_ok) return {};
    return lower(has_brackets ? text.substr(1, close - 1) : text.substr(0, end));
}

/// A name can be made to point here by anybody, an address cannot; `localhost` never leaves the machine.
bool is_local(std::string_view host_header) {
    const std::string host = host_of(host_header);
    if (host == "localhost") return true;
    const std::optional<IpAddress> address = IpAddress::parse(host);
    if (!address) return false;
    return address->family() == IpAddress::Family::kV4 ? address->bytes()[0] == 127
                                                       : address->text() == "::1";
}

bool writes(const HttpRequest& request) {
    return request.method != "GET" && request.method != "HEAD";
}

bool is_own_page(std::string_view origin, std::string_view host) {
    const std::size_t scheme = origin.find("://");
    return scheme != std::string_view::npos && lower(origin.substr(scheme + 3)) == lower(host);
}

HttpAnswer token_needed() {
    HttpAnswer answer = failure(401, "the API's token is needed: Authorization: Bearer …");
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
    return answer;
}

}  // namespace

bool is_foreign(const HttpRequest& request) {
    return request.origin && !is_own_page(*request.origin, request.host.value_or(""));
}

Gate::Gate(const std::optional<Secret>& token, const Clock& clock)
    : sessions_(SessionTable::Limits{}, clock), logins_(LoginLimiter::Limits{}, clock) {
    if (token) token_ = digest(token->reveal());
}

/// Digests are compared, so that neither the time nor the length of a try tells anything.
bool Gate::knows_token(const HttpRequest& request) const {
    constexpr std::string_view kScheme = "bearer ";
    const std::string given = request.authorization.value_or("");
    if (lower(std::string_view{given}.substr(0, kScheme.size())) != kScheme) return false;
    return same(digest(std::string_view{given}.substr(kScheme.size())), *token_);
}

std::optional<std::string> Gate::session(const HttpRequest& request) const {
    const std::string header = request.cookie.value_or("");
    const auto id = cookie(header, kCookie);
    if (!id || !sessions_.knows(*id)) return std::nullopt;
    return std::string{*id};
}

bool Gate::still_open(const std::optional<std::string>& session) const {
    return !session || sessions_.knows(*session);
}

std::optional<HttpAnswer> Gate::refuse_session(const HttpRequest& request) {
    const auto id = session(request);
    if (!id || !sessions_.use(*id)) return token_needed();
    if (!writes(request)) return std::nullopt;
    if (is_foreign(request)) return failure(403, "a page of another origin may not write");
    const std::string given = request.csrf_token.value_or("");
    if (same(digest(given), digest(csrf_token(*id)))) return std::nullopt;
    return failure(403, "a write by cookie needs the header X-CSRF-Token; GET /session tells it");
}

std::optional<HttpAnswer> Gate::refuse(const HttpRequest& request, Access access) {
    if (token_) {
        if (access == Access::kOpen) {
            if (!writes(request) || !is_foreign(request)) return std::nullopt;
            return failure(403, "a page of another origin may not write");
        }
        // A program that sends a token means it: a cookie does not make up for a wrong one.
        if (knows_token(request)) return std::nullopt;
        return request.authorization ? token_needed() : refuse_session(request);
    }
    if (!is_local(request.host.value_or("")))
        return failure(403, "without a token only local names are served; see api.token_file");
    if (writes(request) && is_foreign(request)) {
        return failure(403, "a page of another origin may not write");
    }
    return std::nullopt;
}

Result<std::string, HttpAnswer> Gate::log_in(std::string_view token, std::string_view peer) {
    if (const auto wait = logins_.take(peer)) {
        HttpAnswer answer = failure(
            429, fmt::format("too many tries to log in; the next one is allowed in {} s", wait->count()));
        answer.headers.emplace_back("Retry-After", fmt::format("{}", wait->count()));
        return answer;
    }
    if (!token_ || !same(digest(token), *token_)) return failure(401, "this is not the API's token");
    logins_.succeeded(peer);
    if (auto id = sessions_.open()) return std::move(*id);
    return failure(500, "no random numbers");
}

}  // namespace cam::api
