#include "api/http_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <spdlog/fmt/fmt.h>

#include "api/http_connection.h"

namespace cam::api {
namespace {

/// After the machine refused a socket (no descriptors, no memory), before the next try.
constexpr std::chrono::milliseconds kRecover{100};
constexpr std::chrono::minutes kComplainAgain{1};

void name_this_thread(const std::string& name) {
    ::pthread_setname_np(::pthread_self(), name.c_str());
}

/// Whether accept's failure lies in the machine and would repeat at once; else it lies in that one
/// connection.
bool is_exhaustion(int fault) {
    return fault == EMFILE || fault == ENFILE || fault == ENOBUFS || fault == ENOMEM;
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(ListenSocket socket, HttpService service,
                                                      HttpLimits limits, HttpMetrics metrics, Logger log) {
    UniqueFd stop_signal{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (!stop_signal.valid()) {
        return Error{ErrorCode::kInternal,
                     fmt::format("cannot make an eventfd: {}", std::system_category().message(errno))};
    }
    std::unique_ptr<HttpServer> server{new HttpServer(std::move(socket), std::move(stop_signal),
                                                      std::move(service), limits, metrics, std::move(log))};
    try {
        for (std::size_t number = 0; number < limits.workers; ++number) {
            server->threads_.emplace_back([&self = *server, number] { self.work(number); });
        }
        server->threads_.emplace_back([&self = *server] { self.accept_all(); });
    } catch (const std::system_error& fault) {
        return Error{ErrorCode::kInternal, fmt::format("cannot start a thread: {}", fault.what())};
    }
    return server;
}

HttpServer::HttpServer(ListenSocket socket, UniqueFd stop_signal, HttpService service, HttpLimits limits,
                       HttpMetrics metrics, Logger log)
    : socket_(std::move(socket)),
      stop_signal_(std::move(stop_signal)),
      service_(std::move(service)),
      limits_(limits),
      metrics_(metrics),
      log_(std::move(log)),
      free_workers_(limits.workers) {}

HttpServer::~HttpServer() {
    ::eventfd_write(stop_signal_.get(), 1);
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    come_.notify_all();
    threads_.clear();
}

bool HttpServer::pause(std::chrono::milliseconds time) const {
    pollfd stop{stop_signal_.get(), POLLIN, 0};
    return ::poll(&stop, 1, static_cast<int>(time.count())) > 0;
}

void HttpServer::accept_all() {
    name_this_thread("cam-http");
    std::array<pollfd, 2> sockets{pollfd{socket_.fd.get(), POLLIN, 0}, pollfd{stop_signal_.get(), POLLIN, 0}};
    for (;;) {
        const int ready = ::poll(sockets.data(), sockets.size(), -1);
        if (ready < 0 && errno != EINTR && pause(kRecover)) return;
        if (ready <= 0) continue;
        if (sockets[1].revents != 0) return;
        UniqueFd client{::accept4(socket_.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (client.valid()) {
            take(std::move(client));
        } else if (is_exhaustion(errno) && pause(kRecover)) {
            return;
        }
    }
}

void HttpServer::take(UniqueFd client) {
    const int yes =
        1;  // httplib writes headers and body apart; without this the body waits for an acknowledgement
    ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    bool is_taken = false;
    {
        const std::lock_guard lock(mutex_);
        if (clients_.size() < limits_.waiting_connections + free_workers_) {
            clients_.push_back(std::move(client));
            waiting_ = clients_.size() - std::min(clients_.size(), free_workers_);
            is_taken = true;
        }
    }
    if (is_taken) {
        come_.notify_one();
        return;
    }
    metrics_.dropped_full.add();
    const SteadyTime now = clock_.steady();
    if (complained_ && now - *complained_ < kComplainAgain) return;
    complained_ = now;
    log_->warn("api connections refused reason=full waiting={}", limits_.waiting_connections);
}

std::optional<UniqueFd> HttpServer::next() {
    std::unique_lock lock(mutex_);
    come_.wait(lock, [&] { return stopping_ || !clients_.empty(); });
    --free_workers_;
    if (stopping_) return std::nullopt;
    UniqueFd client = std::move(clients_.front());
    clients_.pop_front();
    waiting_ = clients_.size() - std::min(clients_.size(), free_workers_);
    return client;
}

void HttpServer::work(std::size_t number) {
    name_this_thread(fmt::format("cam-http-{}", number));
    const HttpConnection::Site site{
        limits_, service_, metrics_, log_, {stop_signal_.get(), waiting_, clock_}};
    while (std::optional<UniqueFd> client = next()) {
        try {
            HttpConnection(std::move(*client), site).serve();
        } catch (
            const std::exception& fault) {  // httplib or memory; costs this client its connection, no more
            log_->error("api connection failed detail={}", quote(fault.what()));
        }
        const std::lock_guard lock(mutex_);
        ++free_workers_;
        waiting_ = clients_.size() - std::min(clients_.size(), free_workers_);
    }
}

}  // namespace cam::api
