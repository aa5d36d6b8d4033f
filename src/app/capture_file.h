#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/decode/packet_header.h"

struct pcap;

namespace cam::app {

/// One frame of a capture. The bytes are valid until the next call of CaptureFile::next.
struct CapturedFrame {
    std::span<const std::uint8_t> bytes;  ///< behind the header of the capturing machine, where it adds one
    decode::LinkType link = decode::LinkType::kEthernet;
    WallTime time{};
};

/// Reads a pcap or pcapng file, one frame at a time, in constant memory. One thread at a time.
class CaptureFile {
public:
    /// `-` is standard input. kNotFound or kInvalid (no capture, a link type we do not read), in one line
    /// that names the file.
    static Result<CaptureFile> open(const std::string& path);

    /// The next frame; nullopt at the end. kBroken if the file ends in the middle of a frame or is damaged.
    Result<std::optional<CapturedFrame>> next();

private:
    struct Closer {
        void operator()(pcap* handle) const noexcept;
    };
    CaptureFile(std::string name, std::unique_ptr<pcap, Closer> handle, int link_type)
        : name_(std::move(name)), handle_(std::move(handle)), link_type_(link_type) {}

    std::string name_;
    std::unique_ptr<pcap, Closer> handle_;
    int link_type_;
};

}  // namespace cam::app
