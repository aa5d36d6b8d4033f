#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "simulator/flow_encoder.h"

namespace cam::test {

/// Makes datagrams that are well-formed, and others that once were. One thread at a time.
class Mangler {
public:
    /// `captures`: a folder of pcap files of raw IPv4, big-endian (tests/data/flows).
    Mangler(const std::string& captures, std::uint32_t seed) : random_(seed) {
        for (const auto& entry : std::filesystem::directory_iterator(captures)) {
            if (entry.path().extension() == ".pcap") read(entry.path().string());
        }
        encode();
    }
    /// An exporter's own datagram, now and then damaged.
    std::string next() {
        std::string datagram = any();
        if (below(2) == 0) return datagram;
        for (std::uint32_t times = 1 + below(4); times > 0; --times) damage(datagram);
        return datagram;
    }
    [[nodiscard]] std::size_t originals() const { return originals_.size(); }
    std::uint32_t below(std::uint32_t most) { return static_cast<std::uint32_t>(random_() % most); }

private:
    static std::uint32_t u32(const std::string& bytes, std::size_t at) {
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<std::uint8_t>(bytes[at + i]);
        return value;
    }
    void read(const std::string& path) {
        constexpr std::size_t kFileHeader = 24;
        constexpr std::size_t kFrameHeader = 16;
        constexpr std::size_t kIpAndUdp = 28;
        std::ifstream file(path, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        for (std::size_t at = kFileHeader; at + kFrameHeader <= bytes.size();) {
            const std::size_t length = u32(bytes, at + 8);
            at += kFrameHeader;
            if (at + length > bytes.size()) break;
            if (length > kIpAndUdp) originals_.push_back(bytes.substr(at + kIpAndUdp, length - kIpAndUdp));
            at += length;
        }
    }
    void encode() {
        using simulator::Flow;
        using simulator::FlowAddress;
        using simulator::FlowFormat;
        std::vector<Flow> flows(40);
        for (std::size_t i = 0; i < flows.size(); ++i) {
            const bool is_v6 = i % 3 == 0;
            flows[i].source = FlowAddress::of(is_v6 ? "2a0b:f4c2::1" : "103.118.76.1");
            flows[i].destination = FlowAddress::of(is_v6 ? "2a02:4460::1" : "10.0.0." + std::to_string(i));
            flows[i].protocol = i % 2 == 0 ? 6 : 17;
            flows[i].packets = 3;
            flows[i].bytes = 3'000;
        }
        for (const FlowFormat format :
             {FlowFormat::kNetflow5, FlowFormat::kNetflow9, FlowFormat::kIpfix, FlowFormat::kSflow5}) {
            simulator::FlowEncoder encoder({.format = format, .sampling = 100});
            for (std::string& one : encoder.encode(flows, 1'768'900'000))
                originals_.push_back(std::move(one));
        }
    }
    std::string any() { return originals_[below(static_cast<std::uint32_t>(originals_.size()))]; }
    void damage(std::string& datagram) {
        if (datagram.empty()) return;
        const auto size = static_cast<std::uint32_t>(datagram.size());
        const std::uint32_t at = below(size);
        switch (below(6)) {
            case 0:  // a bit
                datagram[at] = static_cast<char>(datagram[at] ^ static_cast<char>(1U << below(8)));
                break;
            case 1:  // a number, lengths and counts above all
                for (std::uint32_t i = at & ~1U; i < std::min(size, (at & ~1U) + 2); ++i) {
                    datagram[i] = static_cast<char>(below(3) == 0 ? 0xFF : below(256));
                }
                break;
            case 2:  // cut
                datagram.resize(at);
                break;
            case 3:  // something behind it
                datagram += any().substr(0, 200);
                break;
            case 4:  // two in one
                datagram = datagram.substr(0, at) + any().substr(std::min<std::size_t>(at, 16));
                break;
            default:  // the header's fields: version, count, sequence, domain
                datagram[below(std::min(size, 24U))] = static_cast<char>(below(256));
        }
        constexpr std::size_t kMost = 8'000;
        if (datagram.size() > kMost) datagram.resize(kMost);
    }

    std::mt19937 random_;
    std::vector<std::string> originals_;
};

}  // namespace cam::test
