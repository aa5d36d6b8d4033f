#include "decode/sflow.h"

#include <cstddef>
#include <cstdint>
#include <optional>

#include "decode/fixed_bytes.h"
#include "decode/sflow_address.h"
#include "decode/sflow_sample.h"

namespace cam::decode {
namespace {

// data_format of a sample: enterprise 0 in the upper 20 bits, format in the lower 12.
constexpr std::uint32_t kFlowSample = 1;
constexpr std::uint32_t kCounterSample = 2;
constexpr std::uint32_t kExpandedFlowSample = 3;
constexpr std::uint32_t kExpandedCounterSample = 4;
constexpr std::uint32_t kDiscardedPacket = 5;

/// An interface as the expanded form writes it.
struct Interface {
    std::uint32_t format;
    std::uint32_t value;
};

/// What stands before the records of a flow sample, compact or expanded.
struct SampleHead {
    std::uint64_t source;  ///< type << 32 | index
    std::uint32_t rate;
    std::uint32_t drops;
    Interface input;
    Interface output;
    std::uint32_t records;
};

Interface unpack_interface(std::uint32_t compact) noexcept {
    return {.format = compact >> 30U, .value = compact & 0x3fffffffU};
}

std::optional<SampleHead> read_compact(ByteReader& sample) noexcept {
    const auto head = take<32>(sample);
    if (!head) return std::nullopt;
    const std::uint32_t source = head.u32<4>();
    return SampleHead{.source = std::uint64_t{source >> 24U} << 32U | (source & 0xffffffU),
                      .rate = head.u32<8>(),
                      .drops = head.u32<16>(),
                      .input = unpack_interface(head.u32<20>()),
                      .output = unpack_interface(head.u32<24>()),
                      .records = head.u32<28>()};
}

std::optional<SampleHead> read_expanded(ByteReader& sample) noexcept {
    const auto head = take<44>(sample);
    if (!head) return std::nullopt;
    return SampleHead{.source = std::uint64_t{head.u32<4>()} << 32U | head.u32<8>(),
                      .rate = head.u32<12>(),
                      .drops = head.u32<20>(),
                      .input = {.format = head.u32<24>(), .value = head.u32<28>()},
                      .output = {.format = head.u32<32>(), .value = head.u32<36>()},
                      .records = head.u32<40>()};
}

/// Index 0 is unknown, and the all ones of 30 bits are the device itself.
bool is_known(const Interface& interface) noexcept {
    constexpr std::uint32_t kSingle = 0;
    constexpr std::uint32_t kDevice = 0x3fffffff;
    return interface.format == kSingle && interface.value != 0 && interface.value < kDevice;
}

/// "Packet discarded" with its reason, as IPFIX's forwardingStatus (RFC 7270 4.12) says it.
std::uint8_t forwarding_status_of(std::uint32_t reason) noexcept {
    switch (reason) {
        case 257:
            return 137;  // TTL exceeded: dropped, bad TTL
        case 258:
            return 129;  // access list: dropped, ACL deny
        default:
            return 128;  // dropped, unknown
    }
}

void set_interfaces(const SampleHead& head, FlowRecord& record) noexcept {
    constexpr std::uint32_t kDiscarded = 1;
    if (is_known(head.input)) {
        record.input_interface = head.input.value;
        record.fields.add(FlowField::kInputInterface);
    }
    if (is_known(head.output)) {
        record.output_interface = head.output.value;
        record.fields.add(FlowField::kOutputInterface);
    }
    if (head.output.format == kDiscarded) {
        record.forwarding_status = forwarding_status_of(head.output.value);
        record.fields.add(FlowField::kForwardingStatus);
    }
}

/// One datagram on its way into a batch.
class Datagram {
public:
    Datagram(RecordBatch& batch, DecodeReport& report, SflowExporter& exporter,
             const SflowExporter::Room& room)
        : batch_(batch), report_(report), exporter_(exporter), room_(room) {}

