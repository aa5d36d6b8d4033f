#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "cam/model/exporter.h"
#include "cam/model/sampling_rate.h"
#include "decode/sampling_table.h"
#include "decode/sequence_tracker.h"
#include "decode/sflow_exporter.h"
#include "decode/template_table.h"

namespace cam::decode {

/// What is kept of one observation domain (v9 source id, v5 engine) of an exporter.
struct DomainState {
    ExportProtocol protocol = ExportProtocol::kNetflow5;
    std::uint32_t domain = 0;
    SequenceTracker sequence;
    std::optional<std::int64_t> boot_ms;  ///< when its uptime began (IPFIX, element 160)
    /// The rate in use, of the last record; nullopt before the first.
    std::optional<SamplingRate> rate;
    SamplingSource source = SamplingSource::kNone;
    SteadyTime seen{};
};

/// A data set whose template has not come yet.
struct HeldSet {
    TemplateKey key;
    SetContext context;
    SteadyTime since{};
    std::vector<std::uint8_t> body;
};

/// Everything that is kept of one exporter. One thread at a time.
struct ExporterState {
    explicit ExporterState(const ExporterKey& exporter) : key(exporter) {}

    ExporterKey key;
    TemplateTable templates;
    SamplingTable sampling;
    SflowExporter sflow;
    std::vector<HeldSet> held;
    std::size_t held_bytes = 0;

    std::uint64_t datagrams = 0;
    std::uint64_t flow_records = 0;
    std::uint64_t lost_datagrams = 0;
    std::uint64_t lost_records = 0;
    std::array<std::uint64_t, kDropReasonCount> dropped{};
    SteadyTime last_seen{};
    SteadyTime last_decoded{};                           ///< when a flow record came of it
    std::array<bool, kExportProtocolCount> protocols{};  ///< spoken, since the start
    bool is_pinned = false;
    bool has_decoded = false;
    bool is_changed = false;  ///< templates or sampling, since they were last saved

    /// nullptr: not known.
    DomainState* find_domain(ExportProtocol protocol, std::uint32_t id);
    /// Whether one more domain may be kept.
    enum class Growth : std::uint8_t { kAllowed, kRefused };
    /// The state of a domain; made if it is not known: in the place of the one that was silent longest if
    /// there are too many, or if growth is refused and there is one.
    DomainState& domain(ExportProtocol protocol, std::uint32_t id, SteadyTime now,
                        Growth growth = Growth::kAllowed);
    [[nodiscard]] const std::vector<DomainState>& domains() const noexcept { return domains_; }
    /// Of templates, sampling, domains and sFlow's sources, with what reports show of them. What a stranger
    /// may make grow, but for held sets, which are counted on their own.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;
    /// Adds up what a datagram gave; `already` are drops that were noted elsewhere.
    void note(const DecodeReport& report,
              const std::array<std::uint64_t, kDropReasonCount>& already) noexcept;
    [[nodiscard]] ExporterReport report() const;

    static constexpr std::size_t kMostDomains = 64;

private:
    std::vector<DomainState> domains_;
};

}  // namespace cam::decode
