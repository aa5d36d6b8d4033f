#include "cam/model/ip_address.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_set>

namespace cam {
namespace {

using namespace std::string_view_literals;

std::string canonical(std::string_view text) {
    const std::optional<IpAddress> address = IpAddress::parse(text);
    return address ? address->text() : "(none)";
}

TEST(IpAddressTest, ReadsIpv4AndGivesTheSameTextBack) {
    for (const char* text : {"0.0.0.0", "8.8.8.8", "185.54.82.4", "255.255.255.255"}) {
        EXPECT_EQ(canonical(text), text);
        EXPECT_EQ(IpAddress::parse(text)->family(), IpAddress::Family::kV4);
        EXPECT_EQ(IpAddress::parse(text)->width(), 32U);
    }
}

TEST(IpAddressTest, RefusesWhatIsNoAddress) {
    for (const std::string_view text : {""sv,
                                        " "sv,
                                        "1.2.3"sv,
                                        "1.2.3.4.5"sv,
                                        "1.2.3.256"sv,
                                        "01.2.3.4"sv,
                                        "1.2.3.04"sv,
                                        "1.2.3.4 "sv,
                                        " 1.2.3.4"sv,
                                        "1.2.3.4\0"sv,
                                        "1.2.3.4:80"sv,
                                        "0x1.2.3.4"sv,
                                        "1.2.3.-4"sv,
                                        "16909060"sv,
                                        ":"sv,
                                        ":::"sv,
                                        "1::2::3"sv,
                                        "fe80::1%eth0"sv,
                                        "[::1]"sv,
                                        "::1/128"sv,
                                        "12345::"sv,
                                        "::g"sv,
                                        "1:2:3:4:5:6:7"sv,
                                        "1:2:3:4:5:6:7:8:9"sv,
                                        "::1.2.3"sv,
                                        "::1.2.3.004"sv,
                                        "None"sv,
                                        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"sv}) {
        EXPECT_FALSE(IpAddress::parse(text)) << '"' << text << '"';
    }
}

TEST(IpAddressTest, WritesIpv6AsRfc5952Says) {
    EXPECT_EQ(canonical("2001:0DB8:0000:0000:0000:0000:0000:0001"), "2001:db8::1");
    EXPECT_EQ(canonical("0:0:0:0:0:0:0:0"), "::");
    EXPECT_EQ(canonical("0:0:0:0:0:0:0:1"), "::1");
    EXPECT_EQ(canonical("1:0:0:0:0:0:0:0"), "1::");
    EXPECT_EQ(canonical("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");  // one zero group is not compressed
    EXPECT_EQ(canonical("2001:db8:0:0:1:0:0:1"), "2001:db8::1:0:0:1");     // of equal runs the first
    EXPECT_EQ(canonical("2001:0:0:1:0:0:0:1"), "2001:0:0:1::1");           // the longest run
    EXPECT_EQ(canonical("2001:db8:0:0:2:1:0:0"), "2001:db8::2:1:0:0");
    EXPECT_EQ(canonical("ABCD::EF"), "abcd::ef");
    EXPECT_EQ(canonical("::171.205.18.52"), "::abcd:1234");
    EXPECT_EQ(canonical("64:ff9b::8.8.8.8"), "64:ff9b::808:808");
}

TEST(IpAddressTest, MakesOneHostOfAnIpv4AddressAndItsMappedForm) {
    EXPECT_EQ(IpAddress::parse("::ffff:1.2.3.4"), IpAddress::parse("1.2.3.4"));
    EXPECT_EQ(IpAddress::parse("::FFFF:0102:0304"), IpAddress::parse("1.2.3.4"));
    EXPECT_EQ(IpAddress::v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4}),
              IpAddress::v4({1, 2, 3, 4}));
    EXPECT_EQ(IpAddress::parse("::fffe:1.2.3.4")->family(), IpAddress::Family::kV6);
    EXPECT_EQ(std::hash<IpAddress>{}(*IpAddress::parse("::ffff:1.2.3.4")),
              std::hash<IpAddress>{}(*IpAddress::parse("1.2.3.4")));
}

TEST(IpAddressTest, KeepsAnIpv4AddressApartFromTheIpv6AddressWithTheSameBytes) {
    EXPECT_NE(IpAddress::parse("1.2.3.4"), IpAddress::parse("102:304::"));
}

TEST(IpAddressTest, OrdersNumericallyNotAsText) {
    EXPECT_LT(IpAddress::parse("9.0.0.0"), IpAddress::parse("10.0.0.0"));
    EXPECT_LT(IpAddress::parse("255.0.0.0"), IpAddress::parse("::"));
    EXPECT_LT(IpAddress::parse("2001:db8::9"), IpAddress::parse("2001:db8::10"));
}

TEST(IpAddressTest, CountsBitsFromTheMostSignificant) {
    const IpAddress address = *IpAddress::parse("128.0.0.1");
    EXPECT_TRUE(address.bit(0));
    EXPECT_FALSE(address.bit(1));
    EXPECT_FALSE(address.bit(30));
    EXPECT_TRUE(address.bit(31));
}

TEST(IpAddressTest, ReadsBackItsOwnText) {
    std::mt19937_64 random(20260120);
    for (int i = 0; i < 20'000; ++i) {
        std::array<std::uint8_t, 16> bytes{};
        for (std::uint8_t& byte : bytes) byte = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : 0;
        const IpAddress v6 = IpAddress::v6(bytes);
        const IpAddress v4 = IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
        ASSERT_EQ(IpAddress::parse(v6.text()), v6) << v6.text();
        ASSERT_EQ(IpAddress::parse(v4.text()), v4) << v4.text();
    }
}

TEST(IpAddressTest, HashesNeighboursApart) {
    std::unordered_set<std::size_t> low_bits;
    for (unsigned i = 0; i < 65'536; ++i) {
        const auto address =
            IpAddress::v4({10, 0, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i & 0xffU)});
        low_bits.insert(std::hash<IpAddress>{}(address)&0xfffffU);
    }
    EXPECT_GT(low_bits.size(), 62'000U);  // 63,500 for a perfect one
}

}  // namespace
}  // namespace cam
