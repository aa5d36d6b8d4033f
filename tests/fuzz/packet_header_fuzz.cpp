#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "cam/base/check.h"
#include "cam/decode/packet_header.h"

namespace {

using namespace cam;
using namespace cam::decode;

void read(std::span<const std::uint8_t> frame, LinkType link) {
    FlowRecord record;
    const PacketHeader told = decode_packet_header(ByteReader{frame}, link, record);
    const std::optional<std::uint32_t>& length = told.length;
    check(told.payload.remaining() <= frame.size(), "a payload from nowhere");
    check(!told.is_cut || length, "cut of what is not known");
    check(!record.has(FlowField::kBytes) && !record.has(FlowField::kPackets), "counts from a header");
    check(record.sampling == SamplingRate::every(), "a rate from a header");
    check(record.has(FlowField::kSource) == record.has(FlowField::kDestination), "half of the addresses");
    check(record.has(FlowField::kProtocol) == record.has(FlowField::kSource), "a protocol without addresses");
    check(!length || (record.has(FlowField::kSource) && *length > 0), "a length without a packet");
    check(record.has(FlowField::kSourcePort) == record.has(FlowField::kDestinationPort), "half of the ports");
    check(!record.has(FlowField::kSourcePort) || record.has(FlowField::kSource), "ports without addresses");
    check(!record.has(FlowField::kTcpFlags) || record.protocol == 6, "flags of no TCP");
    const bool is_later_fragment = record.has(FlowField::kFragment) && record.fragment_offset != 0;
    check(!is_later_fragment || !record.has(FlowField::kSourcePort), "ports from a later fragment");
    check(record.source_vlan < 4096 && record.mpls_label < 1U << 20U, "more bits than there are");
}

}  // namespace

/// Feeds the reader of sampled packet headers, as each link type.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const LinkType link :
         {LinkType::kEthernet, LinkType::kEtherType, LinkType::kPpp, LinkType::kIp, LinkType::kMpls}) {
        read({data, size}, link);
    }
    return 0;
}
