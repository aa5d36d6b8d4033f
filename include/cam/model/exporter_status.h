#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/sampling_rate.h"

namespace cam {

/// What an operator wants to know of an exporter that was heard: whether it still sends, what was lost, and
/// above all which sampling rate its flows are multiplied by and who said so. A value type.
struct ExporterStatus {
    explicit ExporterStatus(const ExporterKey& of) : exporter(of) {}

    /// A rate in use.
    struct Sampling {
        ExportProtocol protocol = ExportProtocol::kNetflow9;
        std::uint32_t domain = 0;   ///< observation domain, source id or sub-agent
        std::uint64_t sampler = 0;  ///< sampler or selector id, interface, or sFlow data source
        SamplingRate rate = SamplingRate::every();
        SamplingSource source = SamplingSource::kNone;
    };

    ExporterKey exporter;
    std::vector<ExportProtocol> protocols;  ///< those it has spoken
    std::optional<WallTime> last_seen;      ///< none: only known from before the last start
    std::uint64_t templates = 0;            ///< held now
    std::uint64_t datagrams = 0;            ///< this count and those below: since the start
    std::uint64_t flow_records = 0;
    std::uint64_t lost_datagrams = 0;  ///< gaps of sequences that count datagrams
    std::uint64_t lost_records = 0;    ///< gaps of sequences that count records
    /// Reason (the label of cam_flow_dropped_total) and count.
    std::vector<std::pair<std::string, std::uint64_t>> dropped;
    std::vector<Sampling> sampling;
};

}  // namespace cam
