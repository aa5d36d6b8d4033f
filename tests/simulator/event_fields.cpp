#include "simulator/event_fields.h"

#include <array>
#include <string>
#include <unordered_map>

namespace cam::simulator {
namespace {

using enum FieldType;

constexpr auto kFields = std::to_array<EventField>({
    {"datetime", kTime},
    {"datetimeSecond", kTime},
    {"datetimeTenSeconds", kTime},
    {"datetimeMinute", kTime},
    {"datetimeFiveMinutes", kTime},
    {"datetimeFifteenMinutes", kTime},
    {"datetimeHour", kTime},
    {"attackId", kText},
    {"attackCampaignId", kText},
    {"attackVector", kText},
    {"ruleId", kText},
    {"ruleName", kText},
    {"rulesetId", kText},
    {"rulesetOverrideId", kText},
    {"mitigationReason", kText},
    {"mitigationScope", kText},
    {"mitigationSystem", kText},
    {"outcome", kText},
    {"verdict", kText},
    {"protocolState", kText},
    {"direction", kText},
    {"ipSourceAddress", kText},
    {"ipDestinationAddress", kText},
    {"ipSourceSubnet", kText},
    {"ipDestinationSubnet", kText},
    {"sourcePort", kNumber},
    {"destinationPort", kNumber},
    {"sourceAsn", kNumber},
    {"sourceAsnName", kText},
    {"sourceCountry", kText},
    {"sourceGeohash", kText},
    {"destinationAsn", kNumber},
    {"destinationAsnName", kText},
    {"destinationCountry", kText},
    {"destinationGeohash", kText},
    {"coloCode", kText},
    {"coloName", kText},
    {"coloCity", kText},
    {"coloCountry", kText},
    {"coloGeohash", kText},
    {"ipProtocol", kNumber},
    {"ipProtocolName", kText},
    {"ethertype", kNumber},
    {"ipTotalLength", kNumber},
    {"ipTotalLengthBuckets", kNumber},
    {"ipHeaderLength", kNumber},
    {"ipTtl", kNumber},
    {"ipTtlBuckets", kNumber},
    {"ipFragmentOffset", kNumber},
    {"ipMoreFragments", kNumber},
    {"ipv4Checksum", kNumber},
    {"ipv4Dscp", kNumber},
    {"ipv4Ecn", kNumber},
    {"ipv4DontFragment", kNumber},
    {"ipv4Identification", kNumber},
    {"ipv4Options", kText},
    {"ipv6Dscp", kNumber},
    {"ipv6Ecn", kNumber},
    {"ipv6FlowLabel", kNumber},
    {"ipv6Identification", kNumber},
    {"ipv6ExtensionHeaders", kText},
    {"tcpFlags", kNumber},
    {"tcpFlagsString", kText},
    {"tcpSequenceNumber", kNumber},
    {"tcpAcknowledgementNumber", kNumber},
    {"tcpChecksum", kNumber},
    {"tcpDataOffset", kNumber},
    {"tcpMss", kNumber},
    {"tcpOptions", kText},
    {"tcpSackBlocks", kText},
    {"tcpSackPermitted", kNumber},
    {"tcpTimestampEcr", kNumber},
    {"tcpTimestampValue", kNumber},
    {"tcpUrgentPointer", kNumber},
    {"tcpWindowScale", kNumber},
    {"tcpWindowSize", kNumber},
    {"udpChecksum", kNumber},
    {"udpPayloadLength", kNumber},
    {"icmpType", kNumber},
    {"icmpCode", kNumber},
    {"icmpChecksum", kNumber},
    {"greKey", kNumber},
    {"greChecksum", kNumber},
    {"greEtherType", kNumber},
    {"greHeaderLength", kNumber},
    {"greSequenceNumber", kNumber},
    {"greVersion", kNumber},
    {"ingressTunnelName", kText},
    {"egressTunnelName", kText},
    {"sampleInterval", kNumber},
    {"dnsQueryName", kText},
    {"dnsQueryType", kText},
});

static_assert(kFields.size() == kFieldCount);
static_assert(kFields[kDatetime].name == "datetime");

}  // namespace

std::span<const EventField, kFieldCount> event_fields() {
    return kFields;
}

std::optional<std::size_t> find_event_field(std::string_view name) {
    static const auto index = [] {
        std::unordered_map<std::string_view, std::size_t> by_name;
        for (std::size_t i = 0; i < kFields.size(); ++i) by_name.emplace(kFields[i].name, i);
        return by_name;
    }();
    const auto found = index.find(name);
    if (found == index.end()) return std::nullopt;
    return found->second;
}

}  // namespace cam::simulator
