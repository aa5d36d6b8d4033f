#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::decode {

/// Takes what a datagram held, in batches.
class FlowSink {
public:
    virtual ~FlowSink() = default;
    /// `records` are valid during the call only. Not called without records.
    virtual void take(const ExporterKey& exporter, std::span<const FlowRecord> records) = 0;
};

/// Why something was not decoded; each is counted, nothing is dropped in silence. A closed set: the label
/// `reason` of cam_flow_dropped_total.
enum class DropReason : std::uint8_t {
    kUnknownVersion,  ///< datagrams: none of the protocols
    kMalformed,       ///< sets, samples or datagrams whose lengths do not fit
    kNoTemplate,      ///< data sets whose template never came while they were held
    kBadTemplate,     ///< templates refused: no field, too many, record length zero
    kTemplateLimit,   ///< templates refused: the exporter has its share
    kExporterLimit,   ///< datagrams: no room for one more exporter
    kBudget,          ///< records beyond what one datagram may yield
    kUnsupported,     ///< well-formed but not understood (sFlow versions before 5, NetFlow v1, v7, v8)
};
inline constexpr std::size_t kDropReasonCount = 8;
[[nodiscard]] const char* name(DropReason reason);

/// What one datagram gave. Counts of this datagram only; held sets of any exporter that ran out of time when
/// it came are among its drops.
struct DecodeReport {
    std::optional<ExportProtocol> protocol;  ///< none: not recognised
    std::uint64_t flow_records = 0;
    std::uint64_t bytes = 0;    ///< observed, summed over the records with kBytes; saturating
    std::uint64_t packets = 0;  ///< observed
    std::uint64_t templates = 0;
    std::uint64_t options_templates = 0;
    std::uint64_t options_records = 0;
    std::uint64_t counter_samples = 0;
    std::uint64_t discarded_packets = 0;      ///< notifications of sFlow; no flow records
    std::uint64_t sets_without_template = 0;  ///< at arrival; some may be decoded later, see held
    std::uint64_t sets_held = 0;
    std::uint64_t records_from_held = 0;  ///< part of flow_records: their template has come now
    std::uint64_t lost_datagrams = 0;     ///< a gap of the sequence, where it counts datagrams (v9, sFlow)
    std::uint64_t lost_records = 0;       ///< a gap of the sequence, where it counts records (v5, IPFIX)
    std::uint64_t late_datagrams = 0;     ///< overtaken by others: were counted as lost before, and are here
    std::uint64_t late_records = 0;
    std::uint64_t evicted_exporters = 0;  ///< strangers that gave way to this sender
    std::array<std::uint64_t, kDropReasonCount> dropped{};
};

/// What a sampling rate is told of.
enum class SamplingScope : std::uint8_t {
    kDomain,     ///< all of an observation domain: what its last record was counted with
    kSampler,    ///< a sampler or selector id
    kInterface,  ///< an input interface
    kSource,     ///< an sFlow data source
};

/// What is known of an exporter; a copy.
struct ExporterReport {
    ExporterKey exporter;
    struct Sampling {
        ExportProtocol protocol;
        std::uint32_t domain = 0;
        SamplingScope scope = SamplingScope::kDomain;
        std::uint64_t sampler = 0;  ///< id of the sampler, interface or data source; 0: of the domain
        SamplingRate rate;
        SamplingSource source;
    };
    std::vector<Sampling> sampling;
    std::size_t templates = 0;  ///< known now, without options templates
    std::size_t options_templates = 0;
    std::uint64_t datagrams = 0;
    std::uint64_t flow_records = 0;
    std::uint64_t lost_datagrams = 0;  ///< less those that came late after all
    std::uint64_t lost_records = 0;
    std::array<std::uint64_t, kDropReasonCount> dropped{};
    SteadyTime last_seen{};
    std::array<bool, kExportProtocolCount> protocols{};  ///< those it has spoken, decoded or not
};

/// Decodes NetFlow v5, v9 (RFC 3954), IPFIX (RFC 7011) and sFlow v5 as they come, told apart by their version
/// field. Owns the templates, sampling rates and sequence numbers of every exporter it has seen, all bounded.
/// Never fails and never throws on input. One thread at a time; each flow worker owns one.
class Decoder {
public:
    /// docs/security.md explains the defaults and the memory they add up to.
    struct Options {
        std::size_t exporters = 4096;  ///< beside pinned ones; beyond: strangers silent longest give way
        std::size_t templates_per_exporter = 1024;                          ///< over all its domains
        std::size_t template_bytes_per_exporter = std::size_t{512} * 1024;  ///< as they lie in memory
        std::chrono::seconds template_idle{1800};  ///< unused so long, a template gives way to a new one
        std::size_t fields_per_template = 512;     ///< at most 1024
        /// Templates, sampling rates, domains and data sources of all exporters that are not pinned, with
        /// what the reports show of them.
        std::size_t stranger_bytes = std::size_t{32} * 1024 * 1024;
        /// A stranger whose flow records were decoded in this time gives way to nobody.
        std::chrono::seconds exporter_idle{300};
        std::size_t records_per_datagram = 16'384;
        std::size_t held_sets_per_exporter = 16;
        std::size_t held_bytes_per_exporter = 16'384;
        std::size_t held_bytes = std::size_t{4} * 1024 * 1024;  ///< over all exporters
        std::chrono::seconds held_for{60};
    };
    /// `sink` must outlive the decoder.
    Decoder(Options options, FlowSink& sink);
    ~Decoder();

    /// Decodes one datagram (a UDP payload). `received` is ours; `now` drives expiry.
    DecodeReport decode(const ExporterKey& exporter, std::span<const std::uint8_t> datagram,
                        WallTime received, SteadyTime now);

    /// These exporters are the operator's routers: nobody's datagram makes them give way.
    void pin(std::span<const ExporterKey> exporters);

    [[nodiscard]] std::vector<ExporterReport> exporters() const;
    [[nodiscard]] std::size_t template_count() const;

    /// Templates and sampling of one exporter as bytes that `restore` reads, in a format of our own with a
    /// version and a checksum.
    struct SavedState {
        ExporterKey exporter;
        std::string bytes;
    };
    /// Those whose templates or sampling changed since the last call, at most `most` of them.
    std::vector<SavedState> take_changed(std::size_t most);
    /// Before the first decode. False, and nothing taken over, if the bytes are damaged or of another
    /// version.
    bool restore(const SavedState& saved, SteadyTime now);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::decode
