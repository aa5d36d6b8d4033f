#include "cam/model/prefix.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace cam {
namespace {

std::string canonical(std::string_view text) {
    const std::optional<Prefix> prefix = Prefix::parse(text);
    return prefix ? prefix->text() : "(none)";
}

std::optional<Prefix::Fault> fault(std::string_view text) {
    Prefix::Fault why{};
    if (Prefix::parse(text, &why)) return std::nullopt;
    return why;
}

bool covers(std::string_view prefix, std::string_view address) {
    return Prefix::parse(prefix)->contains(*IpAddress::parse(address));
}

TEST(PrefixTest, ReadsPrefixesOfEveryLength) {
    for (const char* text : {"0.0.0.0/0", "185.54.80.0/22", "10.0.0.0/8", "1.2.3.4/32", "::/0",
                             "2a02:4460::/32", "2001:db8::1/128", "128.0.0.0/1", "8000::/1"}) {
        EXPECT_EQ(canonical(text), text);
    }
}

TEST(PrefixTest, SaysWhyATextIsNoPrefix) {
    for (const char* text : {"", "/", "1.2.3.4", "1.2.3.4/", "/24", "1.2.3/24", "1.2.3.0/-1", "1.2.3.0/+24",
                             "1.2.3.0/ 24", "1.2.3.0/24 ", "1.2.3.0/024", "1.2.3.0/24/24",
                             "1.2.3.0/255.255.255.0", "::1%lo/128", "1.2.3.0/2a"}) {
        EXPECT_EQ(fault(text), Prefix::Fault::kSyntax) << '"' << text << '"';
    }
    for (const char* text : {"1.2.3.0/33", "::/129", "1.2.3.0/99999999999999999999", "::ffff:1.2.3.0/129"}) {
        EXPECT_EQ(fault(text), Prefix::Fault::kLength) << text;
    }
    for (const char* text : {"185.54.81.0/22", "1.2.3.5/31", "1.2.3.4/0", "2a02:4460::1/32", "::1/127",
                             "::ffff:1.2.3.4/120", "::ffff:0.0.0.0/95", "::ffff:0:0/0"}) {
        EXPECT_EQ(fault(text), Prefix::Fault::kHostBits) << text;
    }
}

TEST(PrefixTest, TurnsAMappedPrefixIntoTheIpv4PrefixItStandsFor) {
    EXPECT_EQ(canonical("::ffff:1.2.3.0/120"), "1.2.3.0/24");
    EXPECT_EQ(canonical("::ffff:1.2.3.4/128"), "1.2.3.4/32");
    EXPECT_EQ(canonical("::ffff:0:0/96"), "0.0.0.0/0");
}

TEST(PrefixTest, ContainsItsFirstAndLastAddressAndNotTheNeighbours) {
    EXPECT_TRUE(covers("185.54.80.0/22", "185.54.80.0"));
    EXPECT_TRUE(covers("185.54.80.0/22", "185.54.83.255"));
    EXPECT_FALSE(covers("185.54.80.0/22", "185.54.84.0"));
    EXPECT_FALSE(covers("185.54.80.0/22", "185.54.79.255"));
    EXPECT_TRUE(covers("2a02:4460::/32", "2a02:4460:ffff:ffff:ffff:ffff:ffff:ffff"));
    EXPECT_FALSE(covers("2a02:4460::/32", "2a02:4461::"));
    EXPECT_TRUE(covers("1.2.3.4/32", "1.2.3.4"));
    EXPECT_FALSE(covers("1.2.3.4/32", "1.2.3.5"));
}

TEST(PrefixTest, DoesNotConfuseTextWithNumbers) {
    EXPECT_FALSE(covers("2a02:4460:1::/48", "2a02:4460:10::1"));
    EXPECT_FALSE(covers("1.2.3.0/24", "1.2.30.1"));
}

TEST(PrefixTest, TheWholeOfOneFamilyHoldsNothingOfTheOther) {
    EXPECT_TRUE(covers("0.0.0.0/0", "255.1.2.3"));
    EXPECT_TRUE(covers("::/0", "2001:db8::1"));
    EXPECT_FALSE(covers("0.0.0.0/0", "::1"));
    EXPECT_FALSE(covers("::/0", "1.2.3.4"));
    EXPECT_TRUE(covers("0.0.0.0/0", "::ffff:1.2.3.4"));
}

TEST(PrefixTest, CoveringCutsTheHostBits) {
    const IpAddress v4 = *IpAddress::parse("185.54.82.4");
    EXPECT_EQ(Prefix::covering(v4, 22).text(), "185.54.80.0/22");
    EXPECT_EQ(Prefix::covering(v4, 0).text(), "0.0.0.0/0");
    EXPECT_EQ(Prefix::covering(v4, 32).text(), "185.54.82.4/32");
    const IpAddress v6 = *IpAddress::parse("2a02:4460:1:2:3::4");
    EXPECT_EQ(Prefix::covering(v6, 64).text(), "2a02:4460:1:2::/64");
    EXPECT_EQ(Prefix::covering(v6, 47).text(), "2a02:4460::/47");
    EXPECT_EQ(Prefix::covering(v6, 128).text(), "2a02:4460:1:2:3::4/128");
    for (unsigned length = 0; length <= 128; ++length) {
        const Prefix prefix = Prefix::covering(v6, length);
        EXPECT_TRUE(prefix.contains(v6));
        EXPECT_EQ(Prefix::parse(prefix.text()), prefix);
    }
}

TEST(PrefixTest, EqualMeansSameRange) {
    EXPECT_EQ(Prefix::parse("2A02:4460:0::/32"), Prefix::parse("2a02:4460::/32"));
    EXPECT_NE(Prefix::parse("10.0.0.0/8"), Prefix::parse("10.0.0.0/9"));
}

}  // namespace
}  // namespace cam
