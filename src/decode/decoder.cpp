#include "cam/decode/decoder.h"

#include <algorithm>
#include <utility>

#include "cam/base/byte_reader.h"
#include "decode/datagram_decoder.h"
#include "decode/exporter_table.h"
#include "decode/record_batch.h"
#include "decode/saved_state.h"
#include "decode/sflow.h"

namespace cam::decode {
namespace {

/// How often the sets of exporters that fell silent are looked through.
constexpr std::chrono::seconds kSweepEvery{10};

/// What the version field says: a protocol, or why it is none.
struct Recognized {
    std::optional<ExportProtocol> protocol;
    DropReason reason = DropReason::kUnknownVersion;
};

/// NetFlow and IPFIX begin with their version in 16 bits, sFlow with its in 32: 00 05 and 00 00 00 05.
Recognized recognize(ByteReader datagram) {
    const auto version = datagram.u16();
    if (!version) return {};
    switch (*version) {
        case 5:
            return {.protocol = ExportProtocol::kNetflow5};
        case 9:
            return {.protocol = ExportProtocol::kNetflow9};
        case 10:
            return {.protocol = ExportProtocol::kIpfix};
        case 1:
        case 7:
        case 8:
            return {.protocol = std::nullopt, .reason = DropReason::kUnsupported};
        case 0:
            break;
        default:
            return {};
    }
    switch (datagram.u16().value_or(0)) {
        case 5:
            return {.protocol = ExportProtocol::kSflow5};
        case 2:
        case 4:
            return {.protocol = std::nullopt, .reason = DropReason::kUnsupported};
        default:
            return {};
    }
}

}  // namespace

struct Decoder::State {
    State(const Options& given, FlowSink& sink)
        : options(given), exporters(given), batch(sink), netflow5(netflow5_program()) {}

    void sweep(SteadyTime now, DecodeReport& report);

    const Options options;
    ExporterTable exporters;
    RecordBatch batch;
    const Program netflow5;
    SteadyTime next_sweep{};
};

void Decoder::State::sweep(SteadyTime now, DecodeReport& report) {
    if (now < next_sweep) return;
    next_sweep = now + kSweepEvery;
    exporters.each([&](ExporterState& state) { exporters.expire_held(state, now, report); });
}

Decoder::Decoder(Options options, FlowSink& sink) : state_(std::make_unique<State>(options, sink)) {}
Decoder::~Decoder() = default;

DecodeReport Decoder::decode(const ExporterKey& exporter, std::span<const std::uint8_t> datagram,
                             WallTime /*received*/, SteadyTime now) {
    DecodeReport report;
    state_->sweep(now, report);
    const ByteReader reader{datagram};
    const auto [protocol, reason] = recognize(reader);
    if (!protocol) {
        ++report.dropped[static_cast<std::size_t>(reason)];
        return report;
    }
    report.protocol = protocol;
    ExporterState* const state = state_->exporters.find_or_add(exporter, now, report);
    if (state == nullptr) {
        ++report.dropped[static_cast<std::size_t>(DropReason::kExporterLimit)];
        return report;
    }
    state->protocols[static_cast<std::size_t>(*protocol)] = true;
    state_->exporters.expire_held(*state, now, report);
    const auto dropped_before = report.dropped;  // of others; each exporter's own is noted with it

    state_->batch.begin(exporter, state_->options.records_per_datagram, report);
    const SetDecoder::Place place{.options = state_->options,
                                  .exporters = state_->exporters,
                                  .exporter = *state,
                                  .batch = state_->batch,
                                  .report = report,
                                  .now = now};
    switch (*protocol) {
        case ExportProtocol::kNetflow5:
            decode_netflow5(reader, state_->netflow5, place);
            break;
        case ExportProtocol::kNetflow9:
            decode_netflow9(reader, place);
            break;
        case ExportProtocol::kIpfix:
            decode_ipfix(reader, place);
            break;
        case ExportProtocol::kSflow5: {
            const std::size_t before = state->memory_bytes();
            decode_sflow(reader, state_->batch, report, state->sflow, [&place] { return place.has_room(); });
            state_->exporters.account(*state, before, state->memory_bytes());
            break;
        }
    }
    state_->batch.end();

    if (report.flow_records > 0) state_->exporters.mark_decoding(*state, now);
    state->note(report, dropped_before);
    return report;
}

void Decoder::pin(std::span<const ExporterKey> exporters) {
    state_->exporters.pin(exporters);
}

std::vector<ExporterReport> Decoder::exporters() const {
    std::vector<ExporterReport> reports;
    state_->exporters.each([&reports](const ExporterState& state) { reports.push_back(state.report()); });
    return reports;
}

std::size_t Decoder::template_count() const {
    std::size_t sum = 0;
    state_->exporters.each([&sum](const ExporterState& state) { sum += state.templates.size(); });
    return sum;
}

std::vector<Decoder::SavedState> Decoder::take_changed(std::size_t most) {
    std::vector<SavedState> changed;
    state_->exporters.each([&](ExporterState& state) {
        // Whoever only ever sent templates may be anybody, and is not written down.
        const bool is_worth_it = state.is_pinned || state.has_decoded;
        if (!state.is_changed || !is_worth_it || changed.size() >= most) return;
        changed.push_back({.exporter = state.key, .bytes = save_state(state)});
        state.is_changed = false;
    });
    return changed;
}

bool Decoder::restore(const SavedState& saved, SteadyTime now) {
    ExporterState restored(saved.exporter);
    if (!restore_state(saved.bytes, state_->options, now, restored)) return false;
    return state_->exporters.adopt(std::move(restored), now);
}

}  // namespace cam::decode
