#include "decode/sflow_exporter.h"

#include <algorithm>
#include <utility>

#include "decode/report_cost.h"

namespace cam::decode {
namespace {

/// Behind the newest by no more than this, a datagram is late; further back, the agent has restarted.
constexpr std::uint32_t kMostLate = 1024;
constexpr std::uint32_t kMostLateMs = 60'000;
constexpr std::uint32_t kHalf = 1U << 31U;
/// A stranger can choose names that collide: look no further than this.
constexpr std::size_t kMostProbes = 32;

}  // namespace

SflowExporter::Agent SflowExporter::saw(const Datagram& datagram, const Room& room, DecodeReport& report) {
    const auto known = std::find_if(agents_.begin(), agents_.end(), [&](const Sequence& one) {
        return one.sub_agent == datagram.sub_agent && one.agent == datagram.agent;
    });
    if (known == agents_.end()) {
        if (agents_.size() == kMostAgents || (!agents_.empty() && !room())) return std::nullopt;
        agents_.push_back({.agent = datagram.agent,
                           .sub_agent = datagram.sub_agent,
                           .sequence = datagram.sequence,
                           .uptime_ms = datagram.uptime_ms,
                           .gap_end = 0,
                           .gap = 0,
                           .outstanding = 0});
        return static_cast<std::uint16_t>(agents_.size() - 1);
    }
    // Differences wrap as the numbers on the wire do.
    const std::uint32_t step = datagram.sequence - known->sequence;
    const std::uint32_t passed_ms = datagram.uptime_ms - known->uptime_ms;
    const bool is_late = -step <= kMostLate && -passed_ms <= kMostLateMs;
    if (is_late) {
        const bool was_missing = known->gap_end - datagram.sequence - 1 < known->gap;
        if (was_missing && known->outstanding > 0) {
            --known->outstanding;
            ++report.late_datagrams;
        }
    } else {
        const bool has_restarted = passed_ms > kHalf || step > kLargestGap;
        const std::uint32_t missing = has_restarted || step == 0 ? 0 : step - 1;
        report.lost_datagrams += missing;
        // Only the newest gap is still waited for, and nothing of before a restart.
        if (has_restarted || missing > 0) {
            known->gap_end = datagram.sequence;
            known->gap = known->outstanding = missing;
        }
        known->sequence = datagram.sequence;
        known->uptime_ms = datagram.uptime_ms;
    }
    return static_cast<std::uint16_t>(known - agents_.begin());
}

void SflowExporter::saw_sample(Agent agent, std::uint64_t source, std::uint32_t rate, std::uint32_t drops,
                               const Room& room, DecodeReport& report) {
    if (!agent) return;
    Source* const known = find_or_add(*agent, source, drops, room);
    if (known == nullptr) return;
    const std::uint32_t more = drops - known->drops;
    if (more <= kLargestGap) report.lost_records += more;
    known->drops = drops;
    known->rate = rate;
}

void SflowExporter::append_sampling(std::vector<ExporterReport::Sampling>& rows) const {
    for (const Source& source : sources_) {
        if (!source.is_used) continue;
        const std::optional<SamplingRate> rate = SamplingRate::one_in(source.rate);
        rows.push_back({.protocol = ExportProtocol::kSflow5,
                        .domain = agents_[source.agent].sub_agent,
                        .scope = SamplingScope::kSource,
                        .sampler = source.source,
                        .rate = rate.value_or(SamplingRate::every()),
                        .source = rate ? SamplingSource::kSflowSample : SamplingSource::kNone});
    }
}

std::size_t SflowExporter::memory_bytes() const noexcept {
    return agents_.capacity() * sizeof(Sequence) + sources_.capacity() * sizeof(Source) +
           source_count_ * kReportedRowBytes;
}

SflowExporter::Source* SflowExporter::slot_of(std::uint16_t agent, std::uint64_t source) noexcept {
    if (sources_.empty()) return nullptr;
    std::uint64_t mixed = (source + (std::uint64_t{agent} << 48U)) * 0x9e3779b97f4a7c15ULL;
    mixed ^= mixed >> 32U;
    for (std::size_t probe = 0; probe < kMostProbes; ++probe) {
        Source& slot = sources_[(mixed + probe) & (sources_.size() - 1)];
        if (!slot.is_used || (slot.source == source && slot.agent == agent)) return &slot;
    }
    return nullptr;
}

SflowExporter::Source* SflowExporter::find_or_add(std::uint16_t agent, std::uint64_t source,
                                                  std::uint32_t drops, const Room& room) {
    Source* const found = slot_of(agent, source);
    if (found != nullptr && found->is_used) return found;
    if (source_count_ == kMostSources) return nullptr;
    if ((source_count_ + 1) * 4 > sources_.size() * 3) {
        if (!sources_.empty() && !room()) return nullptr;
        grow();
    }
    Source* const added = slot_of(agent, source);
    if (added == nullptr) return nullptr;
    *added = {.source = source, .rate = 0, .drops = drops, .agent = agent, .is_used = true};
    ++source_count_;
    return added;
}

void SflowExporter::grow() {
    const std::vector<Source> old =
        std::exchange(sources_, std::vector<Source>(std::max<std::size_t>(8, sources_.size() * 2)));
    source_count_ = 0;
    for (const Source& source : old) {
        if (!source.is_used) continue;
        Source* const slot = slot_of(source.agent, source.source);
        if (slot == nullptr) continue;
        *slot = source;
        ++source_count_;
    }
}

}  // namespace cam::decode
