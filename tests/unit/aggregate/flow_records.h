#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"
#include "cam/model/prefix.h"
#include "cam/model/traffic.h"

namespace cam::aggregate {

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
};

/// A record of UDP with bytes and packets, as a NetFlow exporter with a sampler would tell it.
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
    return record;
}

inline const Volume& of(const PrefixMinute& minute, TrafficClass which) {
    return minute.classes[static_cast<std::size_t>(which)];
}

}  // namespace cam::aggregate
