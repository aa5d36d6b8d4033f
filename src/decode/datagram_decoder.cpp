#include "decode/datagram_decoder.h"

#include <array>
#include <cstdint>

#include "cam/base/check.h"
#include "decode/flow_set.h"
#include "decode/rates.h"

namespace cam::decode {
namespace {

constexpr std::size_t kNetflow5RecordBytes = 48;
constexpr std::size_t kIpfixHeadBytes = 16;
constexpr std::uint16_t kPadding = 210;  // paddingOctets

void drop(DecodeReport& report, DropReason reason) {
    ++report.dropped[static_cast<std::size_t>(reason)];
}

/// Where a protocol counts records and an exporter datagrams, or the other way round, the loss is told in
/// what was counted.
void judge_sequence(DomainState& domain, const SequenceTracker::Header& header,
                    std::optional<SequenceTracker::Units> held, const SetDecoder::Place& place) {
    const SequenceTracker::Step step = domain.sequence.saw(header, held, place.now);
    const bool is_in_datagrams = (domain.protocol == ExportProtocol::kNetflow9) != step.is_in_habit_units;
    (is_in_datagrams ? place.report.lost_datagrams : place.report.lost_records) += step.lost;
    (is_in_datagrams ? place.report.late_datagrams : place.report.late_records) += step.late;
}

}  // namespace

Program netflow5_program() {
    constexpr std::array kFields{
        TemplateField{.id = 8, .length = 4},  TemplateField{.id = 12, .length = 4},
        TemplateField{.id = 15, .length = 4}, TemplateField{.id = 10, .length = 2},
        TemplateField{.id = 14, .length = 2}, TemplateField{.id = 2, .length = 4},
        TemplateField{.id = 1, .length = 4},  TemplateField{.id = 22, .length = 4},
        TemplateField{.id = 21, .length = 4}, TemplateField{.id = 7, .length = 2},
        TemplateField{.id = 11, .length = 2}, TemplateField{.id = kPadding, .length = 1},
        TemplateField{.id = 6, .length = 1},  TemplateField{.id = 4, .length = 1},
        TemplateField{.id = 5, .length = 1},  TemplateField{.id = 16, .length = 2},
        TemplateField{.id = 17, .length = 2}, TemplateField{.id = 9, .length = 1},
        TemplateField{.id = 13, .length = 1}, TemplateField{.id = kPadding, .length = 2},
    };
    std::optional<Program> program = Program::compile(kFields);
    check(program && program->record_bytes() == kNetflow5RecordBytes, "the layout of NetFlow v5 is wrong");
    return *std::move(program);
}

void decode_netflow5(ByteReader datagram, const Program& program, const SetDecoder::Place& place) {
    datagram.skip(sizeof(std::uint16_t));
    const auto count = datagram.u16();
    const auto uptime = datagram.u32();
    const auto seconds = datagram.u32();
    const auto nanoseconds = datagram.u32();
    const auto sequence = datagram.u32();
    const auto engine = datagram.u16();  // type and id
    const auto sampling = datagram.u16();
    if (!sampling) return drop(place.report, DropReason::kMalformed);

    constexpr std::uint32_t kSecond = 1'000'000'000;
    const std::int64_t fraction_ms = *nanoseconds < kSecond ? *nanoseconds / 1'000'000 : 0;
    const SetContext context{.protocol = ExportProtocol::kNetflow5,
                             .domain = *engine,
                             .export_ms = std::int64_t{*seconds} * 1000 + fraction_ms,
                             .uptime_ms = *uptime,
                             .has_uptime = true};
    std::size_t bytes = *count * kNetflow5RecordBytes;
    if (bytes > datagram.remaining()) {  // cut; what is whole counts
        drop(place.report, DropReason::kMalformed);
        bytes = datagram.remaining();
    }
    FlowSet set(program, context, {});
    // Two bits of mode in front; exporters that leave the mode at 0 mean the interval all the same.
    if (const auto rate = rate_of(*sampling & 0x3fffU)) set.set_rate(*rate, SamplingSource::kHeader);
    const FlowSet::Outcome outcome = set.decode(*datagram.sub(bytes), place.batch);

    DomainState& domain = place.domain(context.protocol, context.domain);
    if (outcome.last_rate) {
        domain.rate = outcome.last_rate;
        domain.source = outcome.last_source;
    }
    judge_sequence(domain, {.sequence = *sequence, .uptime_ms = *uptime},
                   SequenceTracker::Units{.by_standard = *count, .by_habit = 1}, place);
}

void decode_netflow9(ByteReader datagram, const SetDecoder::Place& place) {
    datagram.skip(2 * sizeof(std::uint16_t));
    const auto uptime = datagram.u32();
    const auto seconds = datagram.u32();
    const auto sequence = datagram.u32();
    const auto source_id = datagram.u32();
    if (!source_id) return drop(place.report, DropReason::kMalformed);
    const SetContext context{.protocol = ExportProtocol::kNetflow9,
                             .domain = *source_id,
                             .export_ms = std::int64_t{*seconds} * 1000,
                             .uptime_ms = *uptime,
                             .has_uptime = true};
    SetDecoder sets(place, context);
    sets.decode(datagram);
    DomainState& domain = place.domain(context.protocol, context.domain);
    judge_sequence(domain, {.sequence = *sequence, .uptime_ms = *uptime},
                   SequenceTracker::Units{.by_standard = 1, .by_habit = sets.records().value_or(1)}, place);
}

void decode_ipfix(ByteReader datagram, const SetDecoder::Place& place) {
    datagram.skip(sizeof(std::uint16_t));
    const auto length = datagram.u16();
    const auto seconds = datagram.u32();
    const auto sequence = datagram.u32();
    const auto domain_id = datagram.u32();
    if (!domain_id || *length < kIpfixHeadBytes) return drop(place.report, DropReason::kMalformed);
    SetContext context{.protocol = ExportProtocol::kIpfix,
                       .domain = *domain_id,
                       .export_ms = std::int64_t{*seconds} * 1000,
                       .uptime_ms = 0,
                       .has_uptime = false};
    const std::size_t told = *length - kIpfixHeadBytes;
    // Cut, or something behind the message: the sets that are whole count.
    if (told != datagram.remaining()) drop(place.report, DropReason::kMalformed);
    const std::size_t bytes = told < datagram.remaining() ? told : datagram.remaining();
    const auto boot = place.domain(context.protocol, context.domain).boot_ms;
    if (boot) set_uptime(context, *boot);
    SetDecoder sets(place, context);
    sets.decode(*datagram.sub(bytes));

    std::optional<SequenceTracker::Units> held;
    if (sets.records() && told == bytes) {
        held = SequenceTracker::Units{.by_standard = *sets.records(), .by_habit = 1};
    }
    judge_sequence(place.domain(context.protocol, context.domain),
                   {.sequence = *sequence, .uptime_ms = std::nullopt}, held, place);
}

}  // namespace cam::decode
