#pragma once

#include <cstdint>
#include <optional>

#include "cam/base/byte_reader.h"
#include "decode/program.h"
#include "decode/record_batch.h"
#include "decode/sampling_table.h"
#include "decode/template_field.h"

namespace cam::decode {

/// Decodes the flow records of one set. What it refers to must outlive it.
class FlowSet {
public:
    FlowSet(const Program& program, const SetContext& context, const SamplingTable::View& sampling);

    /// What the header says, for records that say nothing themselves (NetFlow v5).
    void set_rate(SamplingRate rate, SamplingSource source);

    struct Outcome {
        std::uint32_t records = 0;  ///< in the set; those that the budget refused too
        bool is_damaged = false;    ///< a record did not fit; those in front of it are decoded
        std::optional<SamplingRate> last_rate;
        SamplingSource last_source = SamplingSource::kNone;
    };
    /// Bytes behind the last record, fewer than one has, are padding (RFC 3954 5.3, RFC 7011 3.3.1).
    Outcome decode(ByteReader body, RecordBatch& batch) const;

private:
    Outcome decode_fixed(ByteReader body, RecordBatch& batch) const;
    Outcome decode_variable(ByteReader body, RecordBatch& batch) const;
    void look_up_rates(std::span<FlowRecord> records) const;

    const Program& program_;
    const SetContext& context_;
    SamplingTable::View sampling_;
    FlowRecord prototype_;
    bool looks_up_rates_ = false;
};

}  // namespace cam::decode
