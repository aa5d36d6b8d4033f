#include "cam/aggregate/sampled_flows.h"

#include <algorithm>
#include <cmath>
#include <compare>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::aggregate {
namespace {

bool by_destination(const SampledFlow& a, const SampledFlow& b) {
    return a.destination < b.destination;
}

/// What contributors are told apart by: an address or a number, or both.
struct Key {
    IpAddress address = IpAddress::v4({});
    std::uint32_t number = 0;
    // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the 0 in code that the compiler makes
    friend auto operator<=>(const Key&, const Key&) = default;
};

struct Part {
    Key key;
    Volume volume;
    double share = 0;
};

constexpr unsigned kSourceLengthV4 = 24;
constexpr unsigned kSourceLengthV6 = 64;

Prefix source_network(const IpAddress& source) {
    return Prefix::covering(source,
                            source.family() == IpAddress::Family::kV4 ? kSourceLengthV4 : kSourceLengthV6);
}

/// TCP, UDP, DCCP, SCTP, UDP-Lite. Exporters put other things into the port fields of other protocols.
bool has_ports(std::uint8_t protocol) {
    return protocol == 6 || protocol == 17 || protocol == 33 || protocol == 132 || protocol == 136;
}

std::optional<Key> port_key(const SampledFlow& flow, bool told, std::uint16_t port) {
    if (!told || !flow.has_protocol || !has_ports(flow.protocol)) return std::nullopt;
    return Key{.number = std::uint32_t{flow.protocol} << 16U | port};
}

/// nullopt: the record does not tell it.
std::optional<Key> key_of(const SampledFlow& flow, TrafficFacet facet) {
    switch (facet) {
        case TrafficFacet::kSource:
            if (!flow.has_source) return std::nullopt;
            return Key{.address = source_network(flow.source).address()};
        case TrafficFacet::kSourceAs:
            if (!flow.has_source_as) return std::nullopt;
            return Key{.number = flow.source_as};
        case TrafficFacet::kSourceCountry:
            return std::nullopt;
        case TrafficFacet::kSourcePort:
            return port_key(flow, flow.has_source_port, flow.source_port);
        case TrafficFacet::kDestinationPort:
            return port_key(flow, flow.has_destination_port, flow.destination_port);
        case TrafficFacet::kDestination:
            return Key{.address = flow.destination};
        case TrafficFacet::kInterface:
            if (!flow.has_input_interface) return std::nullopt;
            return Key{.address = flow.exporter, .number = flow.input_interface};
        case TrafficFacet::kExporter:
            return Key{.address = flow.exporter};
    }
    return std::nullopt;
}

std::string text(const Key& key, TrafficFacet facet) {
    switch (facet) {
        case TrafficFacet::kSource:
            return source_network(key.address).text();
        case TrafficFacet::kSourceAs:
            return fmt::format("{}", key.number);
        case TrafficFacet::kSourcePort:
        case TrafficFacet::kDestinationPort:
            return fmt::format("{}/{}", key.number >> 16U, key.number & 0xffffU);
        case TrafficFacet::kInterface:
            return fmt::format("{}#{}", key.address.text(), key.number);
        case TrafficFacet::kDestination:
        case TrafficFacet::kExporter:
            return key.address.text();
        case TrafficFacet::kSourceCountry:
            break;
    }
    return {};
}

/// The part of `exact` that `amount` is of `estimated`.
std::uint64_t fitted(std::uint64_t amount, std::uint64_t estimated, std::uint64_t exact) {
    if (estimated == exact) return amount;
    const double share =
        static_cast<double>(amount) / static_cast<double>(std::max<std::uint64_t>(estimated, 1));
    const double part = static_cast<double>(exact) * std::min(share, 1.0);
    return part >= static_cast<double>(exact) ? exact : static_cast<std::uint64_t>(std::round(part));
}

Volume fitted(const Volume& volume, const Volume& estimated, const Volume& exact) {
    return {.bytes = fitted(volume.bytes, estimated.bytes, exact.bytes),
            .packets = fitted(volume.packets, estimated.packets, exact.packets),
            .flows = fitted(volume.flows, estimated.flows, exact.flows)};
}

double share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// Sums the parts of equal keys.
void merge(std::vector<Part>& parts) {
    std::sort(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.key < b.key; });
    auto last = parts.begin();
    for (auto part = parts.begin(); part != parts.end(); ++part) {
        if (part == last) continue;
        if (part->key == last->key) {
            last->volume += part->volume;
        } else {
            *++last = *part;
        }
    }
    if (!parts.empty()) parts.erase(std::next(last), parts.end());
}

}  // namespace

