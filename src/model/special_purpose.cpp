#include "cam/model/special_purpose.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "cam/base/check.h"
#include "cam/model/prefix_map.h"

namespace cam {
namespace {

/// What a range is for; nullopt: its addresses can be real sources.
using Purpose = std::optional<std::string_view>;

constexpr Purpose kReal = std::nullopt;
constexpr Purpose kPrivate = "private range";
constexpr Purpose kUniqueLocal = "unique local";
constexpr Purpose kSiteLocal = "site-local";
constexpr Purpose kLoopback = "loopback";
constexpr Purpose kLinkLocal = "link-local";
constexpr Purpose kMulticast = "multicast";
constexpr Purpose kShared = "shared address space (CGNAT)";
constexpr Purpose kThisNetwork = "this network";
constexpr Purpose kUnspecified = "unspecified";
constexpr Purpose kProtocols = "protocol assignment";
constexpr Purpose kDocumentation = "documentation";
constexpr Purpose kBenchmarking = "benchmarking";
constexpr Purpose kRelay = "6to4 relay (deprecated)";
constexpr Purpose kTranslation = "local translation";
constexpr Purpose kDiscard = "discard-only";
constexpr Purpose kDummy = "dummy";
constexpr Purpose kOrchid = "ORCHID (deprecated)";
constexpr Purpose kSegments = "segment routing";
constexpr Purpose kReserved = "reserved";
constexpr Purpose kBroadcast = "broadcast";

struct Entry {
    std::string_view prefix;
    Purpose purpose;
};

// The longest match decides. "Globally reachable: N/A" of the registries is decided line by line.
constexpr std::array kRegistry{
    // IANA IPv4 Special-Purpose Address Registry
    Entry{"0.0.0.0/8", kThisNetwork},     // RFC 791
    Entry{"10.0.0.0/8", kPrivate},        // RFC 1918
    Entry{"100.64.0.0/10", kShared},      // RFC 6598
    Entry{"127.0.0.0/8", kLoopback},      // RFC 1122
    Entry{"169.254.0.0/16", kLinkLocal},  // RFC 3927
    Entry{"172.16.0.0/12", kPrivate},     // RFC 1918
    Entry{"192.0.0.0/24",
          kProtocols},              // RFC 6890; with 192.0.0.0/29, .8, .170 and .171, which fare no better
    Entry{"192.0.0.9/32", kReal},   // RFC 7723: port control protocol anycast
    Entry{"192.0.0.10/32", kReal},  // RFC 8155: TURN anycast
    Entry{"192.0.2.0/24", kDocumentation},     // RFC 5737
    Entry{"192.31.196.0/24", kReal},           // RFC 7535: AS112
    Entry{"192.52.193.0/24", kReal},           // RFC 7450: AMT
    Entry{"192.88.99.0/24", kRelay},           // RFC 7526; with 192.88.99.2/32 (RFC 6751)
    Entry{"192.168.0.0/16", kPrivate},         // RFC 1918
    Entry{"192.175.48.0/24", kReal},           // RFC 7534: AS112
    Entry{"198.18.0.0/15", kBenchmarking},     // RFC 2544
    Entry{"198.51.100.0/24", kDocumentation},  // RFC 5737
    Entry{"203.0.113.0/24", kDocumentation},   // RFC 5737
    Entry{"240.0.0.0/4", kReserved},           // RFC 1112 section 4
    Entry{"255.255.255.255/32", kBroadcast},   // RFC 919
    Entry{"224.0.0.0/4", kMulticast},          // RFC 5771; not in that registry

    // IANA Internet Protocol Version 6 Address Space: nothing but 2000::/3 is handed out to networks
    Entry{"::/0", kReserved}, Entry{"2000::/3", kReal}, Entry{"fec0::/10", kSiteLocal},  // RFC 3879
    Entry{"ff00::/8", kMulticast},                                                       // RFC 4291

    // IANA IPv6 Special-Purpose Address Registry
    Entry{"::1/128", kLoopback},             // RFC 4291
    Entry{"::/128", kUnspecified},           // RFC 4291
    Entry{"64:ff9b:1::/48", kTranslation},   // RFC 8215
    Entry{"100::/64", kDiscard},             // RFC 6666
    Entry{"100:0:0:1::/64", kDummy},         // RFC 9780
    Entry{"2001::/23", kProtocols},          // RFC 2928
    Entry{"2001::/32", kReal},               // RFC 4380: Teredo
    Entry{"2001:1::1/128", kReal},           // RFC 7723: port control protocol anycast
    Entry{"2001:1::2/128", kReal},           // RFC 8155: TURN anycast
    Entry{"2001:1::3/128", kReal},           // RFC 9665: DNS-SD registration anycast
    Entry{"2001:2::/48", kBenchmarking},     // RFC 5180
    Entry{"2001:3::/32", kReal},             // RFC 7450: AMT
    Entry{"2001:4:112::/48", kReal},         // RFC 7535: AS112
    Entry{"2001:10::/28", kOrchid},          // RFC 4843
    Entry{"2001:20::/28", kReal},            // RFC 7343: ORCHIDv2
    Entry{"2001:30::/28", kReal},            // RFC 9374: drone remote identification
    Entry{"2001:db8::/32", kDocumentation},  // RFC 3849
    Entry{"2620:4f:8000::/48", kReal},       // RFC 7534: AS112
    Entry{"3fff::/20", kDocumentation},      // RFC 9637
    Entry{"5f00::/16", kSegments},           // RFC 9602
    Entry{"fc00::/7", kUniqueLocal},         // RFC 4193
    Entry{"fe80::/10", kLinkLocal},          // RFC 4291
};

PrefixMap<Purpose> registry() {
    PrefixMap<Purpose> map;
    for (const Entry& entry : kRegistry) {
        const std::optional<Prefix> prefix = Prefix::parse(entry.prefix);
        check(prefix.has_value(), "a line of the special-purpose registry is no prefix");
        map.insert(*prefix, entry.purpose);
    }
    return map;
}

/// The IPv4 address that a 6to4 address (2002::/16, RFC 3056) or one of NAT64's well-known prefix
/// (64:ff9b::/96, RFC 6052 3.1: for global IPv4 addresses only) stands for: it is as real as that one.
std::optional<IpAddress> embedded_ipv4(const IpAddress& address) {
    constexpr std::array<std::uint8_t, 12> kNat64{0x00, 0x64, 0xff, 0x9b};
    const auto& bytes = address.bytes();
    if (address.family() != IpAddress::Family::kV6) return std::nullopt;
    if (bytes[0] == 0x20 && bytes[1] == 0x02) return IpAddress::v4({bytes[2], bytes[3], bytes[4], bytes[5]});
    if (std::equal(kNat64.begin(), kNat64.end(), bytes.begin()))
        return IpAddress::v4({bytes[12], bytes[13], bytes[14], bytes[15]});
    return std::nullopt;
}

}  // namespace

std::optional<std::string_view> special_purpose(const IpAddress& address) {
    static const PrefixMap<Purpose> kMap = registry();
    const Purpose* purpose = kMap.find(embedded_ipv4(address).value_or(address));
    return purpose == nullptr ? std::nullopt : *purpose;
}

}  // namespace cam
