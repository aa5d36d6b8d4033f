#include <algorithm>

#include "aggregate/plan_tables.h"
#include "cam/base/check.h"

namespace cam::aggregate {
namespace {

std::vector<Prefix> sorted_once(std::vector<Prefix> prefixes) {
    std::sort(prefixes.begin(), prefixes.end());
    prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
    return prefixes;
}

/// By index: 1 + the index of the longest of the other prefixes that covers it, or 0.
std::vector<std::uint32_t> find_parents(const std::vector<Prefix>& prefixes) {
    std::vector<std::uint32_t> parents;
    parents.reserve(prefixes.size());
    for (std::size_t index = 0; index < prefixes.size(); ++index) {
        // In this order the parent is the previous prefix or one of its ancestors.
        auto parent = static_cast<std::uint32_t>(index);
        while (parent != 0 && !prefixes[parent - 1].contains(prefixes[index].address())) {
            parent = parents[parent - 1];
        }
        parents.push_back(parent);
    }
    return parents;
}

}  // namespace

CountingPlan::Tables::Tables(const Options& options)
    : prefixes(sorted_once(options.prefixes)),
      parents(find_parents(prefixes)),
      v4(std::span(prefixes).first(v4_count())),
      v6(std::span(prefixes).subspan(v4_count()), static_cast<std::uint32_t>(v4_count() + 1)) {
    for (const auto& [exporter, rate] : options.default_sampling) {
        default_sampling.insert_or_assign(exporter, rate);
    }
}

std::size_t CountingPlan::Tables::v4_count() const {
    const auto end = std::partition_point(prefixes.begin(), prefixes.end(), [](const Prefix& prefix) {
        return prefix.address().family() == IpAddress::Family::kV4;
    });
    return static_cast<std::size_t>(end - prefixes.begin());
}

std::optional<SamplingRate> CountingPlan::Tables::default_rate(const ExporterKey& exporter) const {
    const auto found = default_sampling.find(exporter);
    if (found == default_sampling.end()) return std::nullopt;
    return found->second;
}

CountingPlan::CountingPlan(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
CountingPlan::~CountingPlan() = default;

std::shared_ptr<const CountingPlan> CountingPlan::compile(const Options& options) {
    // Shared: every worker counts by it until its minute closes.
    return std::shared_ptr<const CountingPlan>(new CountingPlan(std::make_unique<const Tables>(options)));
}

std::span<const Prefix> CountingPlan::prefixes() const noexcept {
    return tables_->prefixes;
}

std::optional<std::size_t> CountingPlan::find(const IpAddress& address) const noexcept {
    const std::uint32_t number = tables_->find(address);
    if (number == 0) return std::nullopt;
    return number - 1;
}

std::optional<std::size_t> CountingPlan::parent(std::size_t index) const {
    check(index < tables_->parents.size(), "no such prefix in the plan");
    const std::uint32_t number = tables_->parents[index];
    if (number == 0) return std::nullopt;
    return number - 1;
}

std::size_t CountingPlan::bytes() const noexcept {
    return tables_->v4.bytes() + tables_->v6.bytes() + tables_->prefixes.capacity() * sizeof(Prefix) +
           tables_->parents.capacity() * sizeof(std::uint32_t);
}

}  // namespace cam::aggregate
