#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

#include "simulator/http_message.h"

namespace cam::simulator {

/// A small HTTP/1.1 server on 127.0.0.1 that can also misbehave on purpose (see Delivery). One thread per
/// connection, keep-alive. Safe from any thread; start() and stop() from one thread at a time.
class HttpServer {
public:
    /// Called from many threads at once.
    using Handler = std::function<HttpResponse(const HttpRequest&)>;

    explicit HttpServer(Handler handler) : handler_(std::move(handler)) {}
    ~HttpServer() { stop(); }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Port 0 takes a free one. Throws std::runtime_error when the port cannot be had.
    void start(std::uint16_t port);
    /// Breaks all connections and waits for their threads. Harmless when not started.
    void stop();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::uint64_t connections_accepted() const { return accepted_; }

private:
    struct Connection {
        int socket = -1;  ///< -1 once its thread has ended; guarded by mutex_
        std::uint64_t number = 0;
        std::thread thread;
    };

    void accept_loop();
    void serve(Connection& connection, int socket);
    void reap_finished();

    Handler handler_;
    int listener_ = -1;
    int stop_signal_ = -1;
    std::atomic<std::uint16_t> port_ = 0;
    std::atomic<std::uint64_t> accepted_ = 0;
    std::thread acceptor_;
    std::mutex mutex_;
    std::list<Connection> connections_;
};

}  // namespace cam::simulator
