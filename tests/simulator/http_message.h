#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cam::simulator {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;
    std::string path;   ///< without the query string, as sent
    std::string query;  ///< after the `?`, as sent
    Headers headers;
    std::string body;
    std::uint64_t connection = 0;  ///< counts accepted connections from 1

    /// Case-insensitive; empty when absent.
    [[nodiscard]] std::string header(std::string_view name) const;
};

/// How an answer goes over the wire; the default is the way a healthy server does it.
struct Delivery {
    bool reset = false;          ///< TCP RST instead of an answer
    bool hang_up = false;        ///< orderly close instead of an answer
    bool stall_forever = false;  ///< no answer until the client or the simulator gives up
    std::chrono::milliseconds stall{0};
    std::size_t bytes_per_second = 0;   ///< 0: as fast as it goes
    std::optional<std::size_t> cut_at;  ///< close after so many bytes of the body
    bool chunked = false;
    bool close_after = false;  ///< closes although the answer promised to keep the connection
    bool may_compress = true;
};

struct HttpResponse {
    int status = 200;
    Headers headers{};
    std::string content_type = "application/json";
    std::string body{};
    Delivery delivery{};
};

/// Decodes %XX and, in forms, `+`.
std::string url_decode(std::string_view text);
/// Splits `a=1&b=2` and decodes both sides.
Headers parse_form(std::string_view text);
/// A gzip member holding `text`.
std::string gzip(std::string_view text);
std::string_view reason_phrase(int status);

}  // namespace cam::simulator
