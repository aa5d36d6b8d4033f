#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cam::simulator {

/// An address as its bytes: 4 or 16 of them.
struct FlowAddress {
    std::vector<std::uint8_t> bytes;
    /// Throws std::invalid_argument.
    static FlowAddress of(const std::string& text);
    [[nodiscard]] bool is_v6() const { return bytes.size() == 16; }
};

/// One flow of known size, observed after sampling.
struct Flow {
    FlowAddress source;
    FlowAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::uint8_t protocol = 17;
    std::uint8_t tcp_flags = 0;
    std::uint32_t packets = 1;
    std::uint32_t bytes = 100;  ///< in all; an sFlow sample is one packet of bytes / packets
    std::uint32_t input_interface = 1;
    std::uint32_t output_interface = 2;
    std::uint32_t source_as = 0;
    std::uint32_t destination_as = 0;
};

enum class FlowFormat { kNetflow5, kNetflow9, kIpfix, kSflow5 };
/// `v5`, `v9`, `ipfix`, `sflow5`.
[[nodiscard]] const char* name(FlowFormat format);
[[nodiscard]] std::optional<FlowFormat> flow_format(const std::string& name);

/// Encodes flows as a router would, with templates, sampling announcements and sequence numbers. Written from
/// the specifications, not from the program's decoder. One thread at a time.
class FlowEncoder {
public:
    struct Options {
        FlowFormat format = FlowFormat::kNetflow9;
        std::uint32_t sampling = 1;  ///< 1 in n
        /// How NetFlow v9 and IPFIX tell the rate: by an options record, or not at all. v5 and sFlow always
        /// tell.
        bool announces_sampling = true;
        std::uint32_t domain = 7;
        std::size_t records_per_datagram = 24;
        std::uint32_t templates_every = 20;  ///< datagrams; 0: only in the first
    };
    explicit FlowEncoder(Options options) : options_(options) {}

    /// Datagrams with these flows, sent at `unix_seconds`. Where templates are due, they come first. NetFlow
    /// v5 leaves IPv6 flows out.
    std::vector<std::string> encode(std::span<const Flow> flows, std::uint32_t unix_seconds);

private:
    std::string netflow5(std::span<const Flow> flows, std::uint32_t unix_seconds);
    std::string netflow9(std::span<const Flow> flows, std::uint32_t unix_seconds, bool with_templates);
    std::string ipfix(std::span<const Flow> flows, std::uint32_t unix_seconds, bool with_templates);
    std::vector<std::string> sflow5(std::span<const Flow> flows);

    Options options_;
    std::uint32_t sequence_ = 0;
    std::uint32_t datagrams_ = 0;
    std::uint32_t samples_ = 0;
    std::uint32_t pool_ = 0;
};

}  // namespace cam::simulator
