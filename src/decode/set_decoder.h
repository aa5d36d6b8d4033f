#pragma once

#include <cstdint>
#include <optional>

#include "cam/base/byte_reader.h"
#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "decode/exporter_table.h"
#include "decode/record_batch.h"
#include "decode/template_record.h"

namespace cam::decode {

/// Decodes the sets of one datagram of NetFlow v9 or IPFIX: templates, options and data. Lives as long as the
/// datagram. What it refers to must outlive it.
class SetDecoder {
public:
    struct Place {
        const Decoder::Options& options;
        ExporterTable& exporters;
        ExporterState& exporter;
        RecordBatch& batch;
        DecodeReport& report;
        SteadyTime now;

        /// The exporter's state of a domain, made as far as there is room.
        [[nodiscard]] DomainState& domain(ExportProtocol protocol, std::uint32_t id) const;
        /// Whether the exporter may remember more.
        [[nodiscard]] bool has_room() const { return exporters.has_room_for(exporter, now, report); }
    };
    SetDecoder(const Place& place, const SetContext& context) : place_(place), context_(context) {}

    /// One set after the other. A set that makes no sense does not keep its neighbours from being decoded;
    /// one whose length is wrong ends the datagram.
    void decode(ByteReader sets);
    /// Data records that were in the sets; nullopt if that is not known, since a template was missing or a
    /// set was damaged.
    [[nodiscard]] std::optional<std::uint32_t> records() const {
        return is_countable_ ? std::optional{records_} : std::nullopt;
    }

private:
    void decode_set(std::uint16_t id, ByteReader body);
    void learn_templates(TemplateFormat format, ByteReader set);
    void learn(TemplateFormat format, const TemplateRecord& record);
    void withdraw(TemplateFormat format, std::uint16_t id);
    /// Decodes what waited for this template.
    void release(const TemplateKey& key);
    void hold(const TemplateKey& key, ByteReader body);

    void decode_data(const Template& layout, const SetContext& context, ByteReader body);
    void decode_options(const OptionsLayout& layout, ByteReader body);
    void decode_flows(const Program& program, const SetContext& context, ByteReader body);
    void take(const OptionsRecord& record);
    void tell_rate(const SamplingTable::Key& key, SamplingRate rate);
    void drop(DropReason reason);

    Place place_;
    SetContext context_;
    std::uint32_t records_ = 0;
    bool is_countable_ = true;
};

}  // namespace cam::decode
