#include "generated_answer.h"

#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>

#include <spdlog/fmt/fmt.h>

#include "simulator/colos.h"

namespace cam::bench {
namespace {

struct Network {
    std::string_view prefix;  ///< the beginning of its addresses: two or three bytes, or two or three groups
    std::string_view country;
    unsigned asn;
    std::string_view name;
};

// Four of them are in the GeoIP fixtures, the last one cannot be real.
constexpr std::array<Network, 8> kNetworks{
    {{"103.118.76", "BD", 137959, "Vision Technologies Ltd."},
     {"2001:4860", "US", 15169, "GOOGLE"},
     {"193.0.6", "NL", 3333, "RIPE-NCC-AS Reseaux IP Europeens"},
     {"91.100", "DE", 64502, "Example GmbH & Co. KG"},
     {"177.12", "BR", 64503, "Provedor \\\"Exemplo\\\" S\\u00e3o Paulo"},
     {"2001:67c:2e8", "NL", 3333, "*Example* Networks"},
     {"61.140", "CN", 64505, "EXAMPLE-NET_CN"},
     {"10.20", "", 0, ""}}};

using simulator::Colo;
using simulator::kColos;

struct Kind {
    std::string_view vector;
    std::string_view rule;
    std::string_view protocol;
    unsigned number;
    std::string_view flags;
    unsigned port;
};

constexpr std::array<Kind, 3> kKinds{{{"UDP Flood", "UDP-0001", "UDP", 17, "", 53},
                                      {"SYN Flood", "TCP-0007", "TCP", 6, "SYN", 443},
                                      {"DNS Flood", "DNS-0003", "UDP", 17, "", 53}}};

std::string address_in(const Network& network, std::size_t host) {
    if (network.prefix.find(':') != std::string_view::npos)
        return fmt::format("{}::{:x}", network.prefix, host + 1);
    const bool has_three = network.prefix.find('.') != network.prefix.rfind('.');
    return has_three ? fmt::format("{}.{}", network.prefix, host % 250 + 1)
                     : fmt::format("{}.{}.{}", network.prefix, host / 250 % 256, host % 250 + 1);
}

/// The second in which a row lies, as Cloudflare writes it.
std::string datetime_of(std::size_t row, std::size_t rows, unsigned series) {
    const std::size_t second = row * 900 / rows;
    return fmt::format("2026-01-{:02}T{:02}:{:02}:{:02}Z", 1 + series / 96 % 28, series / 4 % 24,
                       series % 4 * 15 + second / 60, second % 60);
}

void append_row(std::string& out, std::size_t row, std::size_t rows, unsigned series) {
    const Network& network = kNetworks.at(row % kNetworks.size());
    const Colo& colo = kColos.at(row / 3 % kColos.size());
    const Kind& kind = kKinds.at(row / 7 % kKinds.size());
    fmt::format_to(
        std::back_inserter(out),
        R"({{"dimensions":{{"attackId":"k9z3t-xx1g6wwhgqngq523mp0nr","attackVector":"{}","coloCity":"{}",)"
        R"("coloCode":"{}","coloCountry":"{}","coloName":"{}01","datetime":"{}","destinationPort":{},)"
        R"("direction":"ingress","ipDestinationAddress":"185.54.{}.{}","ipProtocol":{},)",
        kind.vector, colo.city, colo.code, colo.country, colo.code, datetime_of(row, rows, series), kind.port,
        80 + row % 4, 4 + row / 4 % 3, kind.number);
    fmt::format_to(
        std::back_inserter(out),
        R"("ipProtocolName":"{}","ipSourceAddress":"{}","mitigationReason":"BLOCKED","outcome":"drop",)"
        R"("ruleId":"3b64149bfa6e4220bbbc2bd6db589552","ruleName":"{}","sourceAsn":{},)"
        R"("sourceAsnName":"{}","sourceCountry":"{}","sourcePort":{},"tcpFlagsString":"{}",)"
        R"("verdict":"drop"}},"sum":{{"bits":{},"packets":{}}}}})",
        kind.protocol, address_in(network, row / kNetworks.size()), kind.rule, network.asn, network.name,
        network.country, 1024 + row * 7919 % 60'000, kind.flags, (1000 + row % 97) * 12'000, 1000 + row % 97);
}

}  // namespace

std::string generated_answer(std::size_t rows, unsigned series) {
    std::string out = R"({"data":{"viewer":{"accounts":[{"dosdNetworkAnalyticsAdaptiveGroups":[)";
    out.reserve(out.size() + rows * 720);
    for (std::size_t row = 0; row < rows; ++row) {
        if (row != 0) out += ',';
        append_row(out, row, rows, series);
    }
    out += R"(]}]}},"errors":null})";
    return out;
}

}  // namespace cam::bench
