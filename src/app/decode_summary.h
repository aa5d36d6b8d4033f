#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "app/datagram_finder.h"
#include "cam/decode/decoder.h"

namespace cam::app {

/// Adds up what a capture held.
class DecodeSummary {
public:
    void add(const decode::DecodeReport& report);
    /// The estimated counts: observed times rate.
    void add(std::span<const FlowRecord> records);
    /// One JSON object on one line, with a line feed at its end (docs/operations.md explains its members).
    [[nodiscard]] std::string json(const DatagramFinder& finder, const decode::Decoder& decoder) const;

private:
    decode::DecodeReport total_;
    std::array<std::uint64_t, kExportProtocolCount> by_version_{};
    std::uint64_t estimated_bytes_ = 0;
    std::uint64_t estimated_packets_ = 0;
};

}  // namespace cam::app
