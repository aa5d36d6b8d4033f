#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "unit/decode/wire_bytes.h"

// sFlow v5 datagrams by their parts: records make a sample, samples make a datagram.
namespace cam::decode::test {

/// A data_format with its length and body, as records and samples both have it.
inline WireBytes structure(std::uint32_t format, const WireBytes& body) {
    return WireBytes{}.u32(format).u32(body.size()).add(body);
}

struct RawHeader {
    std::uint32_t link = 1;
    std::uint32_t frame_length = 1518;
    std::uint32_t stripped = 4;
    std::uint32_t header_bytes = 0xffffffff;  ///< as claimed; all ones: as many as there are
};
inline WireBytes raw_header(const RawHeader& about, const WireBytes& frame) {
    const std::uint64_t claimed = about.header_bytes == 0xffffffff ? frame.size() : about.header_bytes;
    WireBytes body;
    body.u32(about.link).u32(about.frame_length).u32(about.stripped).u32(claimed).add(frame).pad();
    return structure(1, body);
}

struct FlowSample {
    std::uint32_t sequence = 1;
    std::uint32_t source_type = 0;
    std::uint32_t source_index = 3;
    std::uint32_t rate = 1000;
    std::uint32_t pool = 5000;
    std::uint32_t drops = 0;
    std::uint32_t input = 3;
    std::uint32_t output = 4;
    std::uint32_t records = 0xffffffff;  ///< as claimed; all ones: as many as there are
};
inline WireBytes flow_sample(const FlowSample& about, const std::vector<WireBytes>& records) {
    WireBytes body;
    body.u32(about.sequence).u32(about.source_type << 24U | about.source_index).u32(about.rate);
    body.u32(about.pool).u32(about.drops).u32(about.input).u32(about.output);
    body.u32(about.records == 0xffffffff ? records.size() : about.records);
    for (const WireBytes& record : records) body.add(record);
    return structure(1, body);
}
/// Formats are the upper two bits of the interfaces, as in the compact form.
inline WireBytes expanded_flow_sample(const FlowSample& about, const std::vector<WireBytes>& records) {
    WireBytes body;
    body.u32(about.sequence).u32(about.source_type).u32(about.source_index).u32(about.rate);
    body.u32(about.pool).u32(about.drops);
    body.u32(about.input >> 30U).u32(about.input & 0x3fffffffU);
    body.u32(about.output >> 30U).u32(about.output & 0x3fffffffU);
    body.u32(about.records == 0xffffffff ? records.size() : about.records);
    for (const WireBytes& record : records) body.add(record);
    return structure(3, body);
}
inline WireBytes counter_sample(std::uint32_t format = 2) {
    return structure(format, WireBytes{}.u32(1).u32(3).u32(1).add(structure(1, WireBytes{}.fill(88))));
}

struct SflowDatagram {
    std::uint32_t version = 5;
    std::uint32_t address_type = 1;
    WireBytes agent{192, 0, 2, 254};
    std::uint32_t sub_agent = 7;
    std::uint32_t sequence = 100;
    std::uint32_t uptime_ms = 1'000'000;
    std::uint32_t samples = 0xffffffff;  ///< as claimed; all ones: as many as there are
};
inline WireBytes sflow_datagram(const SflowDatagram& about, const std::vector<WireBytes>& samples) {
    WireBytes out;
    out.u32(about.version).u32(about.address_type).add(about.agent);
    out.u32(about.sub_agent).u32(about.sequence).u32(about.uptime_ms);
    out.u32(about.samples == 0xffffffff ? samples.size() : about.samples);
    for (const WireBytes& sample : samples) out.add(sample);
    return out;
}

}  // namespace cam::decode::test
