#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "simulator/http_message.h"

namespace cam::simulator {

/// Reads requests from one accepted socket and writes answers to it. Does not own the socket. One thread
/// at a time.
class HttpConnection {
public:
    /// What is to become of the connection after an answer.
    enum class Next { kRead, kClose, kReset };

    /// `stop_signal` becomes readable when the server stops.
    HttpConnection(int socket, int stop_signal) : socket_(socket), stop_signal_(stop_signal) {}

    /// Nothing when the client has gone or sent what is not HTTP.
    std::optional<HttpRequest> read_request();
    Next answer(const HttpRequest& request, const HttpResponse& response);

private:
    bool fill();
    bool send(std::string_view bytes);
    bool send_slowly(std::string_view bytes, std::size_t bytes_per_second);
    bool read_body(HttpRequest& request);
    bool read_chunks(std::string& body);
    std::optional<std::string> read_line();
    bool wait_for_bytes(std::size_t count);
    /// False when the client went away or the server stops meanwhile.
    bool pause(std::optional<std::chrono::milliseconds> time);

    int socket_;
    int stop_signal_;
    std::string buffer_;
};

}  // namespace cam::simulator
