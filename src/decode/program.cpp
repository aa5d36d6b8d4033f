#include "decode/program.h"

#include <algorithm>
#include <array>

#include "decode/element.h"
#include "decode/variable_length.h"

namespace cam::decode {
namespace {

constexpr std::size_t kMostDatagramBytes = 65535;

/// Which field of a template each slot takes.
class Choice {
public:
    explicit Choice(std::span<const TemplateField> fields) {
        for (std::size_t i = 0; i < fields.size(); ++i) {
            // Elements of others, the reverse ones of RFC 5103 (29305) among them, are not ours to count.
            if (fields[i].enterprise != 0 || fields[i].is_scope) continue;
            const std::optional<Element> element = element_of(fields[i].id);
            if (!element) continue;
            if (column_run(element->kind, fields[i].length, WhenZero::kTake) == nullptr) continue;
            Candidate& best = candidates_[static_cast<std::size_t>(element->slot)];
            if (best.element && best.element->rank <= element->rank) continue;
            best = Candidate{.element = element, .at = i};
        }
    }
    struct Candidate {
        std::optional<Element> element;
        std::size_t at = 0;
    };
    [[nodiscard]] const Candidate& of(Slot slot) const { return candidates_[static_cast<std::size_t>(slot)]; }
    [[nodiscard]] bool has(Slot slot) const { return of(slot).element.has_value(); }

private:
    std::array<Candidate, kSlotCount> candidates_{};
};

/// The field of IPv6 that a record may have beside this one of IPv4.
std::optional<Slot> twin_of(Slot slot) {
    if (slot == Slot::kSource4) return Slot::kSource6;
    if (slot == Slot::kDestination4) return Slot::kDestination6;
    if (slot == Slot::kNextHop4) return Slot::kNextHop6;
    if (slot == Slot::kBgpNextHop4) return Slot::kBgpNextHop6;
    return std::nullopt;
}

/// The columns of a template whose fields begin at `offsets`, in the order in which they must run.
class ColumnWriter {
public:
    ColumnWriter(std::span<const TemplateField> fields, std::span<const std::uint16_t> offsets)
        : fields_(fields), offsets_(offsets), choice_(fields) {
        for (std::size_t i = 0; i < kSlotCount; ++i) write(static_cast<Slot>(i));
        if (choice_.has(Slot::kSection)) tell_section();
    }
    std::vector<Column> columns;
    [[nodiscard]] FlowFields present() const { return present_; }
    [[nodiscard]] bool needs_uptime() const { return needs_uptime_; }

private:
    void write(Slot slot) {
        if (!choice_.has(slot)) return;
        switch (slot) {
            case Slot::kPacketSpace:
            case Slot::kPopulation:
            case Slot::kBoot:
                return;  // with their partners
            case Slot::kStart:
            case Slot::kEnd:
                return write_time(slot);
            case Slot::kSampleSize:
                if (choice_.has(Slot::kPopulation)) write_pair(slot, Slot::kPopulation);
                return;
            case Slot::kPacketInterval:
                // Alone it is what its name says to most exporters that send it so: one in n.
                if (!choice_.has(Slot::kPacketSpace)) return write_one(slot, ColumnKind::kRateInterval);
                return write_pair(slot, Slot::kPacketSpace);
            default:
                return write_one(slot, choice_.of(slot).element->kind);
        }
    }
    void write_one(Slot slot, ColumnKind kind) {
        const Choice::Candidate& chosen = choice_.of(slot);
        const bool is_duration =
            kind == ColumnKind::kEndByDuration || kind == ColumnKind::kEndByDurationMicroseconds;
        if (is_duration && !choice_.has(Slot::kStart)) return;
        const auto twin = twin_of(slot);
        const WhenZero when_zero = twin && choice_.has(*twin) ? WhenZero::kLeave : WhenZero::kTake;
        Column column = at(chosen.at);
        column.kind = kind;
        column.when_zero = when_zero;
        column.present = chosen.element->field;
        column.run = column_run(kind, column.width, when_zero);
        columns.push_back(column);
        if (chosen.element->field) present_.add(*chosen.element->field);
        if (kind == ColumnKind::kStartUptime || kind == ColumnKind::kEndUptime) needs_uptime_ = true;
    }
    void write_time(Slot slot) {
        const ColumnKind kind = choice_.of(slot).element->kind;
        if (kind == ColumnKind::kStartUptime && choice_.has(Slot::kBoot))
            return write_pair(slot, Slot::kBoot, ColumnKind::kStartUptimeSince);
        if (kind == ColumnKind::kEndUptime && choice_.has(Slot::kBoot))
            return write_pair(slot, Slot::kBoot, ColumnKind::kEndUptimeSince);
        write_one(slot, kind);
    }
    void write_pair(Slot slot, Slot partner) { write_pair(slot, partner, choice_.of(slot).element->kind); }
    void write_pair(Slot slot, Slot partner, ColumnKind kind) {
        Column column = at(choice_.of(slot).at);
        const Column second = at(choice_.of(partner).at);
        column.kind = kind;
        column.present = choice_.of(slot).element->field;
        if (column.present) present_.add(*column.present);
        column.second_offset = second.offset;
        column.second_width = second.width;
        column.second_field = second.field;
        column.run = column_run(column.kind, column.width, WhenZero::kTake);
        columns.push_back(column);
    }
    /// A packet whose beginning is all that the record has to say of it.
    void tell_section() {
        if (!present_.has(FlowField::kPackets)) present_.add(FlowField::kOtherPackets);
        if (!present_.has(FlowField::kBytes)) present_.add(FlowField::kOtherBytes);
    }
    [[nodiscard]] Column at(std::size_t field) const {
        Column column;
        column.offset = offsets_[field];
        column.width = fields_[field].length;
        column.field = static_cast<std::uint16_t>(field);
        column.second_field = column.field;
        return column;
    }

