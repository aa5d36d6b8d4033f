#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "api/http_limits.h"
#include "api/http_metrics.h"
#include "api/http_service.h"
#include "api/listen_socket.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/unique_fd.h"

namespace cam::api {

/// Accepts connections (thread `cam-http`) and serves them on a fixed number of workers (`cam-http-N`). A
/// worker serves one connection; the waiting ones are bounded, and while there are some, slow and idle
/// clients are given up early, so that they can delay others but not lock them out. Safe from any thread.
class HttpServer {
public:
    /// Serves from now on. `service` and `metrics` are copied; the registry behind metrics must outlive the
    /// server.
    static Result<std::unique_ptr<HttpServer>> start(ListenSocket socket, HttpService service,
                                                     HttpLimits limits, HttpMetrics metrics, Logger log);
    /// Ends every wait for a client at once and joins; a service call under way is finished first.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

private:
    HttpServer(ListenSocket socket, UniqueFd stop_signal, HttpService service, HttpLimits limits,
               HttpMetrics metrics, Logger log);
    void accept_all();
    void take(UniqueFd client);
    void work(std::size_t number);
    std::optional<UniqueFd> next();
    /// True once the server stops.
    bool pause(std::chrono::milliseconds time) const;

    ListenSocket socket_;
    UniqueFd stop_signal_;
    HttpService service_;
    HttpLimits limits_;
    HttpMetrics metrics_;
    Logger log_;
    SystemClock clock_;
    std::optional<SteadyTime> complained_;  ///< acceptor only

    std::mutex mutex_;  ///< guards clients_ and stopping_
    std::condition_variable come_;
    std::deque<UniqueFd> clients_;
    bool stopping_ = false;
    std::size_t free_workers_;             ///< under mutex_; one that is still starting counts as free
    std::atomic<std::size_t> waiting_{0};  ///< connections that no free worker is about to take

    std::vector<std::jthread> threads_;
};

}  // namespace cam::api