SampledFlow::SampledFlow(const ExporterKey& sender, const FlowRecord& record, const Volume& estimated)
    : destination(record.destination),
      source(record.source),
      exporter(sender.address()),
      protocol(record.protocol),
      has_source(record.has(FlowField::kSource)),
      has_protocol(record.has(FlowField::kProtocol)),
      has_source_port(record.has(FlowField::kSourcePort)),
      has_destination_port(record.has(FlowField::kDestinationPort)),
      has_source_as(record.has(FlowField::kSourceAs) && record.source_as != 0),
      has_input_interface(record.has(FlowField::kInputInterface)),
      source_port(record.source_port),
      destination_port(record.destination_port),
      source_as(record.source_as),
      input_interface(record.input_interface),
      volume(estimated) {}

SampledFlows::SampledFlows(std::vector<SampledFlow> flows) : flows_(std::move(flows)) {
    std::sort(flows_.begin(), flows_.end(), by_destination);
}

std::span<const SampledFlow> SampledFlows::to(const Prefix& prefix) const {
    const auto begin = std::partition_point(flows_.begin(), flows_.end(), [&prefix](const SampledFlow& flow) {
        return flow.destination < prefix.address();
    });
    const auto end = std::partition_point(begin, flows_.end(), [&prefix](const SampledFlow& flow) {
        return prefix.contains(flow.destination);
    });
    return {begin, end};
}

std::size_t SampledFlows::count(const Prefix& prefix) const {
    return to(prefix).size();
}

std::vector<Contributor> SampledFlows::contributors(const PrefixMinute& of, TrafficFacet facet,
                                                    std::size_t most) const {
    const std::span<const SampledFlow> flows = to(of.prefix);
    std::vector<Part> parts;
    parts.reserve(flows.size());
    Volume estimated;
    for (const SampledFlow& flow : flows) {
        estimated += flow.volume;
        if (const std::optional<Key> key = key_of(flow, facet)) parts.push_back({*key, flow.volume});
    }
    merge(parts);
    for (Part& part : parts) {
        part.volume = fitted(part.volume, estimated, of.all());
        part.share = std::max({share_of(part.volume.bytes, of.all().bytes),
                               share_of(part.volume.packets, of.all().packets),
                               share_of(part.volume.flows, of.all().flows)});
    }
    const std::size_t shown = std::min(most, parts.size());
    std::partial_sort(
        parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(shown), parts.end(),
        [](const Part& a, const Part& b) { return a.share != b.share ? a.share > b.share : a.key < b.key; });
    std::vector<Contributor> found;
    found.reserve(shown);
    for (const Part& part : std::span(parts).first(shown)) {
        found.push_back({.prefix = of.prefix,
                         .minute = of.minute,
                         .facet = facet,
                         .key = text(part.key, facet),
                         .volume = part.volume});
    }
    return found;
}

void SampledFlows::add(SampledFlows&& other) {
    const auto middle = static_cast<std::ptrdiff_t>(flows_.size());
    flows_.insert(flows_.end(), std::make_move_iterator(other.flows_.begin()),
                  std::make_move_iterator(other.flows_.end()));
    std::inplace_merge(flows_.begin(), flows_.begin() + middle, flows_.end(), by_destination);
    other.flows_.clear();
}

}  // namespace cam::aggregate
