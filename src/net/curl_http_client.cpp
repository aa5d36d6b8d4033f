#include <curl/curl.h>

#include <algorithm>
#include <limits>
#include <system_error>

#include <spdlog/fmt/fmt.h>

#include "cam/net/http_client.h"

namespace cam::net {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxHeaderBytes = 64U * 1024;
/// A little over the five minutes between two polls, so that the next poll finds its connection still open.
/// The keepalive probes keep it alive in the tables of the firewalls on the way, and find out when it is not.
constexpr long kIdleConnectionSeconds = 330;
constexpr long kConnectionLifeSeconds = 3600;
constexpr long kKeepaliveSeconds = 60;
constexpr long kConnectionsKept = 4;
/// RFC 8305 section 5 recommends 250 ms between two attempts.
constexpr long kHappyEyeballsMs = 250;

struct SlistFree {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Slist = std::unique_ptr<curl_slist, SlistFree>;

struct EasyCleanup {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

/// What libcurl's callbacks fill while one exchange runs.
struct Exchange {
    const HttpRequest& request;
    HttpResponse response;
    std::size_t header_bytes = 0;
    bool too_large = false;
};

std::string lower_case(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Returning another size than it was given makes libcurl end the transfer.
std::size_t take_header(char* data, std::size_t unit, std::size_t count, void* user) {
    Exchange& exchange = *static_cast<Exchange*>(user);
    const std::size_t size = unit * count;
    const std::string_view line{data, size};
    if (line.starts_with("HTTP/")) {  // a new answer: 100 Continue, then the real one
        exchange.response.headers.clear();
        return size;
    }
    exchange.header_bytes += size;
    if (exchange.header_bytes > kMaxHeaderBytes) {
        exchange.too_large = true;
        return 0;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return size;
    exchange.response.headers.emplace_back(lower_case(trimmed(line.substr(0, colon))),
                                           std::string{trimmed(line.substr(colon + 1))});
    return size;
}

std::size_t take_body(char* data, std::size_t unit, std::size_t count, void* user) {
    Exchange& exchange = *static_cast<Exchange*>(user);
    const std::size_t size = unit * count;
    std::string& body = exchange.response.body;
    if (size > exchange.request.max_response_bytes - body.size()) {
        exchange.too_large = true;
        return 0;
    }
    body.append(data, size);
    return size;
}

/// Called at least once a second; other than zero ends the transfer.
int look_at_stop(void* user, curl_off_t /*to_receive*/, curl_off_t /*received*/, curl_off_t /*to_send*/,
                 curl_off_t /*sent*/) {
    return static_cast<const Exchange*>(user)->request.stop.stop_requested() ? 1 : 0;
}

/// True if the name was found, the connection stands and TLS is agreed: the server may have seen the request.
bool was_connected(CURL* easy) {
    curl_off_t microseconds = 0;
    return curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds) == CURLE_OK &&
           microseconds > 0;
}

std::string system_reason(CURL* easy) {
    long number = 0;
    if (curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number) != CURLE_OK || number == 0)
        return "no connection";
    return std::generic_category().message(static_cast<int>(number));
}

Error timeout(CURL* easy, const HttpRequest& request) {
    if (was_connected(easy)) {
        return {ErrorCode::kTimeout, fmt::format("no complete answer within {} ms", request.total.count())};
    }
    return {ErrorCode::kUnreachable,
            fmt::format("no connection within {} ms", std::min(request.connect, request.total).count())};
}

/// libcurl's own texts may hold the host or parts of the URL, so every class has a phrase of ours.
Error explain(CURLcode code, CURL* easy, const Exchange& exchange) {
    if (exchange.too_large) {
        return {ErrorCode::kTooLarge, fmt::format("answer is larger than {} bytes or has too many headers",
                                                  exchange.request.max_response_bytes)};
    }
    // NOLINTNEXTLINE(clang-diagnostic-switch-enum): libcurl adds codes with every version
    switch (code) {
        case CURLE_ABORTED_BY_CALLBACK:
            return {ErrorCode::kCancelled, "asked to stop"};
        case CURLE_OPERATION_TIMEDOUT:
            return timeout(easy, exchange.request);
        case CURLE_FILESIZE_EXCEEDED:
            return {ErrorCode::kTooLarge,
                    fmt::format("answer is larger than {} bytes", exchange.request.max_response_bytes)};
        case CURLE_COULDNT_RESOLVE_HOST:
            return {ErrorCode::kUnreachable, "host name not found"};
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {ErrorCode::kUnreachable, "proxy name not found"};
        case CURLE_PROXY:
            return {ErrorCode::kUnreachable, "proxy refused the connection"};
        case CURLE_COULDNT_CONNECT:
            return {ErrorCode::kUnreachable, system_reason(easy)};
        case CURLE_INTERFACE_FAILED:
            return {ErrorCode::kUnreachable, "no usable local address"};
        case CURLE_PEER_FAILED_VERIFICATION:
            return {ErrorCode::kTls, "certificate is not trusted, expired or for another name"};
        case CURLE_SSL_CONNECT_ERROR:
            return {ErrorCode::kTls, "TLS handshake failed"};
        case CURLE_SSL_CACERT_BADFILE:
            return {ErrorCode::kTls, "CA certificates cannot be read"};
        case CURLE_SSL_INVALIDCERTSTATUS:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_CRL_BADFILE:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CERTPROBLEM:
            return {ErrorCode::kTls, "TLS was refused"};
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
            if (!was_connected(easy))
                return {ErrorCode::kUnreachable, "proxy or TLS peer gave no connection"};
            return {ErrorCode::kBroken, "connection broke off"};
        case CURLE_GOT_NOTHING:
            return {ErrorCode::kBroken, "connection was closed without an answer"};
        case CURLE_PARTIAL_FILE:
            return {ErrorCode::kBroken, "answer broke off in the middle"};
        case CURLE_BAD_CONTENT_ENCODING:
            return {ErrorCode::kBroken, "answer cannot be decompressed"};
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_WRITE_ERROR:
            return {ErrorCode::kBroken, "answer is not HTTP"};
        case CURLE_UNSUPPORTED_PROTOCOL:  // also what libcurl calls an answer without a status line
            if (was_connected(easy)) return {ErrorCode::kBroken, "answer is not HTTP"};
            return {ErrorCode::kInvalid, "URL is neither http nor https"};
        case CURLE_URL_MALFORMAT:
            return {ErrorCode::kInvalid, "URL cannot be read"};
        case CURLE_OUT_OF_MEMORY:
            return {ErrorCode::kInternal, "libcurl is out of memory"};
        default:
            return {ErrorCode::kInternal, fmt::format("libcurl error {}", static_cast<int>(code))};
    }
}

/// A header as one line; nullopt if it would become several, or none.
std::optional<std::string> header_line(const std::pair<std::string, std::string>& header) {
    const auto& [name, value] = header;
    constexpr std::string_view kLineEnds{"\r\n\0", 3};
    if (name.empty() || name.find_first_of(kLineEnds) != std::string::npos ||
        name.find(':') != std::string::npos || value.find_first_of(kLineEnds) != std::string::npos) {
        return std::nullopt;
    }
    if (value.empty()) return name + ";";  // libcurl's way to say that an empty value is meant
    return name + ": " + value;
}

bool append(Slist& list, const std::string& line) {
    curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) return false;
    static_cast<void>(list.release());
    list.reset(longer);
    return true;
}

Result<Slist> header_list(const HttpRequest& request) {
    Slist list;
    if (!append(list, "Expect:")) return Error{ErrorCode::kInternal, "libcurl is out of memory"};
    for (const auto& header : request.headers) {
        const std::optional<std::string> line = header_line(header);
        if (!line) return Error{ErrorCode::kInvalid, "a request header holds a line break"};
        if (!append(list, *line)) return Error{ErrorCode::kInternal, "libcurl is out of memory"};
    }
    return list;
}

/// Collects the first failure of a row of options.
class OptionSetter {
public:
    explicit OptionSetter(CURL* easy) : easy_(easy) {}
    template <typename Value>
    void set(CURLoption option, Value value) {
        if (code_ == CURLE_OK) code_ = curl_easy_setopt(easy_, option, value);
    }
    [[nodiscard]] CURLcode code() const { return code_; }

private:
    CURL* easy_;
    CURLcode code_ = CURLE_OK;
};

/// What is the same for every exchange.
void set_manners(OptionSetter& options) {
    options.set(CURLOPT_NOSIGNAL, 1L);
    options.set(CURLOPT_FOLLOWLOCATION, 0L);
    options.set(CURLOPT_PROTOCOLS_STR, "http,https");
    options.set(CURLOPT_PATH_AS_IS, 1L);
    options.set(CURLOPT_SSL_VERIFYPEER, 1L);
    options.set(CURLOPT_SSL_VERIFYHOST, 2L);
    options.set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    // One exchange at a time gains nothing from HTTP/2, and a kept connection that died is simpler to notice.
    options.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    options.set(CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, kHappyEyeballsMs);
    // getaddrinfo() knows no deadline: leave its thread behind instead of waiting for it (it ends by itself).
    options.set(CURLOPT_QUICK_EXIT, 1L);
    options.set(CURLOPT_TCP_KEEPALIVE, 1L);
    options.set(CURLOPT_TCP_KEEPIDLE, kKeepaliveSeconds);
    options.set(CURLOPT_TCP_KEEPINTVL, kKeepaliveSeconds);
    options.set(CURLOPT_MAXAGE_CONN, kIdleConnectionSeconds);
    options.set(CURLOPT_MAXLIFETIME_CONN, kConnectionLifeSeconds);
    options.set(CURLOPT_MAXCONNECTS, kConnectionsKept);
    options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void set_request(OptionSetter& options, const HttpRequest& request) {
    options.set(CURLOPT_URL, request.url.c_str());
    options.set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.total.count()));
    options.set(CURLOPT_CONNECTTIMEOUT_MS,
                static_cast<long>(std::min(request.connect, request.total).count()));
    constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<curl_off_t>::max());
    options.set(CURLOPT_MAXFILESIZE_LARGE,
                static_cast<curl_off_t>(std::min(request.max_response_bytes, kMost)));
    if (request.way == Way::kDirect) options.set(CURLOPT_NOPROXY, "*");
    if (!request.ca_file.empty()) options.set(CURLOPT_CAINFO, request.ca_file.c_str());
    switch (request.method) {
        case Method::kGet:
            options.set(CURLOPT_HTTPGET, 1L);
            break;
        case Method::kPost:
            options.set(CURLOPT_POST, 1L);
            options.set(CURLOPT_POSTFIELDS, request.body.c_str());
            options.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
            break;
    }
}