    /// Agent, sequence and samples; `body` begins behind the version.
    void read(ByteReader body);

private:
    void read_sample(std::uint32_t format, ByteReader sample);
    void read_flow_sample(const std::optional<SampleHead>& head, ByteReader records);
    void drop(DropReason reason) noexcept { ++report_.dropped[static_cast<std::size_t>(reason)]; }

    RecordBatch& batch_;
    DecodeReport& report_;
    SflowExporter& exporter_;
    const SflowExporter::Room& room_;
    SflowExporter::Agent agent_;
    FlowRecord prototype_;
};

void Datagram::read(ByteReader body) {
    const std::optional<SflowAddress> agent = read_sflow_address(body);
    const auto head = take<16>(body);  // sub-agent, sequence, uptime in ms, samples
    if (!agent || !head) return drop(DropReason::kMalformed);
    agent_ = exporter_.saw({.agent = agent->address.value_or(IpAddress::v4({})),
                            .sub_agent = head.u32<0>(),
                            .sequence = head.u32<4>(),
                            .uptime_ms = head.u32<8>()},
                           room_, report_);
    prototype_.export_protocol = ExportProtocol::kSflow5;
    prototype_.domain = head.u32<0>();
    prototype_.packets = 1;
    prototype_.fields.add(FlowField::kPackets);
    prototype_.fields.add(FlowField::kSampler);
    // Each turn consumes at least eight bytes, whatever the count claims. What lies behind the samples is
    // padding.
    for (std::uint32_t left = head.u32<12>(); left > 0; --left) {
        const auto about = take<8>(body);
        if (!about) return drop(DropReason::kMalformed);
        const std::optional<ByteReader> sample = body.sub(about.u32<4>());
        if (!sample) return drop(DropReason::kMalformed);
        read_sample(about.u32<0>(), *sample);
    }
}

void Datagram::read_sample(std::uint32_t format, ByteReader sample) {
    switch (format) {
        case kFlowSample: {
            const std::optional<SampleHead> head = read_compact(sample);
            return read_flow_sample(head, sample);
        }
        case kExpandedFlowSample: {
            const std::optional<SampleHead> head = read_expanded(sample);
            return read_flow_sample(head, sample);
        }
        case kCounterSample:
        case kExpandedCounterSample:
            ++report_.counter_samples;
            return;
        case kDiscardedPacket:
            ++report_.discarded_packets;
            return;
        default:
            return drop(DropReason::kUnsupported);
    }
}

void Datagram::read_flow_sample(const std::optional<SampleHead>& head, ByteReader records) {
    if (!head) return drop(DropReason::kMalformed);
    exporter_.saw_sample(agent_, head->source, head->rate, head->drops, room_, report_);
    FlowRecord* const record = batch_.add(prototype_);
    if (record == nullptr) return;  // the batch has counted it
    record->sampler = head->source;
    if (const std::optional<SamplingRate> rate = SamplingRate::one_in(head->rate)) {
        record->sampling = *rate;
        record->sampling_source = SamplingSource::kSflowSample;
    }
    set_interfaces(*head, *record);
    if (!read_sampled_packet(records, head->records, *record, report_)) {
        batch_.take_back();
        drop(DropReason::kMalformed);
    }
}

}  // namespace

void decode_sflow(ByteReader datagram, RecordBatch& batch, DecodeReport& report, SflowExporter& exporter,
                  const SflowExporter::Room& room) {
    const std::optional<std::uint32_t> version = datagram.u32();
    if (version == 5U) {
        report.protocol = ExportProtocol::kSflow5;
        Datagram{batch, report, exporter, room}.read(datagram);
        return;
    }
    // NOLINTNEXTLINE(misc-redundant-expression): clang-tidy 14 does not see that the numbers differ
    const bool is_older = version == 2U || version == 4U;
    const DropReason reason = is_older ? DropReason::kUnsupported : DropReason::kUnknownVersion;
    ++report.dropped[static_cast<std::size_t>(reason)];
}

}  // namespace cam::decode
