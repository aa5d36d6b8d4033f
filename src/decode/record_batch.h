#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cam/decode/decoder.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"

namespace cam::decode {

/// Collects the flow records of one datagram and hands them to the sink in blocks. Applies the budget of
/// records per datagram, and adds records, bytes and packets to the datagram's report when it hands them
/// over. Owned by the Decoder and used again for each datagram, so that nothing is allocated. One thread at
/// a time.
class RecordBatch {
public:
    /// Records per block: small enough to stay in the first-level cache from here to the counting.
    static constexpr std::size_t kCapacity = 48;

    /// `sink` must outlive the batch.
    explicit RecordBatch(FlowSink& sink) : sink_(sink), records_(kCapacity) {}

    /// Starts a datagram: at most `budget` records. `exporter` and `report` must live until `end`.
    void begin(const ExporterKey& exporter, std::size_t budget, DecodeReport& report) noexcept {
        exporter_ = &exporter;
        report_ = &report;
        budget_ = budget;
    }
    /// One more record, a copy of `prototype`, valid until the next call. nullptr if the budget is spent;
    /// that record is then counted as dropped (kBudget) and the caller need not go on.
    [[nodiscard]] FlowRecord* add(const FlowRecord& prototype);
    /// The next records, each a copy of `prototype`: 1 to `wanted` of them, as many as the block has room
    /// for; none if the budget is spent (nothing is counted then, see `refuse`). Valid until the next call.
    [[nodiscard]] std::span<FlowRecord> add_several(std::size_t wanted, const FlowRecord& prototype);
    /// Takes back the record that `add` gave last, which turned out to hold nothing.
    void take_back() noexcept;
    /// Counts records that the budget has no room for.
    void refuse(std::uint64_t records) noexcept;
    [[nodiscard]] std::size_t budget_left() const noexcept { return budget_; }
    /// Hands over what is left. Records given out before are invalid.
    void end() { flush(); }

private:
    void flush();

    FlowSink& sink_;
    std::vector<FlowRecord> records_;
    std::size_t used_ = 0;
    std::size_t budget_ = 0;
    const ExporterKey* exporter_ = nullptr;
    DecodeReport* report_ = nullptr;
};

}  // namespace cam::decode