void set_callbacks(OptionSetter& options, Exchange& exchange) {
    options.set(CURLOPT_HEADERFUNCTION, &take_header);
    options.set(CURLOPT_HEADERDATA, &exchange);
    options.set(CURLOPT_WRITEFUNCTION, &take_body);
    options.set(CURLOPT_WRITEDATA, &exchange);
    options.set(CURLOPT_NOPROGRESS, 0L);
    options.set(CURLOPT_XFERINFOFUNCTION, &look_at_stop);
    options.set(CURLOPT_XFERINFODATA, &exchange);
}

}  // namespace

struct CurlHttpClient::State {
    std::unique_ptr<CURL, EasyCleanup> easy;
    std::string user_agent;
};

Result<std::unique_ptr<CurlHttpClient>> CurlHttpClient::create(std::string user_agent) {
    static const CURLcode initialised =
        curl_global_init(CURL_GLOBAL_DEFAULT);  // once in a process, thread-safe
    auto state = std::make_unique<State>();
    if (initialised == CURLE_OK) state->easy.reset(curl_easy_init());
    if (state->easy == nullptr) return Error{ErrorCode::kInternal, "libcurl cannot be initialised"};
    state->user_agent = std::move(user_agent);
    return std::unique_ptr<CurlHttpClient>(new CurlHttpClient(std::move(state)));
}

