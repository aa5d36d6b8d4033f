#include "decode/record_batch.h"

#include <algorithm>
#include <limits>

namespace cam::decode {

namespace {

std::uint64_t add_saturating(std::uint64_t sum, std::uint64_t more) noexcept {
    std::uint64_t out = 0;
    return __builtin_add_overflow(sum, more, &out) ? std::numeric_limits<std::uint64_t>::max() : out;
}

}  // namespace

FlowRecord* RecordBatch::add(const FlowRecord& prototype) {
    const std::span<FlowRecord> one = add_several(1, prototype);
    if (one.empty()) {
        refuse(1);
        return nullptr;
    }
    return one.data();
}

std::span<FlowRecord> RecordBatch::add_several(std::size_t wanted, const FlowRecord& prototype) {
    if (used_ == kCapacity) flush();
    const std::size_t count = std::min({wanted, kCapacity - used_, budget_});
    const std::span<FlowRecord> records = std::span{records_}.subspan(used_, count);
    std::fill(records.begin(), records.end(), prototype);
    used_ += count;
    budget_ -= count;
    return records;
}

void RecordBatch::take_back() noexcept {
    if (used_ == 0) return;
    --used_;
    ++budget_;
}

void RecordBatch::refuse(std::uint64_t records) noexcept {
    report_->dropped[static_cast<std::size_t>(DropReason::kBudget)] += records;
}

void RecordBatch::flush() {
    if (used_ == 0) return;
    const std::span<const FlowRecord> records = std::span{records_}.first(used_);
    for (const FlowRecord& record : records) {
        if (record.has(FlowField::kBytes)) report_->bytes = add_saturating(report_->bytes, record.bytes);
        if (record.has(FlowField::kPackets))
            report_->packets = add_saturating(report_->packets, record.packets);
    }
    report_->flow_records += used_;
    used_ = 0;
    sink_.take(*exporter_, records);
}

}  // namespace cam::decode
