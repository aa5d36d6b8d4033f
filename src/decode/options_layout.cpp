#include "decode/options_layout.h"

#include <array>

#include "decode/rates.h"
#include "decode/variable_length.h"

namespace cam::decode {
namespace {

constexpr std::size_t kMostDatagramBytes = 65535;
constexpr std::size_t kMeanings = 12;
constexpr std::uint64_t kLatestMs = 253'402'300'799'999;  // the year 9999
constexpr std::uint16_t kNetflow9ScopeInterface = 2;

}  // namespace

OptionsLayout::Meaning OptionsLayout::meaning_of(ExportProtocol protocol, const TemplateField& field) {
    if (field.enterprise != 0) return Meaning::kNothing;
    if (protocol == ExportProtocol::kNetflow9 && field.is_scope) {
        // System, interface, line card, cache and template are numbered 1 to 5 here, and are no elements.
        if (field.id == kNetflow9ScopeInterface) return Meaning::kInterface;
        if (field.id <= 5) return Meaning::kNothing;
    }
    switch (field.id) {
        case 10:   // ingressInterface
        case 252:  // ingressPhysicalInterface
            return Meaning::kInterface;
        case 34:  // samplingInterval
        case 50:  // samplerRandomInterval
            return Meaning::kInterval;
        case 48:   // samplerId
        case 302:  // selectorId
            return Meaning::kSampler;
        case 149:  // observationDomainId
            return Meaning::kDomain;
        case 160:  // systemInitTimeMilliseconds
            return Meaning::kBoot;
        case 305:
            return Meaning::kTaken;
        case 306:
            return Meaning::kLeftOut;
        case 309:
            return Meaning::kSize;
        case 310:
            return Meaning::kPopulation;
        case 311:
            if (field.length == 4) return Meaning::kBriefProbability;
            return field.length == 8 ? Meaning::kProbability : Meaning::kNothing;
        default:
            return Meaning::kNothing;
    }
}

std::optional<OptionsLayout> OptionsLayout::compile(ExportProtocol protocol,
                                                    std::span<const TemplateField> fields) {
    OptionsLayout layout;
    layout.fields_.reserve(fields.size());
    for (const TemplateField& field : fields) {
        layout.record_bytes_ += field.length == kVariableLength ? 1 : field.length;
        if (layout.record_bytes_ > kMostDatagramBytes) return std::nullopt;
        layout.fields_.push_back(Field{.length = field.length, .meaning = meaning_of(protocol, field)});
    }
    if (layout.record_bytes_ == 0) return std::nullopt;
    return layout;
}

std::size_t OptionsLayout::memory_bytes() const noexcept {
    return fields_.capacity() * sizeof(Field);
}

std::optional<OptionsRecord> OptionsLayout::read(ByteReader& rest) const {
    std::array<std::optional<std::uint64_t>, kMeanings> told{};
    for (const Field& field : fields_) {
        const auto length = value_length(field.length, rest);
        std::optional<ByteReader> value;
        if (length) value = rest.sub(*length);
        if (!value) return std::nullopt;
        auto& place = told[static_cast<std::size_t>(field.meaning)];
        // The first occurrence counts; a number of no bytes says nothing.
        if (field.meaning == Meaning::kNothing || place || value->empty()) continue;
        place = value->unsigned_of(value->remaining());
    }
    const auto of = [&told](Meaning meaning) { return told[static_cast<std::size_t>(meaning)]; };
    OptionsRecord record{.sampler = of(Meaning::kSampler),
                         .interface = of(Meaning::kInterface),
                         .domain = std::nullopt,
                         .one_in = of(Meaning::kInterval),
                         .boot_ms = std::nullopt};
    if (const auto domain = of(Meaning::kDomain)) record.domain = static_cast<std::uint32_t>(*domain);
    if (const auto boot = of(Meaning::kBoot); boot && *boot <= kLatestMs) {
        record.boot_ms = static_cast<std::int64_t>(*boot);
    }
    const auto take = [&record](std::uint64_t one_in) {
        if (record.one_in.value_or(0) == 0 && one_in != 0) record.one_in = one_in;
    };
    if (const auto taken = of(Meaning::kTaken)) {
        const auto left_out = of(Meaning::kLeftOut);
        take(left_out ? one_in_by_space(*taken, *left_out) : *taken);
    }
    if (of(Meaning::kSize) && of(Meaning::kPopulation)) {
        take(one_in_by_population(*of(Meaning::kSize), *of(Meaning::kPopulation)));
    }
    if (const auto bits = of(Meaning::kProbability)) take(one_in_by_probability(*bits, 8));
    if (const auto bits = of(Meaning::kBriefProbability)) take(one_in_by_probability(*bits, 4));
    return record;
}

}  // namespace cam::decode