CurlHttpClient::CurlHttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
CurlHttpClient::~CurlHttpClient() = default;

Result<HttpResponse> CurlHttpClient::perform(const HttpRequest& request) {
    if (request.stop.stop_requested()) return Error{ErrorCode::kCancelled, "asked to stop"};
    if (std::min(request.total, request.connect) <= milliseconds{0}) {  // libcurl takes zero for no limit
        return Error{ErrorCode::kUnreachable, "no time left to connect"};
    }
    Result<Slist> headers = header_list(request);
    if (!headers) return std::move(headers).error();

    CURL* const easy = state_->easy.get();
    Exchange exchange{request, {}};
    curl_easy_reset(easy);  // keeps connections, names and TLS sessions
    OptionSetter options{easy};
    set_manners(options);
    set_request(options, request);
    set_callbacks(options, exchange);
    options.set(CURLOPT_USERAGENT, state_->user_agent.c_str());
    options.set(CURLOPT_HTTPHEADER, headers->get());
    CURLcode code = options.code();
    if (code == CURLE_OK) code = curl_easy_perform(easy);

    long status = 0;
    if (code == CURLE_OK) code = curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    Result<HttpResponse> result =
        code == CURLE_OK ? Result<HttpResponse>{std::move(exchange.response)} : explain(code, easy, exchange);
    if (result) result->status = static_cast<int>(status);
    curl_easy_reset(easy);  // no pointer into this call, and no copy of a token, stays behind
    return result;
}

}  // namespace cam::net
