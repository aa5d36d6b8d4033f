#include "decode/element.h"

#include <algorithm>
#include <array>

namespace cam::decode {
namespace {

struct Row {
    std::uint16_t id;
    Element element;
};

using K = ColumnKind;
using F = FlowField;
using S = Slot;

/// By id. docs/protocols.md is the same table for people. Names are those of IANA's registry.
constexpr std::array kElements{
    Row{1, {S::kBytes, K::kBytes, 0, F::kBytes}},        // octetDeltaCount
    Row{2, {S::kPackets, K::kPackets, 0, F::kPackets}},  // packetDeltaCount
    Row{4, {S::kProtocol, K::kProtocol, 0, F::kProtocol}},
    Row{5, {S::kTos, K::kTos, 0, F::kTos}},
    Row{6, {S::kTcpFlags, K::kTcpFlags, 0, F::kTcpFlags}},
    Row{7, {S::kSourcePort, K::kSourcePort, 0, F::kSourcePort}},
    Row{8, {S::kSource4, K::kSource4, 0, F::kSource}},
    Row{9, {S::kSourceMask, K::kSourceMask, 0, F::kSourceMask}},
    Row{10, {S::kInputInterface, K::kInputInterface, 0, F::kInputInterface}},
    Row{11, {S::kDestinationPort, K::kDestinationPort, 0, F::kDestinationPort}},
    Row{12, {S::kDestination4, K::kDestination4, 0, F::kDestination}},
    Row{13, {S::kDestinationMask, K::kDestinationMask, 0, F::kDestinationMask}},
    Row{14, {S::kOutputInterface, K::kOutputInterface, 0, F::kOutputInterface}},
    Row{15, {S::kNextHop4, K::kNextHop4, 0, F::kNextHop}},
    Row{16, {S::kSourceAs, K::kSourceAs, 0, F::kSourceAs}},
    Row{17, {S::kDestinationAs, K::kDestinationAs, 0, F::kDestinationAs}},
    Row{18, {S::kBgpNextHop4, K::kBgpNextHop4, 0, F::kBgpNextHop}},
    Row{21, {S::kEnd, K::kEndUptime, 5, F::kEnd}},
    Row{22, {S::kStart, K::kStartUptime, 5, F::kStart}},
    Row{23, {S::kBytes, K::kBytes, 5, F::kOtherBytes}},        // postOctetDeltaCount
    Row{24, {S::kPackets, K::kPackets, 5, F::kOtherPackets}},  // postPacketDeltaCount
    Row{27, {S::kSource6, K::kSource6, 0, F::kSource}},
    Row{28, {S::kDestination6, K::kDestination6, 0, F::kDestination}},
    Row{29, {S::kSourceMask, K::kSourceMask, 1, F::kSourceMask}},
    Row{30, {S::kDestinationMask, K::kDestinationMask, 1, F::kDestinationMask}},
    Row{31, {S::kIpv6FlowLabel, K::kIpv6FlowLabel, 0, F::kIpv6FlowLabel}},
    Row{32, {S::kIcmp, K::kIcmpTypeAndCode, 0, F::kIcmp}},
    Row{34, {S::kInterval, K::kRateInterval, 0, {}}},    // samplingInterval
    Row{44, {S::kSource4, K::kSource4, 1, F::kSource}},  // sourceIPv4Prefix
    Row{45, {S::kDestination4, K::kDestination4, 1, F::kDestination}},
    Row{48, {S::kSampler, K::kSampler, 0, F::kSampler}},     // samplerId
    Row{50, {S::kRandomInterval, K::kRateInterval, 0, {}}},  // samplerRandomInterval
    Row{52, {S::kTtl, K::kTtl, 1, F::kTtl}},
    Row{53, {S::kTtl, K::kTtl, 2, F::kTtl}},
    Row{54, {S::kFragmentId, K::kFragmentId, 0, F::kFragment}},
    Row{56, {S::kSourceMac, K::kSourceMac, 0, F::kSourceMac}},
    Row{57, {S::kDestinationMac, K::kDestinationMac, 1, F::kDestinationMac}},
    Row{58, {S::kSourceVlan, K::kSourceVlan, 0, F::kSourceVlan}},
    Row{59, {S::kDestinationVlan, K::kDestinationVlan, 0, F::kDestinationVlan}},
    Row{61, {S::kDirection, K::kDirection, 0, F::kDirection}},
    Row{62, {S::kNextHop6, K::kNextHop6, 0, F::kNextHop}},
    Row{63, {S::kBgpNextHop6, K::kBgpNextHop6, 0, F::kBgpNextHop}},
    Row{70, {S::kMplsLabel, K::kMplsLabel, 0, F::kMplsLabel}},
    Row{80, {S::kDestinationMac, K::kDestinationMac, 0, F::kDestinationMac}},
    Row{81, {S::kSourceMac, K::kSourceMac, 1, F::kSourceMac}},
    Row{85, {S::kBytes, K::kBytes, 1, F::kOtherBytes}},        // octetTotalCount
    Row{86, {S::kPackets, K::kPackets, 1, F::kOtherPackets}},  // packetTotalCount
    Row{88, {S::kFragmentOffset, K::kFragmentOffset, 0, F::kFragment}},
    Row{89, {S::kForwardingStatus, K::kForwardingStatus, 0, F::kForwardingStatus}},
    Row{104, {S::kSection, K::kFrameSection, 1, {}}},  // layer2packetSectionData
    Row{139, {S::kIcmp, K::kIcmpTypeAndCode, 1, F::kIcmp}},
    Row{150, {S::kStart, K::kStartSeconds, 3, F::kStart}},
    Row{151, {S::kEnd, K::kEndSeconds, 3, F::kEnd}},
    Row{152, {S::kStart, K::kStartMilliseconds, 0, F::kStart}},
    Row{153, {S::kEnd, K::kEndMilliseconds, 0, F::kEnd}},
    Row{154, {S::kStart, K::kStartNtp, 1, F::kStart}},
    Row{155, {S::kEnd, K::kEndNtp, 1, F::kEnd}},
    Row{156, {S::kStart, K::kStartNtp, 2, F::kStart}},
    Row{157, {S::kEnd, K::kEndNtp, 2, F::kEnd}},
    Row{158, {S::kStart, K::kStartBefore, 4, F::kStart}},
    Row{159, {S::kEnd, K::kEndBefore, 4, F::kEnd}},
    Row{160, {S::kBoot, K::kStartUptimeSince, 0, {}}},  // systemInitTimeMilliseconds
    Row{161, {S::kEnd, K::kEndByDuration, 6, F::kEnd}},
    Row{162, {S::kEnd, K::kEndByDurationMicroseconds, 7, F::kEnd}},
    Row{169, {S::kDestination6, K::kDestination6, 1, F::kDestination}},
    Row{170, {S::kSource6, K::kSource6, 1, F::kSource}},
    Row{171, {S::kBytes, K::kBytes, 6, F::kOtherBytes}},        // postOctetTotalCount
    Row{172, {S::kPackets, K::kPackets, 6, F::kOtherPackets}},  // postPacketTotalCount
    Row{176, {S::kIcmp, K::kIcmpType, 2, F::kIcmp}},
    Row{177, {S::kIcmpCode, K::kIcmpCode, 2, {}}},
    Row{178, {S::kIcmp, K::kIcmpType, 3, F::kIcmp}},
    Row{179, {S::kIcmpCode, K::kIcmpCode, 3, {}}},
    Row{180, {S::kSourcePort, K::kSourcePort, 1, F::kSourcePort}},  // udpSourcePort
    Row{181, {S::kDestinationPort, K::kDestinationPort, 1, F::kDestinationPort}},
    Row{182, {S::kSourcePort, K::kSourcePort, 2, F::kSourcePort}},  // tcpSourcePort
    Row{183, {S::kDestinationPort, K::kDestinationPort, 2, F::kDestinationPort}},
    Row{192, {S::kTtl, K::kTtl, 0, F::kTtl}},
    Row{231, {S::kBytes, K::kBytes, 2, F::kOtherBytes}},  // initiatorOctets
    Row{242, {S::kSourceVlan, K::kSourceVlan, 2, F::kSourceVlan}},
    Row{243, {S::kSourceVlan, K::kSourceVlan, 1, F::kSourceVlan}},  // dot1qVlanId
    Row{252, {S::kInputInterface, K::kInputInterface, 1, F::kInputInterface}},
    Row{253, {S::kOutputInterface, K::kOutputInterface, 1, F::kOutputInterface}},
    Row{254, {S::kDestinationVlan, K::kDestinationVlan, 1, F::kDestinationVlan}},
    Row{256, {S::kEtherType, K::kEtherType, 0, F::kEtherType}},
    Row{298, {S::kPackets, K::kPackets, 2, F::kOtherPackets}},  // initiatorPackets
    Row{302, {S::kSampler, K::kSampler, 1, F::kSampler}},       // selectorId
    Row{305, {S::kPacketInterval, K::kRatePacketSpace, 0, {}}},
    Row{306, {S::kPacketSpace, K::kRatePacketSpace, 0, {}}},
    Row{309, {S::kSampleSize, K::kRatePopulation, 0, {}}},
    Row{310, {S::kPopulation, K::kRatePopulation, 0, {}}},
    Row{311, {S::kProbability, K::kRateProbability, 0, {}}},
    Row{312, {S::kBytes, K::kBytes, 4, F::kOtherBytes}},  // dataLinkFrameSize
    Row{313, {S::kSection, K::kIpSection, 2, {}}},        // ipHeaderPacketSection
    Row{315, {S::kSection, K::kFrameSection, 0, {}}},     // dataLinkFrameSection
    Row{322, {S::kEnd, K::kEndSeconds, 9, F::kEnd}},      // observationTime, where nothing says when it ended
    Row{323, {S::kEnd, K::kEndMilliseconds, 8, F::kEnd}},
    Row{352, {S::kBytes, K::kBytes, 3, F::kOtherBytes}},  // layer2OctetDeltaCount
};

constexpr bool is_sorted_by_id() {
    for (std::size_t i = 1; i < kElements.size(); ++i) {
        if (kElements[i - 1].id >= kElements[i].id) return false;
    }
    return true;
}
static_assert(is_sorted_by_id());

}  // namespace

std::optional<Element> element_of(std::uint16_t id) {
    const auto found = std::lower_bound(kElements.begin(), kElements.end(), id,
                                        [](const Row& row, std::uint16_t wanted) { return row.id < wanted; });
    if (found == kElements.end() || found->id != id) return std::nullopt;
    return found->element;
}

}  // namespace cam::decode
