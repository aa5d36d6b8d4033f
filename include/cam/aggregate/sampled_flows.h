#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"
#include "cam/model/ip_address.h"
#include "cam/model/traffic.h"

namespace cam::aggregate {

/// One flow record that stands for others like it.
struct SampledFlow {
    SampledFlow(const ExporterKey& exporter, const FlowRecord& record, const Volume& estimated);

    IpAddress destination;
    IpAddress source;
    IpAddress exporter;
    std::uint8_t protocol;
    bool has_source : 1;
    bool has_protocol : 1;
    bool has_source_port : 1;
    bool has_destination_port : 1;
    bool has_source_as : 1;  ///< and not 0, which means unknown
    bool has_input_interface : 1;
    std::uint16_t source_port;
    std::uint16_t destination_port;
    std::uint32_t source_as;
    std::uint32_t input_interface;
    Volume volume;  ///< what it stands for
};

/// A random sample of a minute's flow records, from which the contributors of any prefix are estimated.
///
/// **Which records are in it.** Large ones with certainty, small ones with a probability that falls with the
/// root of the traffic that their prefix and traffic class had so far in the minute (src/aggregate/
/// flow_sampler.h). Each stands for 1/probability records. While a minute has fewer records than the sample
/// has room for (15,000 per worker by default), all are in it, and the contributors are exact.
///
/// **Error.** With n sampled records of a prefix, of which a contributor has the share p: the relative
/// standard error of its volume is about sqrt(1.33 (1 - p) / (p n)), and it is missing from the sample with a
/// probability of about (1 - p)^n. Example: 1,000 sampled records, 10 % of the traffic: 10 % ± 1.1 points.
/// The shares are of the traffic's weight, which is bytes plus 512 per packet and 512 per flow.
///
/// **Spoofing.** A source sent more often is found more often; one million sources that are sent once each
/// take room in proportion to their traffic and no more. Nothing grows, nobody is pushed out, and no key is
/// hashed.
///
/// Reading is safe from any thread; otherwise one thread at a time.
class SampledFlows {
public:
    SampledFlows() = default;
    explicit SampledFlows(std::vector<SampledFlow> flows);

    /// The largest contributors to a prefix's minute, by one property, largest first: by the largest of their
    /// shares of the bytes, the packets and the flows, so that the largest of each is among them. Volumes are
    /// scaled to the prefix's exact total, and none is larger than it. Keys are in the form that TrafficFacet
    /// names; kSource gives networks, kSourceAs is what the exporter told (a record without AS, or with AS 0,
    /// belongs to none). kSourceCountry is empty: records tell no country. Costs a sort of the prefix' flows.
    [[nodiscard]] std::vector<Contributor> contributors(const PrefixMinute& of, TrafficFacet facet,
                                                        std::size_t most) const;
    /// How many sampled records go to the prefix: the n of the error's bound.
    [[nodiscard]] std::size_t count(const Prefix& prefix) const;
    [[nodiscard]] std::size_t size() const noexcept { return flows_.size(); }
    /// Adds another worker's sample of the same minute.
    void add(SampledFlows&& other);

private:
    [[nodiscard]] std::span<const SampledFlow> to(const Prefix& prefix) const;
    std::vector<SampledFlow> flows_;  // sorted by destination, so that a prefix is a range
};

}  // namespace cam::aggregate
