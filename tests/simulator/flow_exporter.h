#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "simulator/flow_encoder.h"

namespace cam::simulator {

/// A router: encodes flows and sends them over UDP from an address of the loopback range. One thread at a
/// time.
class FlowExporter {
public:
    struct Options {
        FlowEncoder::Options encoding{};
        std::string source = "127.0.0.1";       ///< any of 127.0.0.0/8, or ::1
        std::string destination = "127.0.0.1";  ///< of the same family
        std::uint16_t port = 0;
    };
    /// Throws std::runtime_error when the socket cannot be had.
    explicit FlowExporter(const Options& options);
    ~FlowExporter();
    FlowExporter(const FlowExporter&) = delete;
    FlowExporter& operator=(const FlowExporter&) = delete;

    /// Sends all flows; the number of datagrams. Throws std::runtime_error when the machine refuses one.
    std::size_t send(std::span<const Flow> flows);

private:
    FlowEncoder encoder_;
    int socket_ = -1;
};

}  // namespace cam::simulator
