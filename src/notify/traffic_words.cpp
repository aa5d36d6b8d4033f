#include "notify/traffic_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <spdlog/fmt/fmt.h>

#include "cam/notify/render.h"
#include "notify/amounts.h"
#include "notify/markdown.h"

namespace cam::notify {
namespace {

struct Service {
    std::uint32_t port;
    std::string_view name;
};

// UDP services that answer more than they are asked (US-CERT alert TA14-017A and later reports), by port.
constexpr std::array kReflectors = std::to_array<Service>({
    {17, "QOTD"},   {19, "chargen"},  {53, "DNS"},         {69, "TFTP"},           {111, "portmap"},
    {123, "NTP"},   {137, "NetBIOS"}, {161, "SNMP"},       {389, "CLDAP"},         {520, "RIP"},
    {1900, "SSDP"}, {3283, "ARD"},    {3478, "STUN"},      {3702, "WS-Discovery"}, {5351, "NAT-PMP"},
    {5353, "mDNS"}, {5683, "CoAP"},   {10001, "Ubiquiti"}, {11211, "memcached"},   {27015, "Source engine"},
    {37810, "DVR"},
});

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string protocol_words(std::uint32_t protocol) {
    switch (protocol) {
        case 1:
            return "ICMP";
        case 6:
            return "TCP";
        case 17:
            return "UDP";
        case 33:
            return "DCCP";
        case 58:
            return "ICMPv6";
        case 132:
            return "SCTP";
        default:
            return fmt::format("protocol {}", protocol);
    }
}

}  // namespace

std::string_view class_words(TrafficClass traffic_class) {
    switch (traffic_class) {
        case TrafficClass::kAll:
            return "all traffic";
        case TrafficClass::kTcp:
            return "TCP";
        case TrafficClass::kTcpSyn:
            return "TCP SYN";
        case TrafficClass::kTcpAck:
            return "TCP ACK";
        case TrafficClass::kTcpRst:
            return "TCP RST";
        case TrafficClass::kUdp:
            return "UDP";
        case TrafficClass::kIcmp:
            return "ICMP";
        case TrafficClass::kGre:
            return "GRE";
        case TrafficClass::kEsp:
            return "ESP";
        case TrafficClass::kOther:
            return "other protocols";
    }
    return "other protocols";
}

std::string port_words(std::string_view key) {
    const std::size_t slash = key.find('/');
    const auto protocol = number(key.substr(0, slash));
    const auto port = slash == std::string_view::npos ? std::nullopt : number(key.substr(slash + 1));
    if (!protocol || !port) return escape_text(clean(key, kWordCap));
    std::string words = fmt::format("{}/{}", protocol_words(*protocol), *port);
    const auto* service = std::find_if(kReflectors.begin(), kReflectors.end(),
                                       [&](const Service& each) { return each.port == *port; });
    if (*protocol == 17 && service != kReflectors.end()) words += fmt::format(" ({})", service->name);
    return words;
}

TrafficUnit unit_of(const Crossing& crossing) {
    switch (crossing.metric) {
        case AlertMetric::kBitsPerSecond:
            return TrafficUnit::kBits;
        case AlertMetric::kPacketsPerSecond:
            return TrafficUnit::kPackets;
        case AlertMetric::kFlowsPerSecond:
            return TrafficUnit::kFlows;
        case AlertMetric::kZscore:
            return crossing.zscore_target == ZscoreTarget::kPackets ? TrafficUnit::kPackets
                                                                    : TrafficUnit::kBits;
    }
    return TrafficUnit::kBits;
}

std::string rate_words(double per_second, TrafficUnit unit) {
    switch (unit) {
        case TrafficUnit::kBits:
            return rounded_volume(per_second, "bps");
        case TrafficUnit::kPackets:
            return rounded_volume(per_second, "pps");
        case TrafficUnit::kFlows:
            return rounded_volume(per_second, "flows/s");
    }
    return {};
}

double amount(const Volume& volume, TrafficUnit unit) {
    switch (unit) {
        case TrafficUnit::kBits:
            return static_cast<double>(volume.bytes);
        case TrafficUnit::kPackets:
            return static_cast<double>(volume.packets);
        case TrafficUnit::kFlows:
            return static_cast<double>(volume.flows);
    }
    return 0;
}

std::string_view unit_words(TrafficUnit unit) {
    switch (unit) {
        case TrafficUnit::kBits:
            return "bits";
        case TrafficUnit::kPackets:
            return "packets";
        case TrafficUnit::kFlows:
            return "flows";
    }
    return "bits";
}

}  // namespace cam::notify
