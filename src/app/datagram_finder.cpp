#include "app/datagram_finder.h"

#include "cam/base/byte_reader.h"
#include "cam/decode/packet_header.h"
#include "cam/model/flow_record.h"

namespace cam::app {
namespace {

constexpr std::uint8_t kUdp = 17;

/// RFC 768; nullopt if the length does not fit. A length of 0 is written by some for segmentation offload.
std::optional<std::span<const std::uint8_t>> udp_payload(std::span<const std::uint8_t> segment) {
    constexpr std::size_t kHeader = 8;
    ByteReader reader{segment};
    if (!reader.skip(4)) return std::nullopt;
    const std::optional<std::uint16_t> length = reader.u16();
    if (!length || !reader.skip(2)) return std::nullopt;
    if (*length == 0) return reader.rest();
    if (*length < kHeader) return std::nullopt;
    const std::optional<ByteReader> payload = reader.sub(*length - kHeader);
    if (!payload) return std::nullopt;
    return payload->rest();
}

}  // namespace

std::optional<CapturedDatagram> DatagramFinder::find(const CapturedFrame& frame) {
    ++counts_.frames;
    FlowRecord about;
    const decode::PacketHeader header = decode_packet_header(ByteReader{frame.bytes}, frame.link, about);
    if (!about.has(FlowField::kSource) || about.protocol != kUdp) return std::nullopt;
    if (header.is_cut) {
        ++counts_.cut;
        return std::nullopt;
    }
    std::span<const std::uint8_t> segment = header.payload.rest();
    if (about.has(FlowField::kFragment) && (header.more_fragments || about.fragment_offset != 0)) {
        ++counts_.fragments;
        const auto whole = fragments_.add({.source = about.source,
                                           .destination = about.destination,
                                           .id = about.fragment_id,
                                           .protocol = about.protocol,
                                           .offset = std::size_t{about.fragment_offset} * 8,
                                           .more = header.more_fragments,
                                           .bytes = segment},
                                          frame.time);
        if (!whole) return std::nullopt;
        segment = *whole;
    }
    const auto payload = udp_payload(segment);
    if (!payload) {
        ++counts_.cut;
        return std::nullopt;
    }
    ++counts_.datagrams;
    return CapturedDatagram{.source = about.source, .payload = *payload};
}

}  // namespace cam::app
