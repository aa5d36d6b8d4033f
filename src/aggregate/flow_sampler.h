#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cam/aggregate/sampled_flows.h"
#include "cam/model/traffic.h"

namespace cam::aggregate {

/// Takes a random sample of bounded size from a stream of flow records of unknown length: priority sampling
/// (Duffield, Lund, Thorup: "Priority sampling for estimation of arbitrary subset sums", J. ACM 54(6), 2007).
/// A record of weight w gets the priority w/u, u uniform in (0, 1]; those of the highest priorities stay.
/// With the highest priority t that had to go, a record is in the sample with the probability min(1, w/t),
/// and stands for max(1, t/w) records: without bias for every sum over any subset.
///
/// The weight is the record's share in bytes, packets and flows, divided by the root of what its prefix and
/// class had before. So the sample is shared between prefixes in proportion to the root of their traffic: a
/// prefix under attack gets most of it, and ten thousand small ones cannot starve it, nor it them. It depends
/// only on what was counted, so the estimate stays without bias; that the early records of a minute are more
/// probable than the late ones costs a third more variance for steady traffic.
///
/// One thread at a time.
class FlowSampler {
public:
    FlowSampler(std::size_t bytes, std::uint64_t seed);

    /// A record's weight; `so_far` is what was counted of its kind before, this record included.
    [[nodiscard]] static float weigh(const Volume& record, const Volume& so_far) noexcept {
        return (static_cast<float>(record.bytes) + kEvent * static_cast<float>(record.packets) +
                kEvent * static_cast<float>(record.flows)) *
               inverse_root(so_far);
    }
    /// Draws the lot of one record of that weight. True: it is to be `keep`t.
    [[nodiscard]] bool draw(float weight) noexcept {
        // SplitMix64 (Steele, Lea, Flood, 2014).
        std::uint64_t bits = (state_ += 0x9e3779b97f4a7c15ULL);
        bits = (bits ^ bits >> 30U) * 0xbf58476d1ce4e5b9ULL;
        bits = (bits ^ bits >> 27U) * 0x94d049bb133111ebULL;
        lot_ = static_cast<float>((bits >> 24U) + 1) * 0x1p-40F;
        return weight > threshold_ * lot_;
    }
    /// Takes the record that won the last draw.
    void keep(const ExporterKey& exporter, const FlowRecord& record, const Volume& estimated, float weight);
    /// Hands the sample over, each record with the volume it stands for, and begins a new one.
    [[nodiscard]] SampledFlows take();

private:
    struct Candidate {
        SampledFlow flow;
        float weight;
        float priority;
    };
    static constexpr float kEvent = 512;  ///< bytes that a packet or a flow weighs as much as

    /// About 1/sqrt of the volume's weight; a power of the root of two, since any fixed function will do.
    static float inverse_root(const Volume& volume) noexcept;
    /// Lets the lowest priorities go until `kept_` are left.
    void prune();

    std::size_t room_;
    std::size_t kept_;
    std::uint64_t state_;
    float threshold_ = 0;
    float lot_ = 1;
    std::vector<Candidate> candidates_;
};

}  // namespace cam::aggregate
