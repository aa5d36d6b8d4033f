#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cam/base/result.h"

namespace cam::net {

enum class Method { kGet, kPost };
enum class Way {
    kAsTheEnvironmentSays,  ///< through the proxy of http_proxy, https_proxy, all_proxy, no_proxy
    kDirect,                ///< for this machine's own servers
};

struct HttpRequest {
    Method method = Method::kGet;
    std::string url{};  ///< may hold a token: never logged, never part of an error
    std::vector<std::pair<std::string, std::string>> headers{};  ///< may hold a token: never logged
    std::string body{};
    Way way = Way::kAsTheEnvironmentSays;
    std::chrono::milliseconds total{30'000};    ///< name look-up, connect, TLS, sending and the whole answer
    std::chrono::milliseconds connect{10'000};  ///< name look-up, connect and TLS
    std::string ca_file{};  ///< PEM certificates that may sign the server's; empty: the system's
    std::size_t max_response_bytes = 16U * 1024 * 1024;  ///< after decompression
    std::stop_token stop{};                              ///< ends the call within a second with kCancelled
};

struct HttpResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
    std::string body;                                          ///< decompressed

    /// The first header of that name (lower case), or nullopt. Valid while the response lives.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// One HTTP exchange. One thread at a time.
class HttpClient {
public:
    virtual ~HttpClient() = default;
    /// Blocks for at most `request.total`. Any status is a response; Error says that there was none: kTimeout
    /// and kBroken mean the server may have acted, kUnreachable and kTls that it did not, kTooLarge and
    /// kCancelled as named. No error text holds the URL, a header or the body.
    virtual Result<HttpResponse> perform(const HttpRequest& request) = 0;
};

/// libcurl: connections are kept and reused, gzip and deflate are offered, addresses raced (Happy Eyeballs,
/// RFC 8305), redirects refused, certificates verified, only http and https spoken. One thread at a time.
class CurlHttpClient final : public HttpClient {
public:
    static Result<std::unique_ptr<CurlHttpClient>> create(std::string user_agent);
    ~CurlHttpClient() override;
    Result<HttpResponse> perform(const HttpRequest& request) override;

private:
    struct State;
    explicit CurlHttpClient(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::net