    std::span<const TemplateField> fields_;
    std::span<const std::uint16_t> offsets_;
    Choice choice_;
    FlowFields present_;
    bool needs_uptime_ = false;
};

/// Where the values of one variable record lie.
struct Places {
    std::array<std::uint16_t, Program::kMostFields> offsets;  // written as far as there are fields
    std::array<std::uint16_t, Program::kMostFields> widths;
};

}  // namespace

std::optional<Program> Program::compile(std::span<const TemplateField> fields) {
    if (fields.size() > kMostFields) return std::nullopt;
    Program program;
    std::vector<std::uint16_t> offsets;
    offsets.reserve(fields.size());
    bool is_variable = false;
    for (const TemplateField& field : fields) {
        offsets.push_back(static_cast<std::uint16_t>(program.record_bytes_));
        is_variable = is_variable || field.length == kVariableLength;
        program.record_bytes_ += field.length == kVariableLength ? 1 : field.length;
        if (program.record_bytes_ > kMostDatagramBytes) return std::nullopt;
    }
    if (program.record_bytes_ == 0) return std::nullopt;
    if (is_variable) {
        for (const TemplateField& field : fields) program.lengths_.push_back(field.length);
    }
    ColumnWriter writer(fields, offsets);
    program.columns_.assign(writer.columns.begin(), writer.columns.end());
    program.fields_ = writer.present();
    program.needs_uptime_ = writer.needs_uptime();
    return program;
}

std::size_t Program::memory_bytes() const noexcept {
    return sizeof *this + columns_.capacity() * sizeof(Column) + lengths_.capacity() * sizeof(std::uint16_t);
}

void Program::run(const Rows& rows) const {
    for (const Column& column : columns_) column.run(column, rows);
}

std::optional<std::size_t> Program::measure(ByteReader rest) const {
    const std::size_t before = rest.remaining();
    for (const std::uint16_t told : lengths_) {
        const auto length = value_length(told, rest);
        if (!length || !rest.skip(*length)) return std::nullopt;
    }
    return before - rest.remaining();
}

bool Program::run_variable(ByteReader& rest, const SetContext& context, FlowRecord& out) const {
    const std::span<const std::uint8_t> record = rest.rest();
    if (record.size() > kMostDatagramBytes) return false;
    Places places;
    std::size_t field = 0;
    for (const std::uint16_t told : lengths_) {
        const auto length = value_length(told, rest);
        places.offsets[field] = static_cast<std::uint16_t>(record.size() - rest.remaining());
        if (!length || !rest.skip(*length)) return false;
        places.widths[field] = static_cast<std::uint16_t>(*length);
        ++field;
    }
    const Rows row{.first = record.data(), .stride = 0, .out = &out, .count = 1, .context = &context};
    for (Column column : columns_) {
        column.offset = places.offsets[column.field];
        column.second_offset = places.offsets[column.second_field];
        column.second_width = places.widths[column.second_field];
        if (const std::uint16_t width = places.widths[column.field]; width != column.width) {
            column.width = width;
            column.run = column_run(column.kind, width, column.when_zero);
        }
        if (column.run != nullptr && column.width != kVariableLength) {
            column.run(column, row);
        } else if (column.present) {
            out.fields.remove(*column.present);
        }
    }
    return true;
}

}  // namespace cam::decode
