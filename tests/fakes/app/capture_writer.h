#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#include "unit/decode/wire_bytes.h"

namespace cam::app {

/// Writes pcap files (big-endian, microseconds) as tcpdump does on such a machine.
class CaptureWriter {
public:
    /// `link_type` as tcpdump.org/linktypes.html numbers them.
    explicit CaptureWriter(std::uint32_t link_type = 1) {
        bytes_.u32(0xa1b2c3d4).u16(2).u16(4).u32(0).u32(0).u32(262'144).u32(link_type);
    }
    /// A frame at so many seconds, of which only the first `captured` bytes are kept.
    CaptureWriter& frame(const decode::test::WireBytes& frame, std::uint32_t seconds = 1'700'000'000,
                         std::size_t captured = 262'144) {
        const decode::test::WireBytes kept = captured < frame.size() ? frame.cut(captured) : frame;
        bytes_.u32(seconds).u32(250'000).u32(kept.size()).u32(frame.size()).add(kept);
        return *this;
    }
    /// Without its last `missing` bytes.
    void write(const std::string& path, std::size_t missing = 0) const {
        std::ofstream file(path, std::ios::binary);
        for (const std::uint8_t byte : bytes_.span().first(bytes_.size() - missing)) {
            file.put(static_cast<char>(byte));
        }
    }

private:
    decode::test::WireBytes bytes_;
};

}  // namespace cam::app
