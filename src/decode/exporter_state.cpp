#include "decode/exporter_state.h"

#include <algorithm>

#include "decode/report_cost.h"

namespace cam::decode {

DomainState* ExporterState::find_domain(ExportProtocol protocol, std::uint32_t id) {
    const auto found = std::find_if(domains_.begin(), domains_.end(), [&](const DomainState& one) {
        return one.domain == id && one.protocol == protocol;
    });
    return found == domains_.end() ? nullptr : &*found;
}

DomainState& ExporterState::domain(ExportProtocol protocol, std::uint32_t id, SteadyTime now, Growth growth) {
    DomainState* found = find_domain(protocol, id);
    if (found == nullptr) {
        if (domains_.empty() || (growth == Growth::kAllowed && domains_.size() < kMostDomains)) {
            found = &domains_.emplace_back();
        } else {
            found = &*std::min_element(domains_.begin(), domains_.end(),
                                       [](const auto& a, const auto& b) { return a.seen < b.seen; });
        }
        *found = DomainState{};
        found->protocol = protocol;
        found->domain = id;
    }
    found->seen = now;
    return *found;
}

std::size_t ExporterState::memory_bytes() const noexcept {
    return templates.memory_bytes() + sampling.memory_bytes() + sflow.memory_bytes() +
           domains_.capacity() * sizeof(DomainState) + domains_.size() * kReportedRowBytes;
}

void ExporterState::note(const DecodeReport& report,
                         const std::array<std::uint64_t, kDropReasonCount>& already) noexcept {
    ++datagrams;
    flow_records += report.flow_records;
    lost_datagrams += report.lost_datagrams - std::min(report.late_datagrams, lost_datagrams);
    lost_records += report.lost_records - std::min(report.late_records, lost_records);
    for (std::size_t i = 0; i < dropped.size(); ++i) dropped[i] += report.dropped[i] - already[i];
}

ExporterReport ExporterState::report() const {
    ExporterReport out{.exporter = key,
                       .sampling = {},
                       .templates = templates.count(false),
                       .options_templates = templates.count(true),
                       .datagrams = datagrams,
                       .flow_records = flow_records,
                       .lost_datagrams = lost_datagrams,
                       .lost_records = lost_records,
                       .dropped = dropped,
                       .last_seen = last_seen,
                       .protocols = protocols};
    for (const DomainState& domain : domains_) {
        if (!domain.rate) continue;
        out.sampling.push_back({.protocol = domain.protocol,
                                .domain = domain.domain,
                                .scope = SamplingScope::kDomain,
                                .sampler = 0,
                                .rate = *domain.rate,
                                .source = domain.source});
    }
    for (const SamplingTable::Entry& told : sampling.entries()) {
        const SamplingTable::Key& entry = told.key;
        // What a domain told of itself is in the row of its last record, once there is one.
        const bool is_told =
            std::any_of(domains_.begin(), domains_.end(), [&entry](const DomainState& domain) {
                return domain.rate && domain.protocol == entry.protocol && domain.domain == entry.domain;
            });
        if (entry.scope == SamplingScope::kDomain && is_told) continue;
        out.sampling.push_back({.protocol = entry.protocol,
                                .domain = entry.domain,
                                .scope = entry.scope,
                                .sampler = entry.id,
                                .rate = told.rate,
                                .source = SamplingSource::kOptions});
    }
    sflow.append_sampling(out.sampling);
    return out;
}

}  // namespace cam::decode
