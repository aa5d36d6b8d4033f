#include "cam/model/special_purpose.h"

#include <gtest/gtest.h>

#include <string>

namespace cam {
namespace {

std::string purpose(std::string_view text) {
    const std::optional<std::string_view> found = special_purpose(*IpAddress::parse(text));
    return found ? std::string{*found} : "real";
}

TEST(SpecialPurposeTest, KnowsTheRangesOfTheMissionFromEndToEnd) {
    for (const char* text :
         {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"}) {
        EXPECT_EQ(purpose(text), "private range") << text;
    }
    EXPECT_EQ(purpose("127.0.0.0"), "loopback");
    EXPECT_EQ(purpose("127.255.255.255"), "loopback");
    EXPECT_EQ(purpose("169.254.0.0"), "link-local");
    EXPECT_EQ(purpose("169.254.255.255"), "link-local");
    EXPECT_EQ(purpose("224.0.0.0"), "multicast");
    EXPECT_EQ(purpose("239.255.255.255"), "multicast");
}

TEST(SpecialPurposeTest, EndsWhereTheRangesEnd) {
    for (const char* text :
         {"1.0.0.0",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255", "100.128.0.0",
          "126.255.255.255", "128.0.0.0",       "169.253.255.255", "169.255.0.0",    "172.15.255.255",
          "172.32.0.0",      "191.255.255.255", "192.0.1.0",       "192.0.3.0",      "192.88.98.255",
          "192.88.100.0",    "192.167.255.255", "192.169.0.0",     "198.17.255.255", "198.20.0.0",
          "198.51.99.255",   "198.51.101.0",    "203.0.112.255",   "203.0.114.0",    "223.255.255.255",
          "103.118.76.198"}) {
        EXPECT_EQ(purpose(text), "real") << text;
    }
}

// B16: the Python monitor's test missed these, and called all it found a private range.
TEST(SpecialPurposeTest, KnowsWhatThePythonMonitorMissedAndCallsEachByItsName) {
    EXPECT_EQ(purpose("100.64.0.0"), "shared address space (CGNAT)");
    EXPECT_EQ(purpose("100.127.255.255"), "shared address space (CGNAT)");
    EXPECT_EQ(purpose("192.88.99.1"), "6to4 relay (deprecated)");
    EXPECT_EQ(purpose("192.88.99.2"), "6to4 relay (deprecated)");
    EXPECT_EQ(purpose("ff02::1"), "multicast");
    EXPECT_EQ(purpose("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "multicast");
    EXPECT_EQ(purpose("192.0.2.1"), "documentation");
    EXPECT_EQ(purpose("198.51.100.1"), "documentation");
    EXPECT_EQ(purpose("203.0.113.1"), "documentation");
    EXPECT_EQ(purpose("198.18.0.0"), "benchmarking");
    EXPECT_EQ(purpose("198.19.255.255"), "benchmarking");
}

TEST(SpecialPurposeTest, KnowsTheRestOfTheIpv4Registry) {
    EXPECT_EQ(purpose("0.0.0.0"), "this network");
    EXPECT_EQ(purpose("0.255.255.255"), "this network");
    for (const char* text :
         {"192.0.0.0", "192.0.0.7", "192.0.0.8", "192.0.0.11", "192.0.0.170", "192.0.0.171", "192.0.0.255"}) {
        EXPECT_EQ(purpose(text), "protocol assignment") << text;
    }
    EXPECT_EQ(purpose("240.0.0.0"), "reserved");
    EXPECT_EQ(purpose("255.255.255.254"), "reserved");
    EXPECT_EQ(purpose("255.255.255.255"), "broadcast");
}

/// A line of iana-ipv4-special-registry-1.csv or iana-ipv6-special-registry-1.csv.
struct RegistryLine {
    const char* block;
    const char* globally_reachable;  ///< `True`, `False`, `N/A`, or empty: the entry is terminated
};

// Both files, line by line, as they stood on 2026-07-18; https://www.iana.org/assignments/
// iana-ipv4-special-registry and iana-ipv6-special-registry.
constexpr RegistryLine kRegistryFiles[] = {
    {"0.0.0.0/8", "False"},        {"0.0.0.0/32", "False"},
    {"10.0.0.0/8", "False"},       {"100.64.0.0/10", "False"},
    {"127.0.0.0/8", "False"},      {"169.254.0.0/16", "False"},
    {"172.16.0.0/12", "False"},    {"192.0.0.0/24", "False"},
    {"192.0.0.0/29", "False"},     {"192.0.0.8/32", "False"},
    {"192.0.0.9/32", "True"},      {"192.0.0.10/32", "True"},
    {"192.0.0.170/32", "False"},   {"192.0.0.171/32", "False"},
    {"192.0.2.0/24", "False"},     {"192.31.196.0/24", "True"},
    {"192.52.193.0/24", "True"},   {"192.88.99.0/24", ""},
    {"192.88.99.2/32", "False"},   {"192.168.0.0/16", "False"},
    {"192.175.48.0/24", "True"},   {"198.18.0.0/15", "False"},
    {"198.51.100.0/24", "False"},  {"203.0.113.0/24", "False"},
    {"240.0.0.0/4", "False"},      {"255.255.255.255/32", "False"},
    {"::1/128", "False"},          {"::/128", "False"},
    {"::ffff:0:0/96", "False"},    {"64:ff9b::/96", "True"},
    {"64:ff9b:1::/48", "False"},   {"100::/64", "False"},
    {"100:0:0:1::/64", "False"},   {"2001::/23", "False"},
    {"2001::/32", "N/A"},          {"2001:1::1/128", "True"},
    {"2001:1::2/128", "True"},     {"2001:1::3/128", "True"},
    {"2001:2::/48", "False"},      {"2001:3::/32", "True"},
    {"2001:4:112::/48", "True"},   {"2001:10::/28", ""},
    {"2001:20::/28", "True"},      {"2001:30::/28", "True"},
    {"2001:db8::/32", "False"},    {"2002::/16", "N/A"},
    {"2620:4f:8000::/48", "True"}, {"3fff::/20", "False"},
    {"5f00::/16", "False"},        {"fc00::/7", "False"},
    {"fe80::/10", "False"},
};

TEST(SpecialPurposeTest, AgreesWithEachLineOfTheRegistries) {
    for (const RegistryLine& line : kRegistryFiles) {
        const std::string block = line.block;
        const std::string reachable = line.globally_reachable;
        // The first address of each; ranges whose addresses carry one of IPv4 are judged by that, see below.
        if (block == "::ffff:0:0/96" || block == "64:ff9b::/96" || block == "2002::/16") continue;
        // The first addresses of 2001::/23 are Teredo's.
        const std::string probe = block == "2001::/23" ? "2001:1ff::" : block.substr(0, block.find('/'));
        const bool real = purpose(probe) == "real";
        // Teredo is not told; its addresses are met on the Internet.
        EXPECT_EQ(real, reachable == "True" || block == "2001::/32") << block;
    }
}

TEST(SpecialPurposeTest, BelievesTheExceptionsThatAreGloballyReachable) {
    for (const char* text :
         {"192.0.0.9", "192.0.0.10", "192.31.196.1", "192.52.193.1", "192.175.48.1", "64:ff9b::8.8.8.8",
          "2001::1", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::1", "2001:1::2", "2001:1::3",
          "2001:3::1", "2001:4:112::1", "2001:20::1", "2001:2f:ffff::", "2001:30::1",
          "2001:3f:ffff::", "2620:4f:8000::1"}) {
        EXPECT_EQ(purpose(text), "real") << text;
    }
}

// RFC 6052 3.1: the well-known prefix must not stand for an address that is not global.
TEST(SpecialPurposeTest, JudgesNat64ByTheIpv4AddressInIt) {
    EXPECT_EQ(purpose("64:ff9b::10.0.0.1"), "private range");
    EXPECT_EQ(purpose("64:ff9b::127.0.0.1"), "loopback");
    EXPECT_EQ(purpose("64:ff9b::1.1.1.1"), "real");
    EXPECT_EQ(purpose("64:ff9b:0:0:0:1:808:808"), "reserved") << "outside of the /96";
}

TEST(SpecialPurposeTest, KnowsTheIpv6Registry) {
    EXPECT_EQ(purpose("::"), "unspecified");
    EXPECT_EQ(purpose("::1"), "loopback");
    EXPECT_EQ(purpose("64:ff9b:1::1"), "local translation");
    EXPECT_EQ(purpose("100::1"), "discard-only");
    EXPECT_EQ(purpose("100:0:0:1::1"), "dummy");
    EXPECT_EQ(purpose("2001:1::"), "protocol assignment");
    EXPECT_EQ(purpose("2001:1ff:ffff::"), "protocol assignment");
    EXPECT_EQ(purpose("2001:2::1"), "benchmarking");
    EXPECT_EQ(purpose("2001:10::1"), "ORCHID (deprecated)");
    EXPECT_EQ(purpose("2001:db8::1"), "documentation");
    EXPECT_EQ(purpose("3fff:fff::1"), "documentation");
    EXPECT_EQ(purpose("5f00::1"), "segment routing");
    EXPECT_EQ(purpose("fc00::1"), "unique local");
    EXPECT_EQ(purpose("fdff:ffff::1"), "unique local");
    EXPECT_EQ(purpose("fe80::1"), "link-local");
    EXPECT_EQ(purpose("febf:ffff::1"), "link-local");
    EXPECT_EQ(purpose("fec0::1"), "site-local");
}

TEST(SpecialPurposeTest, CallsIpv6ReservedThatNobodyWasEverGiven) {
    for (const char* text : {"::2", "::1.2.3.4", "64:ff9b:2::", "100:0:0:2::", "1fff::1", "4000::1",
                             "5eff::1", "5f01::1", "fbff::1", "fe00::1", "fe7f::1"}) {
        EXPECT_EQ(purpose(text), "reserved") << text;
    }
    for (const char* text : {"2000::1", "2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1",
                             "2003::1", "2a02:4460::1", "3ffe::1", "3fff:1000::1"}) {
        EXPECT_EQ(purpose(text), "real") << text;
    }
}

TEST(SpecialPurposeTest, JudgesA6to4AddressByTheIpv4AddressInIt) {
    EXPECT_EQ(purpose("2002:808:808::1"), "real");         // 8.8.8.8
    EXPECT_EQ(purpose("2002:a00:1::1"), "private range");  // 10.0.0.1
    EXPECT_EQ(purpose("2002:7f00:1::1"), "loopback");      // 127.0.0.1
    EXPECT_EQ(purpose("2002:e000:1::"), "multicast");      // 224.0.0.1
    EXPECT_EQ(purpose("2002:c000:9::"), "real");           // 192.0.0.9
}

TEST(SpecialPurposeTest, JudgesAMappedAddressAsIpv4) {
    EXPECT_EQ(purpose("::ffff:10.0.0.1"), "private range");
    EXPECT_EQ(purpose("::ffff:8.8.8.8"), "real");
}

}  // namespace
}  // namespace cam
