#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cam/base/unique_fd.h"

namespace cam::api {

/// A TCP connection to 127.0.0.1 for what no well-behaved client sends. Waits at most 10 s for anything. One
/// thread at a time.
class RawClient {
public:
    explicit RawClient(std::uint16_t port);

    [[nodiscard]] bool connected() const { return fd_.valid(); }
    /// False once the server does not take it any more.
    bool send(std::string_view bytes);
    /// Everything until the server closes.
    std::string read_to_end();
    /// Until `mark` has come, or the end.
    std::string read_past(std::string_view mark);

private:
    UniqueFd fd_;
};

/// The status code of an HTTP answer; 0 if it is none.
int status_of(std::string_view answer);

/// What follows the headers.
std::string body_of(std::string_view answer);

}  // namespace cam::api
