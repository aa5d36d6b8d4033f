#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"
#include "cam/model/prefix.h"
#include "cam/model/traffic.h"

/// Small flow records for tests, and short ways to write what they are made of.
namespace cam::test {

inline IpAddress address(std::string_view text) {
    return IpAddress::parse(text).value();
}
inline Prefix prefix(std::string_view text) {
    return Prefix::parse(text).value();
}
inline ExporterKey exporter(std::string_view text) {
    return ExporterKey{address(text)};
}
inline SamplingRate one_in(std::uint32_t n) {
    return SamplingRate::one_in(n).value();
}
inline IpAddress v4_address(std::uint32_t number) {
    return IpAddress::v4({static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
                          static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)});
}

inline constexpr MinuteTime kMinute{std::chrono::minutes{29'500'000}};

struct FlowOptions {
    std::uint64_t bytes = 1000;
    std::uint64_t packets = 10;
    std::uint8_t protocol = 17;
    std::optional<std::uint32_t> one_in = 1;  ///< none: the record tells no rate
    std::string_view source = {};             ///< empty: not told
    std::optional<std::uint16_t> source_port = std::nullopt;
    std::optional<std::uint16_t> destination_port = std::nullopt;
};

/// A record with bytes and packets, of UDP unless said otherwise, as a NetFlow exporter with a sampler would
/// tell it.
inline FlowRecord flow(const IpAddress& destination, const FlowOptions& options = {}) {
    FlowRecord record;
    record.fields = {FlowField::kDestination, FlowField::kProtocol, FlowField::kBytes, FlowField::kPackets};
    record.destination = destination;
    record.protocol = options.protocol;
    record.bytes = options.bytes;
    record.packets = options.packets;
    if (options.one_in) {
        record.sampling = SamplingRate::one_in(*options.one_in).value();
        record.sampling_source = SamplingSource::kOptions;
    }
    if (!options.source.empty()) {
        record.fields.add(FlowField::kSource);
        record.source = address(options.source);
    }
    if (options.source_port) {
        record.fields.add(FlowField::kSourcePort);
        record.source_port = *options.source_port;
    }
    if (options.destination_port) {
        record.fields.add(FlowField::kDestinationPort);
        record.destination_port = *options.destination_port;
    }
    return record;
}

inline const Volume& of(const PrefixMinute& minute, TrafficClass which) {
    return minute.classes[static_cast<std::size_t>(which)];
}

}  // namespace cam::test
