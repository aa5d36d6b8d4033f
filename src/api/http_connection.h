#pragma once

#include <optional>

#include <httplib.h>

#include "api/http_limits.h"
#include "api/http_message.h"
#include "api/http_metrics.h"
#include "api/http_service.h"
#include "api/socket_stream.h"
#include "cam/base/log.h"
#include "cam/base/unique_fd.h"

namespace cam::api {

/// One client's connection, request after request. httplib parses request lines, headers and queries and
/// writes the answers; everything that reads from the client is ours, because httplib bounds neither the time
/// of a request nor chunked or compressed bodies. (Its process_request is protected, hence the inheritance.)
/// One thread at a time.
class HttpConnection final : private httplib::Server {
public:
    /// What outlives every connection.
    struct Site {
        const HttpLimits& limits;
        const HttpService& service;
        HttpMetrics& metrics;
        Logger log;
        SocketStream::Surroundings around;
    };
    HttpConnection(UniqueFd client, const Site& site);

    /// Returns once the connection is done with, because of either side.
    void serve();

private:
    enum class Next { kRead, kClose, kDrainAndClose };
    Next serve_one(bool is_last);
    /// Parses one request and writes its answer; whether the answer was written. `parser` is *this.
    template <typename Parser>
    bool process(Parser& parser, bool& client_closes);
    void receive(httplib::Request& parsed);
    void hand_over(httplib::Response& response);
    void polish(httplib::Response& response) const;
    Next refuse_unparsed(const HttpAnswer& answer);
    void count(int status);
    [[nodiscard]] SocketStream::Patience patience(std::chrono::milliseconds calm) const;

    UniqueFd client_;
    const Site& site_;
    SocketStream stream_;
    std::optional<HttpAnswer> answer_;  ///< to the request at hand
    bool understood_ = false;           ///< httplib could parse it
    bool closing_ = false;              ///< its answer is the last one
    bool is_head_ = false;              ///< it was a HEAD request
    bool unread_ = false;               ///< part of its body has not been read
};

}  // namespace cam::api
