#include "api/gate.h"

#include <algorithm>
#include <string>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <nlohmann/json.hpp>

#include "api/envelope.h"
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

}  // namespace

Gate::Gate(const std::optional<Secret>& token) {
    if (token) token_ = digest(token->reveal());
}

Gate::Digest Gate::digest(std::string_view text) {
    Digest made;
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data());
    return made;
}

/// Digests are compared, so that neither the time nor the length of a try tells anything.
bool Gate::knows_token(const HttpRequest& request) const {
    constexpr std::string_view kScheme = "bearer ";
    const std::string given = request.authorization.value_or("");
    if (lower(std::string_view{given}.substr(0, kScheme.size())) != kScheme) return false;
    const Digest tried = digest(std::string_view{given}.substr(kScheme.size()));
    return ::CRYPTO_memcmp(tried.data(), token_->data(), tried.size()) == 0;
}

std::optional<HttpAnswer> Gate::refuse(const HttpRequest& request, Access access) const {
    if (token_) {
        if (access == Access::kOpen || knows_token(request)) return std::nullopt;
        HttpAnswer answer = failure(401, "the API's token is needed: Authorization: Bearer …");
        answer.headers.emplace_back("WWW-Authenticate", "Bearer");
        return answer;
    }
    const std::string host = request.host.value_or("");
    if (!is_local(host))
        return failure(403, "without a token only local names are served; see api.token_file");
    if (writes(request) && request.origin && !is_own_page(*request.origin, host)) {
        return failure(403, "a page of another origin may not write");
    }
    return std::nullopt;
}

}  // namespace cam::api
