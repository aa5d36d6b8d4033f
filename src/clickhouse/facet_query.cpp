#include "clickhouse/facet_query.h"

#include <spdlog/fmt/fmt.h>

#include "clickhouse/schema_template.h"
#include "clickhouse/schema_texts.h"

namespace cam::clickhouse {
namespace {

constexpr const char* kNoAddress = "CAST(toFixedString('', 16) AS IPv6)";

std::string columns(std::string_view address, std::string_view first, std::string_view second,
                    std::string_view text) {
    return fmt::format(
        "{} AS address, toUInt64({}) AS first, toUInt64({}) AS second, toString({}) AS key_text", address,
        first, second, text);
}

}  // namespace

std::string facet_columns(TrafficFacet facet) {
    switch (facet) {
        case TrafficFacet::kSource:
            return columns(one_line(source_network_text), "0", "0", "''");
        case TrafficFacet::kSourceAs:
            return columns(kNoAddress, "src_as", "0", "''");
        case TrafficFacet::kSourceCountry:
            return columns(kNoAddress, "0", "0", "src_country");
        case TrafficFacet::kSourcePort:
            return columns(kNoAddress, "proto", "src_port", "''");
        case TrafficFacet::kDestinationPort:
            return columns(kNoAddress, "proto", "dst_port", "''");
        case TrafficFacet::kDestination:
            return columns("dst_addr", "0", "0", "''");
        case TrafficFacet::kInterface:
            return columns("sampler_address", "in_if", "0", "''");
        case TrafficFacet::kExporter:
            return columns("sampler_address", "0", "0", "''");
    }
    return {};
}

std::string facet_condition(TrafficFacet facet) {
    switch (facet) {
        case TrafficFacet::kSource:
            return "src_addr != toIPv6('::')";
        case TrafficFacet::kSourceAs:
            return "src_as != 0";
        case TrafficFacet::kSourceCountry:
            return "src_country != ''";
        case TrafficFacet::kSourcePort:
        case TrafficFacet::kDestinationPort:
            return "proto IN (6, 17, 33, 132, 136)";  // the protocols that have ports
        case TrafficFacet::kInterface:
            return "in_if != 0";
        case TrafficFacet::kDestination:
        case TrafficFacet::kExporter:
            return "1";
    }
    return "1";
}

std::string facet_text(TrafficFacet facet, const FacetKey& key) {
    switch (facet) {
        case TrafficFacet::kSource:
            return fmt::format("{}/{}", key.address.text(),
                               key.address.family() == IpAddress::Family::kV4 ? 24 : 64);
        case TrafficFacet::kSourceAs:
            return fmt::format("{}", key.first);
        case TrafficFacet::kSourceCountry:
            return key.text;
        case TrafficFacet::kSourcePort:
        case TrafficFacet::kDestinationPort:
            return fmt::format("{}/{}", key.first, key.second);
        case TrafficFacet::kInterface:
            return fmt::format("{}#{}", key.address.text(), key.first);
        case TrafficFacet::kDestination:
        case TrafficFacet::kExporter:
            return key.address.text();
    }
    return {};
}

}  // namespace cam::clickhouse
