#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <httplib.h>

#include "cam/base/clock.h"

namespace cam::api {

/// One client's connection as httplib reads and writes it. Every wait has an end that several small reads or
/// writes share, so that a client which sends a byte now and then cannot keep a worker. Does not own the
/// socket, which must be non-blocking. One thread at a time.
class SocketStream final : public httplib::Stream {
public:
    struct Surroundings {
        int stop_signal;                          ///< readable once the server stops: all waits end
        const std::atomic<std::size_t>& waiting;  ///< connections without a worker
        const Clock& clock;
    };
    /// How long a phase may take in all: while nobody else waits for a worker, and while somebody does.
    struct Patience {
        std::chrono::milliseconds calm;
        std::chrono::milliseconds crowded;
    };
    enum class Head { kWhole, kGone, kLate, kTooLarge };

    SocketStream(int socket, Surroundings surroundings) : socket_(socket), around_(surroundings) {}

    /// Reads a request's lines up to the blank one: `idle` until its first byte, `whole` from there. kGone:
    /// the client left, or sent nothing in time.
    Head read_head(std::size_t most, Patience idle, Patience whole);
    /// What read_head found.
    [[nodiscard]] std::string_view head() const { return std::string_view{buffer_}.substr(at_, head_size_); }
    /// What httplib is to read in its place.
    void replace_head(const std::string& head);

    /// Starts a phase: all reads and writes from now on share this time.
    void begin(Patience patience);
    /// Says that no more comes from us, then takes and forgets what the client still sends. A socket closed
    /// with unread bytes would be reset, and the client might lose the answer.
    void drain(std::size_t most, Patience patience);

    using httplib::Stream::write;
    [[nodiscard]] bool is_readable() const override;
    [[nodiscard]] bool is_writable() const override;
    ssize_t read(char* to, size_t size) override;
    ssize_t write(const char* from, size_t size) override;
    void get_remote_ip_and_port(std::string& ip, int& port) const override;
    void get_local_ip_and_port(std::string& ip, int& port) const override;
    /// Always 0: httplib refuses numbers from FD_SETSIZE on, but only this class touches the socket.
    [[nodiscard]] socket_t socket() const override { return 0; }

private:
    [[nodiscard]] bool wait_for(short events) const;
    ssize_t receive(char* to, size_t size);
    bool fill();

    int socket_;
    Surroundings around_;
    Patience patience_{};
    SteadyTime began_{};
    std::string buffer_;  ///< received; read up to at_
    std::size_t at_ = 0;
    std::size_t head_size_ = 0;
};

}  // namespace cam::api
