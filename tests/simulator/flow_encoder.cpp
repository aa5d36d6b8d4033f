#include "simulator/flow_encoder.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>

namespace cam::simulator {
namespace {

constexpr std::uint32_t kUptimeMs = 3'600'000;

/// Bytes in network order.
class Wire {
public:
    Wire& u8(std::uint32_t value) { return number(value, 1); }
    Wire& u16(std::uint32_t value) { return number(value, 2); }
    Wire& u32(std::uint64_t value) { return number(value, 4); }
    Wire& u64(std::uint64_t value) { return number(value, 8); }
    Wire& add(const std::vector<std::uint8_t>& bytes) {
        text.append(bytes.begin(), bytes.end());
        return *this;
    }
    Wire& add(const Wire& other) {
        text += other.text;
        return *this;
    }
    Wire& pad_to(std::size_t multiple) {
        while (text.size() % multiple != 0) text += '\0';
        return *this;
    }
    std::string text;

private:
    Wire& number(std::uint64_t value, unsigned size) {
        for (unsigned i = size; i > 0; --i) text += static_cast<char>(value >> (8 * (i - 1)) & 0xFF);
        return *this;
    }
};

/// A set of NetFlow v9 or IPFIX: id, length, content, padding to four bytes.
Wire set(std::uint16_t id, Wire content) {
    content.pad_to(4);
    Wire out;
    out.u16(id).u16(static_cast<std::uint32_t>(content.text.size() + 4)).add(content);
    return out;
}

struct Element {
    std::uint16_t id;
    std::uint16_t length;
};
constexpr std::uint16_t kTemplate4 = 256;
constexpr std::uint16_t kTemplate6 = 257;
constexpr std::uint16_t kOptions = 258;
constexpr std::uint32_t kSampler = 3;

/// Elements 1 to 127 are the same in NetFlow v9 and IPFIX.
std::vector<Element> elements(bool is_v6, FlowFormat format) {
    const bool is_v9 = format == FlowFormat::kNetflow9;
    std::vector<Element> out{
        {static_cast<std::uint16_t>(is_v6 ? 27 : 8), static_cast<std::uint16_t>(is_v6 ? 16 : 4)},
        {static_cast<std::uint16_t>(is_v6 ? 28 : 12), static_cast<std::uint16_t>(is_v6 ? 16 : 4)},
        {7, 2},
        {11, 2},
        {4, 1},
        {6, 1},
        {5, 1},
        {10, 4},
        {14, 4},
        {2, 8},
        {1, 8},
        {16, 4},
        {17, 4}};
    if (is_v9) {
        out.insert(out.end(), {{22, 4}, {21, 4}, {48, 1}});  // first and last by uptime, sampler
    } else {
        out.insert(out.end(), {{152, 8}, {153, 8}, {302, 4}});  // start and end in ms, selector
    }
    return out;
}

Wire template_of(std::uint16_t id, const std::vector<Element>& fields) {
    Wire out;
    out.u16(id).u16(static_cast<std::uint32_t>(fields.size()));
    for (const Element& field : fields) out.u16(field.id).u16(field.length);
    return out;
}

Wire record(const Flow& flow, FlowFormat format, std::uint32_t unix_seconds) {
    Wire out;
    out.add(flow.source.bytes).add(flow.destination.bytes);
    out.u16(flow.source_port).u16(flow.destination_port);
    out.u8(flow.protocol).u8(flow.tcp_flags).u8(0);
    out.u32(flow.input_interface).u32(flow.output_interface);
    out.u64(flow.packets).u64(flow.bytes);
    out.u32(flow.source_as).u32(flow.destination_as);
    if (format == FlowFormat::kNetflow9) {
        out.u32(kUptimeMs - 5'000).u32(kUptimeMs - 1'000).u8(kSampler);
    } else {
        out.u64((unix_seconds - 5ULL) * 1'000).u64((unix_seconds - 1ULL) * 1'000).u32(kSampler);
    }
    return out;
}

/// The record sets of both families.
Wire data(std::span<const Flow> flows, FlowFormat format, std::uint32_t unix_seconds) {
    Wire four;
    Wire six;
    for (const Flow& flow : flows) {
        (flow.destination.is_v6() ? six : four).add(record(flow, format, unix_seconds));
    }
    Wire out;
    if (!four.text.empty()) out.add(set(kTemplate4, four));
    if (!six.text.empty()) out.add(set(kTemplate6, six));
    return out;
}

std::uint16_t checksum_free_length(std::size_t length) {
    return static_cast<std::uint16_t>(std::min<std::size_t>(length, 0xFFFF));
}

/// Ethernet, IP and transport headers of one packet.
Wire packet_header(const Flow& flow, std::uint32_t frame_length) {
    Wire out;
    out.add({0x02, 0, 0, 0, 0, 1}).add({0x02, 0, 0, 0, 0, 2});
    const std::uint32_t ip_length = std::max<std::uint32_t>(frame_length, 60) - 14;
    if (flow.destination.is_v6()) {
        out.u16(0x86DD).u32(0x60000000).u16(checksum_free_length(ip_length - 40)).u8(flow.protocol).u8(64);
    } else {
        out.u16(0x0800)
            .u8(0x45)
            .u8(0)
            .u16(checksum_free_length(ip_length))
            .u32(0)
            .u8(64)
            .u8(flow.protocol)
            .u16(0);
    }
    out.add(flow.source.bytes).add(flow.destination.bytes);
    if (flow.protocol == IPPROTO_TCP) {
        out.u16(flow.source_port)
            .u16(flow.destination_port)
            .u32(1)
            .u32(1)
            .u8(0x50)
            .u8(flow.tcp_flags)
            .u16(1)
            .u32(0);
    } else if (flow.protocol == IPPROTO_UDP) {
        out.u16(flow.source_port).u16(flow.destination_port).u16(8).u16(0);
    } else {
        out.u32(0).u32(0);
    }
    return out;
}

}  // namespace

FlowAddress FlowAddress::of(const std::string& text) {
    std::array<std::uint8_t, 16> bytes{};
    if (::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return {{bytes.begin(), bytes.begin() + 4}};
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {{bytes.begin(), bytes.end()}};
    throw std::invalid_argument("no address: " + text);
}

const char* name(FlowFormat format) {
    switch (format) {
        case FlowFormat::kNetflow5:
            return "v5";
        case FlowFormat::kNetflow9:
            return "v9";
        case FlowFormat::kIpfix:
            return "ipfix";
        case FlowFormat::kSflow5:
            return "sflow5";
    }
    return "v9";
}

std::optional<FlowFormat> flow_format(const std::string& text) {
    for (const FlowFormat format :
         {FlowFormat::kNetflow5, FlowFormat::kNetflow9, FlowFormat::kIpfix, FlowFormat::kSflow5}) {
        if (text == name(format)) return format;
    }
    return std::nullopt;
}

std::vector<std::string> FlowEncoder::encode(std::span<const Flow> flows, std::uint32_t unix_seconds) {
    constexpr std::size_t kMostOfVersion5 = 30;
    std::vector<std::string> datagrams;
    const std::size_t most = options_.format == FlowFormat::kNetflow5
                                 ? std::min(options_.records_per_datagram, kMostOfVersion5)
                                 : options_.records_per_datagram;
    for (std::size_t first = 0; first < flows.size(); first += most) {
        const auto part = flows.subspan(first, std::min(most, flows.size() - first));
        const bool with_templates =
            datagrams_ == 0 || (options_.templates_every > 0 && datagrams_ % options_.templates_every == 0);
        switch (options_.format) {
            case FlowFormat::kNetflow5:
                datagrams.push_back(netflow5(part, unix_seconds));
                break;
            case FlowFormat::kNetflow9:
                datagrams.push_back(netflow9(part, unix_seconds, with_templates));
                break;
            case FlowFormat::kIpfix:
                datagrams.push_back(ipfix(part, unix_seconds, with_templates));
                break;
            case FlowFormat::kSflow5:
                for (std::string& datagram : sflow5(part)) datagrams.push_back(std::move(datagram));
                break;
        }
        ++datagrams_;
    }
    return datagrams;
}

std::string FlowEncoder::netflow5(std::span<const Flow> flows, std::uint32_t unix_seconds) {
    Wire records;
    std::uint32_t count = 0;
    for (const Flow& flow : flows) {
        if (flow.destination.is_v6()) continue;
        records.add(flow.source.bytes).add(flow.destination.bytes).u32(0);
        records.u16(flow.input_interface).u16(flow.output_interface);
        records.u32(flow.packets).u32(flow.bytes).u32(kUptimeMs - 5'000).u32(kUptimeMs - 1'000);
        records.u16(flow.source_port).u16(flow.destination_port);
        records.u8(0).u8(flow.tcp_flags).u8(flow.protocol).u8(0);
        records.u16(flow.source_as).u16(flow.destination_as).u8(24).u8(24).u16(0);
        ++count;
    }
    const std::uint32_t sampling = options_.sampling > 1 ? 1U << 14U | (options_.sampling & 0x3FFFU) : 0;
    Wire out;
    out.u16(5).u16(count).u32(kUptimeMs).u32(unix_seconds).u32(0).u32(sequence_);
    out.u8(0).u8(options_.domain).u16(sampling).add(records);
    sequence_ += count;
    return out.text;
}

std::string FlowEncoder::netflow9(std::span<const Flow> flows, std::uint32_t unix_seconds,
                                  bool with_templates) {
    Wire sets;
    std::uint32_t count = static_cast<std::uint32_t>(flows.size());
    if (with_templates) {
        Wire templates = template_of(kTemplate4, elements(false, options_.format));
        templates.add(template_of(kTemplate6, elements(true, options_.format)));
        sets.add(set(0, templates));
        count += 2;
        if (options_.announces_sampling) {
            Wire layout;  // scope: the system; sampler id, mode, interval
            layout.u16(kOptions).u16(4).u16(12).u16(1).u16(4).u16(48).u16(1).u16(49).u16(1).u16(50).u16(4);
            sets.add(set(1, layout));
            Wire told;
            told.u32(0).u8(kSampler).u8(2).u32(options_.sampling);
            sets.add(set(kOptions, told));
            count += 2;
        }
    }
    sets.add(data(flows, options_.format, unix_seconds));
    Wire out;
    out.u16(9).u16(count).u32(kUptimeMs).u32(unix_seconds).u32(sequence_++).u32(options_.domain).add(sets);
    return out.text;
}

std::string FlowEncoder::ipfix(std::span<const Flow> flows, std::uint32_t unix_seconds, bool with_templates) {
    Wire sets;
    std::uint32_t records = static_cast<std::uint32_t>(flows.size());
    if (with_templates) {
        Wire templates = template_of(kTemplate4, elements(false, options_.format));
        templates.add(template_of(kTemplate6, elements(true, options_.format)));
        sets.add(set(2, templates));
        if (options_.announces_sampling) {
            Wire layout;  // scope: the selector; algorithm, sampled packets, packets between
            layout.u16(kOptions).u16(4).u16(1).u16(302).u16(4).u16(304).u16(2).u16(305).u16(4).u16(306).u16(
                4);
            sets.add(set(3, layout));
            Wire told;
            told.u32(kSampler).u16(1).u32(1).u32(options_.sampling - 1);
            sets.add(set(kOptions, told));
            records += 1;
        }
    }
    sets.add(data(flows, options_.format, unix_seconds));
    Wire out;
    out.u16(10).u16(static_cast<std::uint32_t>(sets.text.size() + 16)).u32(unix_seconds).u32(sequence_);
    out.u32(options_.domain).add(sets);
    sequence_ += records;
    return out.text;
}

std::vector<std::string> FlowEncoder::sflow5(std::span<const Flow> flows) {
    constexpr std::uint32_t kSamplesPerDatagram = 8;  // stays within 1500 bytes, as agents do
    std::vector<std::string> datagrams;
    Wire samples;
    std::uint32_t count = 0;
    const auto finish = [&] {
        Wire out;
        out.u32(5).u32(1).add({127, 0, 0, 1}).u32(options_.domain).u32(++sequence_).u32(kUptimeMs).u32(count);
        datagrams.push_back(out.add(samples).text);
        samples = {};
        count = 0;
    };
    for (const Flow& flow : flows) {
        for (std::uint32_t packet = 0; packet < flow.packets; ++packet) {
            const std::uint32_t frame_length = flow.bytes / flow.packets;
            const Wire header = packet_header(flow, frame_length);
            Wire raw;  // raw packet header: Ethernet, length, stripped, header
            raw.u32(1).u32(frame_length).u32(0).u32(header.text.size()).add(header).pad_to(4);
            pool_ += options_.sampling;
            Wire sample;
            sample.u32(++samples_).u32(flow.input_interface).u32(options_.sampling).u32(pool_).u32(0);
            sample.u32(flow.input_interface).u32(flow.output_interface).u32(1);
            sample.u32(1).u32(raw.text.size()).add(raw);
            samples.u32(1).u32(sample.text.size()).add(sample);
            if (++count == kSamplesPerDatagram) finish();
        }
    }
    if (count > 0) finish();
    return datagrams;
}

}  // namespace cam::simulator
