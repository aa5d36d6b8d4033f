#pragma once

#include <cstdint>

#include "cam/model/flow_record.h"
#include "cam/model/traffic.h"

namespace cam {

/// Which traffic classes a flow record is of.
///
/// | class   | records |
/// |---------|---------|
/// | all     | every one |
/// | tcp     | protocol 6 |
/// | tcp_syn | TCP with SYN and without ACK, whatever else is set |
/// | tcp_ack | TCP with ACK and without SYN, FIN, RST, PSH, URG |
/// | tcp_rst | TCP with RST, with or without ACK, and without SYN, FIN, PSH, URG |
/// | udp     | protocol 17 |
/// | icmp    | protocols 1 and 58 (ICMPv6) |
/// | gre     | protocol 47 |
/// | esp     | protocol 50 |
/// | other   | every other protocol, and records that do not tell theirs |
///
/// So all = tcp + udp + icmp + gre + esp + other, and tcp_syn, tcp_ack and tcp_rst are parts of tcp that do
/// not overlap. ECE, CWR and NS (congestion, RFC 3168) change nothing.
///
/// **Flags of flows.** An sFlow sample is one packet and tells its flags. A flow of NetFlow or IPFIX tells
/// the flags of all its packets OR-ed (RFC 7125; element 6, tcpControlBits). A flow therefore belongs to a
/// class only if all its packets can: a connection (SYN, then ACK, PSH, FIN) is in none of the three, since
/// most of its packets are neither; one that ends with a reset is no reset flood, which is why tcp_rst
/// excludes the flags of data. A flood of SYNs, of ACKs or of resets has no other flag in any of its flows,
/// so it is found in both kinds of records. A flow of ACKs with one reset at its end, which flags cannot tell
/// from a flood of resets with ACK, counts as tcp_rst. TCP records without flags are of none of the three.
///
/// Gives the narrowest class: kTcp means TCP of none of the three.
[[nodiscard]] inline TrafficClass narrowest_class(const FlowRecord& record) noexcept {
    if (!record.has(FlowField::kProtocol)) return TrafficClass::kOther;
    switch (record.protocol) {
        case 6:
            break;
        case 17:
            return TrafficClass::kUdp;
        case 1:
        case 58:
            return TrafficClass::kIcmp;
        case 47:
            return TrafficClass::kGre;
        case 50:
            return TrafficClass::kEsp;
        default:
            return TrafficClass::kOther;
    }
    if (!record.has(FlowField::kTcpFlags)) return TrafficClass::kTcp;
    constexpr unsigned kAll = tcp::kFin | tcp::kSyn | tcp::kRst | tcp::kPsh | tcp::kAck | tcp::kUrg;
    const unsigned flags = record.tcp_flags & kAll;
    if ((flags & (tcp::kSyn | tcp::kAck)) == tcp::kSyn) return TrafficClass::kTcpSyn;
    if (flags == tcp::kAck) return TrafficClass::kTcpAck;
    if ((flags & ~unsigned{tcp::kAck}) == tcp::kRst) return TrafficClass::kTcpRst;
    return TrafficClass::kTcp;
}

/// From volumes by narrowest class to volumes by class.
inline void add_up(ClassVolumes& classes) noexcept {
    const auto at = [&classes](TrafficClass which) -> Volume& {
        return classes[static_cast<std::size_t>(which)];
    };
    for (const TrafficClass part : {TrafficClass::kTcpSyn, TrafficClass::kTcpAck, TrafficClass::kTcpRst}) {
        at(TrafficClass::kTcp) += at(part);
    }
    at(TrafficClass::kAll) = {};
    for (const TrafficClass part : {TrafficClass::kTcp, TrafficClass::kUdp, TrafficClass::kIcmp,
                                    TrafficClass::kGre, TrafficClass::kEsp, TrafficClass::kOther}) {
        at(TrafficClass::kAll) += at(part);
    }
}

}  // namespace cam
