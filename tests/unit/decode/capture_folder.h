#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "cam/base/byte_reader.h"
#include "cam/model/exporter.h"

// Captures of the folder that CAM_CAPTURES names: raw UDP payloads, or classic pcap files of Ethernet.
namespace cam::decode::test {

struct CapturedDatagram {
    ExporterKey exporter;
    std::vector<std::uint8_t> payload;
};

inline std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return {text.begin(), text.end()};
}

/// The UDP payload of an Ethernet frame; none if it holds none.
inline std::vector<CapturedDatagram> udp_of(ByteReader frame) {
    frame.skip(12);
    auto type = frame.u16();
    while (type == 0x8100U && frame.skip(2)) type = frame.u16();
    std::optional<IpAddress> source;
    if (type == 0x0800U) {
        const std::size_t words = frame.u8().value_or(0) & 0xfU;
        frame.skip(8);
        const auto protocol = frame.u8();
        frame.skip(2);
        const auto address = frame.bytes<4>();
        if (protocol != 17U || !address) return {};
        source = IpAddress::v4(*address);
        frame.skip(4 + (words - 5) * 4);
    } else if (type == 0x86ddU) {
        frame.skip(6);
        const auto next = frame.u8();
        frame.skip(1);
        const auto address = frame.bytes<16>();
        if (next != 17U || !address) return {};
        source = IpAddress::v6(*address);
        frame.skip(16);
    } else {
        return {};
    }
    frame.skip(4);
    const auto length = frame.u16();
    frame.skip(2);
    if (!length || *length < 8U) return {};
    const auto payload = frame.sub(std::min<std::size_t>(*length - 8U, frame.remaining()));
    return {{.exporter = ExporterKey{*source}, .payload = {payload->rest().begin(), payload->rest().end()}}};
}

inline std::vector<CapturedDatagram> read_pcap(const std::vector<std::uint8_t>& bytes) {
    ByteReader reader{bytes};
    const bool is_swapped = reader.u32() == 0xd4c3b2a1U;
    reader.skip(20);
    std::vector<CapturedDatagram> out;
    while (reader.skip(8)) {
        auto length = reader.u32();
        reader.skip(4);
        if (!length) break;
        const auto frame = reader.sub(is_swapped ? __builtin_bswap32(*length) : *length);
        if (!frame) break;
        for (CapturedDatagram& one : udp_of(*frame)) out.push_back(std::move(one));
    }
    return out;
}

/// How long the message is that `bytes` begin with: some files hold several end to end.
inline std::size_t message_bytes(std::span<const std::uint8_t> bytes) {
    ByteReader reader{bytes};
    const auto version = reader.u16();
    const auto count = reader.u16();
    if (version == 5U && count) return std::min(bytes.size(), std::size_t{24} + std::size_t{48} * *count);
    if (version == 10U && count && *count > 0) return std::min<std::size_t>(bytes.size(), *count);
    if (version != 9U) return bytes.size();
    // NetFlow v9 tells no length, but no set has the id 9, with which the next message would begin.
    reader.skip(16);
    while (!reader.empty()) {
        const std::size_t at = bytes.size() - reader.remaining();
        const auto id = reader.u16();
        const auto length = reader.u16();
        if (id == 9U) return at;
        if (!length || *length < 4U || !reader.skip(*length - 4U)) break;
    }
    return bytes.size();
}

inline std::vector<CapturedDatagram> read_capture(const std::filesystem::path& path) {
    const std::vector<std::uint8_t> bytes = read_bytes(path);
    if (path.extension() == ".pcap") return read_pcap(bytes);
    std::vector<CapturedDatagram> out;
    std::span<const std::uint8_t> rest{bytes};
    while (!rest.empty()) {
        const auto one = rest.first(message_bytes(rest));
        out.push_back(
            {.exporter = ExporterKey{IpAddress::v4({192, 0, 2, 1})}, .payload = {one.begin(), one.end()}});
        rest = rest.subspan(one.size());
    }
    return out;
}

}  // namespace cam::decode::test
