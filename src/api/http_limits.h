#pragma once

#include <chrono>
#include <cstddef>

namespace cam::api {

/// Everything a stranger could stretch, and how far. A worker serves one connection at a time, so each wait
/// for a client has an end, and an earlier one while other connections wait for a worker.
struct HttpLimits {
    std::size_t workers = 8;
    std::size_t waiting_connections = 64;  ///< without a worker; the next one is closed at once
    std::size_t requests_per_connection = 100;
    std::size_t head_bytes = std::size_t{16} * 1024;
    std::size_t body_bytes = std::size_t{1024} * 1024;
    std::size_t drained_bytes = std::size_t{8} * 1024 * 1024;  ///< of a body that is not wanted
    std::chrono::milliseconds idle{5'000};    ///< between two requests; none while others wait
    std::chrono::milliseconds head{5'000};    ///< from the first byte to the end of the headers
    std::chrono::milliseconds body{5'000};    ///< the whole of it
    std::chrono::milliseconds answer{5'000};  ///< until the client has taken the whole of it
    std::chrono::milliseconds drain{1'000};
    std::chrono::milliseconds crowded{1'000};  ///< instead of each of these while others wait
};

}  // namespace cam::api
