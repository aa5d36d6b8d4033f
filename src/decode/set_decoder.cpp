#include "decode/set_decoder.h"

#include <algorithm>
#include <utility>

#include "decode/flow_set.h"
#include "decode/rates.h"

namespace cam::decode {
namespace {

constexpr std::size_t kSetHeadBytes = 4;

/// The format of the templates in a set of this id; nullopt if it holds none.
std::optional<TemplateFormat> template_format(ExportProtocol protocol, std::uint16_t set_id) {
    if (protocol == ExportProtocol::kNetflow9) {
        if (set_id == 0) return TemplateFormat::kNetflow9;
        if (set_id == 1) return TemplateFormat::kNetflow9Options;
        return std::nullopt;
    }
    if (set_id == 2) return TemplateFormat::kIpfix;
    if (set_id == 3) return TemplateFormat::kIpfixOptions;
    return std::nullopt;
}

bool is_all_zero(ByteReader reader) {
    const auto rest = reader.rest();
    return std::all_of(rest.begin(), rest.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

void SetDecoder::drop(DropReason reason) {
    ++place_.report.dropped[static_cast<std::size_t>(reason)];
}

DomainState& SetDecoder::Place::domain(ExportProtocol protocol, std::uint32_t id) const {
    if (DomainState* const known = exporter.find_domain(protocol, id)) {
        known->seen = now;
        return *known;
    }
    using Growth = ExporterState::Growth;
    const std::size_t before = exporter.memory_bytes();
    DomainState& made = exporter.domain(protocol, id, now, has_room() ? Growth::kAllowed : Growth::kRefused);
    exporters.account(exporter, before, exporter.memory_bytes());
    return made;
}

void SetDecoder::decode(ByteReader sets) {
    while (!sets.empty()) {
        const ByteReader from_here = sets;
        const auto id = sets.u16();
        const auto length = sets.u16();
        std::optional<ByteReader> body;
        if (length && *length >= kSetHeadBytes) body = sets.sub(*length - kSetHeadBytes);
        if (!body) {
            // Some exporters fill their datagrams up with zeros.
            if (is_all_zero(from_here)) return;
            drop(DropReason::kMalformed);
            is_countable_ = false;
            return;
        }
        decode_set(*id, *body);
    }
}

void SetDecoder::decode_set(std::uint16_t id, ByteReader body) {
    if (const auto format = template_format(context_.protocol, id)) return learn_templates(*format, body);
    if (id < kFirstDataSet) return drop(DropReason::kUnsupported);
    const TemplateKey key{.protocol = context_.protocol, .domain = context_.domain, .id = id};
    Template* const layout = place_.exporter.templates.find(key);
    if (layout != nullptr) {
        layout->used = place_.now;
        return decode_data(*layout, context_, body);
    }
    ++place_.report.sets_without_template;
    is_countable_ = false;
    hold(key, body);
}

void SetDecoder::hold(const TemplateKey& key, ByteReader body) {
    const auto bytes = body.rest();
    const ExporterState& exporter = place_.exporter;
    const bool has_room = exporter.held.size() < place_.options.held_sets_per_exporter &&
                          exporter.held_bytes + bytes.size() <= place_.options.held_bytes_per_exporter &&
                          place_.exporters.has_room_to_hold(bytes.size());
    if (!has_room || bytes.empty()) return drop(DropReason::kNoTemplate);
    place_.exporters.hold(
        place_.exporter,
        HeldSet{.key = key, .context = context_, .since = place_.now, .body = {bytes.begin(), bytes.end()}});
    ++place_.report.sets_held;
}

void SetDecoder::release(const TemplateKey& key) {
    if (place_.exporter.held.empty()) return;
    const auto waits = [&key](const HeldSet& set) { return set.key == key; };
    const std::vector<HeldSet> sets = place_.exporters.take_held(place_.exporter, waits);
    for (const HeldSet& set : sets) {
        const Template* const layout = place_.exporter.templates.find(key);
        if (layout == nullptr) return;
        // Not part of this datagram's own records, which the sequence counts.
        const std::uint32_t own = records_;
        const std::size_t budget = place_.batch.budget_left();
        decode_data(*layout, set.context, ByteReader{set.body});
        place_.report.records_from_held += budget - place_.batch.budget_left();
        records_ = own;
    }
}

void SetDecoder::learn_templates(TemplateFormat format, ByteReader set) {
    TemplateRecord record;
    while (!is_padding(set)) {
        if (!read_template(set, format, place_.options.fields_per_template, record)) {
            return drop(DropReason::kBadTemplate);
        }
        switch (record.kind) {
            case TemplateRecord::Kind::kTemplate:
                learn(format, record);
                break;
            case TemplateRecord::Kind::kWithdrawal:
                withdraw(format, record.id);
                break;
            case TemplateRecord::Kind::kRefused: {
                const TemplateKey key{context_.protocol, context_.domain, record.id};
                const std::size_t before = place_.exporter.memory_bytes();
                place_.exporter.is_changed |= place_.exporter.templates.forget(key);
                place_.exporters.account(place_.exporter, before, place_.exporter.memory_bytes());
                drop(DropReason::kBadTemplate);
                break;
            }
        }
    }
}

void SetDecoder::learn(TemplateFormat format, const TemplateRecord& record) {
    ExporterState& exporter = place_.exporter;
    const TemplateKey key{context_.protocol, context_.domain, record.id};
    const std::size_t before = exporter.memory_bytes();
    auto learned = TemplateTable::Learned::kNoRoom;
    if (place_.has_room()) {
        const TemplateTable::Limits limits{.templates = place_.options.templates_per_exporter,
                                           .bytes = place_.options.template_bytes_per_exporter,
                                           .idle = place_.options.template_idle};
        learned = exporter.templates.learn(key, format, record, limits, place_.now);
    }
    // Also one that is refused may have made others be forgotten.
    const std::size_t after = exporter.memory_bytes();
    place_.exporters.account(exporter, before, after);
    exporter.is_changed |= after != before || learned == TemplateTable::Learned::kNew;
    if (learned == TemplateTable::Learned::kBad) return drop(DropReason::kBadTemplate);
    if (learned == TemplateTable::Learned::kNoRoom) return drop(DropReason::kTemplateLimit);
    ++(is_options(format) ? place_.report.options_templates : place_.report.templates);
    if (learned == TemplateTable::Learned::kNew) release(key);
}

void SetDecoder::withdraw(TemplateFormat format, std::uint16_t id) {
    ExporterState& exporter = place_.exporter;
    const std::size_t before = exporter.memory_bytes();
    const std::uint16_t all = is_options(format) ? 3 : 2;
    if (id == all) {
        exporter.is_changed |=
            exporter.templates.forget_all(context_.protocol, context_.domain, is_options(format));
    } else {
        exporter.is_changed |= exporter.templates.forget({context_.protocol, context_.domain, id});
    }
    place_.exporters.account(exporter, before, exporter.memory_bytes());
}

void SetDecoder::decode_data(const Template& layout, const SetContext& context, ByteReader body) {
    if (layout.program) return decode_flows(*layout.program, context, body);
    decode_options(*layout.options, body);
}

void SetDecoder::decode_flows(const Program& program, const SetContext& context, ByteReader body) {
    const SamplingTable::View sampling = place_.exporter.sampling.view(context.protocol, context.domain);
    FlowSet set(program, context, sampling);
    const FlowSet::Outcome outcome = set.decode(body, place_.batch);
    records_ += outcome.records;
    if (outcome.is_damaged) {
        drop(DropReason::kMalformed);
        is_countable_ = false;
    }
    if (!outcome.last_rate) return;
    DomainState& domain = place_.domain(context.protocol, context.domain);
    domain.rate = outcome.last_rate;
    domain.source = outcome.last_source;
}

void SetDecoder::decode_options(const OptionsLayout& layout, ByteReader body) {
    while (body.remaining() >= layout.record_bytes()) {
        const auto record = layout.read(body);
        if (!record) {
            is_countable_ = false;
            return drop(DropReason::kMalformed);
        }
        ++records_;
        ++place_.report.options_records;
        take(*record);
    }
}

void SetDecoder::take(const OptionsRecord& record) {
    const std::uint32_t domain = record.domain.value_or(context_.domain);
    if (record.boot_ms) {
        place_.domain(context_.protocol, domain).boot_ms = record.boot_ms;
        if (domain == context_.domain) set_uptime(context_, *record.boot_ms);
    }
    const auto rate = rate_of(record.one_in.value_or(0));
    if (!rate) return;
    const auto key = [&](SamplingScope scope, std::uint64_t id) {
        return SamplingTable::Key{.protocol = context_.protocol, .scope = scope, .domain = domain, .id = id};
    };
    // Of the sampler of an interface: flow records may name either.
    if (record.sampler) tell_rate(key(SamplingScope::kSampler, *record.sampler), *rate);
    if (record.interface) tell_rate(key(SamplingScope::kInterface, *record.interface), *rate);
    if (!record.sampler && !record.interface) tell_rate(key(SamplingScope::kDomain, 0), *rate);
}

void SetDecoder::tell_rate(const SamplingTable::Key& key, SamplingRate rate) {
    ExporterState& exporter = place_.exporter;
    if (!exporter.sampling.knows(key) && !place_.has_room()) return;
    const std::size_t before = exporter.memory_bytes();
    exporter.is_changed |= exporter.sampling.tell(key, rate);
    place_.exporters.account(exporter, before, exporter.memory_bytes());
}

}  // namespace cam::decode
