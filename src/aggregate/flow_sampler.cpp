#include "aggregate/flow_sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace cam::aggregate {
namespace {

/// Below this there is nothing to choose from.
constexpr std::size_t kLeastRoom = 16;

/// By the width of a number in bits, one over the root of the power of two above it.
constexpr std::array<float, 65> kInverseRoots = [] {
    std::array<float, 65> roots{};
    float root = 1;
    for (std::size_t width = 0; width < roots.size(); width += 2, root /= 2) {
        roots[width] = root;
        if (width + 1 < roots.size()) roots[width + 1] = root * 0.70710678F;
    }
    return roots;
}();

std::uint64_t scaled(std::uint64_t amount, double factor) {
    const double estimate = std::round(static_cast<double>(amount) * factor);
    constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
    return estimate >= static_cast<double>(kMost) ? kMost : static_cast<std::uint64_t>(estimate);
}

}  // namespace

FlowSampler::FlowSampler(std::size_t bytes, std::uint64_t seed)
    : room_(std::max(bytes / sizeof(Candidate), kLeastRoom)), kept_(room_ - room_ / 4), state_(seed) {
    candidates_.reserve(room_);
}

float FlowSampler::inverse_root(const Volume& volume) noexcept {
    // The width of a sum, nearly. Bits that a shift loses belong to counts that no link can carry.
    const std::uint64_t size = volume.bytes | volume.packets << 9U | volume.flows << 9U;
    return kInverseRoots[static_cast<std::size_t>(std::bit_width(size))];
}

void FlowSampler::keep(const ExporterKey& exporter, const FlowRecord& record, const Volume& estimated,
                       float weight) {
    if (candidates_.size() == room_) prune();
    candidates_.push_back(
        {.flow = {exporter, record, estimated}, .weight = weight, .priority = weight / lot_});
}

void FlowSampler::prune() {
    const auto first_out = candidates_.begin() + static_cast<std::ptrdiff_t>(kept_);
    std::nth_element(candidates_.begin(), first_out, candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.priority > b.priority; });
    threshold_ = std::max(threshold_, first_out->priority);
    candidates_.erase(first_out, candidates_.end());
}

SampledFlows FlowSampler::take() {
    if (candidates_.size() > kept_ && threshold_ > 0) prune();
    std::vector<SampledFlow> flows;
    flows.reserve(candidates_.size());
    for (const Candidate& candidate : candidates_) {
        SampledFlow& flow = flows.emplace_back(candidate.flow);
        if (candidate.weight >= threshold_) continue;
        const double stands_for = static_cast<double>(threshold_) / static_cast<double>(candidate.weight);
        flow.volume = {.bytes = scaled(flow.volume.bytes, stands_for),
                       .packets = scaled(flow.volume.packets, stands_for),
                       .flows = scaled(flow.volume.flows, stands_for)};
    }
    candidates_.clear();
    threshold_ = 0;
    return SampledFlows{std::move(flows)};
}

}  // namespace cam::aggregate
