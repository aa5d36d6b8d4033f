#include "decode/flow_set.h"

#include <limits>
#include <span>

namespace cam::decode {

FlowSet::FlowSet(const Program& program, const SetContext& context, const SamplingTable::View& sampling)
    : program_(program), context_(context), sampling_(sampling) {
    prototype_.fields = program.fields();
    if (program.needs_uptime() && !context.has_uptime) {
        prototype_.fields.remove(FlowField::kStart);
        prototype_.fields.remove(FlowField::kEnd);
    }
    prototype_.export_protocol = context.protocol;
    prototype_.domain = context.domain;
    const bool names_sampler = prototype_.has(FlowField::kSampler);
    if (const auto rate = sampling.default_rate(names_sampler)) set_rate(*rate, SamplingSource::kOptions);
    looks_up_rates_ = (names_sampler && !sampling.samplers.empty()) ||
                      (prototype_.has(FlowField::kInputInterface) && !sampling.interfaces.empty());
}

void FlowSet::set_rate(SamplingRate rate, SamplingSource source) {
    prototype_.sampling = rate;
    prototype_.sampling_source = source;
}

void FlowSet::look_up_rates(std::span<FlowRecord> records) const {
    for (FlowRecord& record : records) {
        if (record.sampling_source == SamplingSource::kRecord) continue;
        const auto rate = sampling_.rate_of(record);
        if (!rate) continue;
        record.sampling = *rate;
        record.sampling_source = SamplingSource::kOptions;
    }
}

FlowSet::Outcome FlowSet::decode(ByteReader body, RecordBatch& batch) const {
    return program_.is_variable() ? decode_variable(body, batch) : decode_fixed(body, batch);
}

FlowSet::Outcome FlowSet::decode_fixed(ByteReader body, RecordBatch& batch) const {
    Outcome outcome;
    const std::size_t stride = program_.record_bytes();
    std::size_t left = body.remaining() / stride;
    outcome.records = static_cast<std::uint32_t>(left);
    while (left > 0) {
        const std::span<FlowRecord> records = batch.add_several(left, prototype_);
        if (records.empty()) {
            batch.refuse(left);
            break;
        }
        const auto carved = body.sub(records.size() * stride);  // fits: `left` was taken from it
        if (!carved) break;
        program_.run(Rows{.first = carved->rest().data(),
                          .stride = stride,
                          .out = records.data(),
                          .count = records.size(),
                          .context = &context_});
        if (looks_up_rates_) look_up_rates(records);
        outcome.last_rate = records.back().sampling;
        outcome.last_source = records.back().sampling_source;
        left -= records.size();
    }
    return outcome;
}

FlowSet::Outcome FlowSet::decode_variable(ByteReader body, RecordBatch& batch) const {
    Outcome outcome;
    std::uint64_t refused = 0;
    while (body.remaining() >= program_.record_bytes()) {
        if (batch.budget_left() == 0) {
            const auto bytes = program_.measure(body);
            outcome.is_damaged = !bytes || !body.skip(*bytes);
            if (outcome.is_damaged) break;
            ++refused;
            ++outcome.records;
            continue;
        }
        FlowRecord* const record = batch.add(prototype_);
        if (record == nullptr || !program_.run_variable(body, context_, *record)) {
            batch.take_back();
            outcome.is_damaged = true;
            break;
        }
        ++outcome.records;
        if (looks_up_rates_) look_up_rates({record, 1});
        outcome.last_rate = record->sampling;
        outcome.last_source = record->sampling_source;
    }
    if (refused > 0) batch.refuse(refused);
    return outcome;
}

}  // namespace cam::decode
