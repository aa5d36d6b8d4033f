#include "cam/model/prefix_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>

namespace cam {
namespace {

class PrefixMapTest : public testing::Test {
protected:
    void insert(std::string_view prefix, std::string value) {
        map_.insert(*Prefix::parse(prefix), std::move(value));
    }
    [[nodiscard]] std::string find(std::string_view address) const {
        const std::string* found = map_.find(*IpAddress::parse(address));
        return found == nullptr ? "(none)" : *found;
    }
    PrefixMap<std::string> map_;
};

TEST_F(PrefixMapTest, FindsNothingInAnEmptyMap) {
    EXPECT_EQ(find("1.2.3.4"), "(none)");
    EXPECT_EQ(find("::"), "(none)");
}

TEST_F(PrefixMapTest, GivesTheLongestCoveringPrefix) {
    insert("10.0.0.0/8", "eight");
    insert("10.20.0.0/16", "sixteen");
    insert("10.20.30.40/32", "host");
    EXPECT_EQ(find("10.20.30.40"), "host");
    EXPECT_EQ(find("10.20.30.41"), "sixteen");
    EXPECT_EQ(find("10.21.0.0"), "eight");
    EXPECT_EQ(find("11.0.0.0"), "(none)");
}

TEST_F(PrefixMapTest, GivesTheLongestWhateverTheOrderOfInsertion) {
    insert("10.20.0.0/16", "sixteen");
    insert("10.0.0.0/8", "eight");
    EXPECT_EQ(find("10.20.1.1"), "sixteen");
    EXPECT_EQ(find("10.30.1.1"), "eight");
}

TEST_F(PrefixMapTest, KeepsIpv4AndIpv6Apart) {
    insert("0.0.0.0/0", "all of 4");
    EXPECT_EQ(find("255.255.255.255"), "all of 4");
    EXPECT_EQ(find("::"), "(none)");
    insert("::/0", "all of 6");
    EXPECT_EQ(find("::"), "all of 6");
    EXPECT_EQ(find("0.0.0.0"), "all of 4");
    EXPECT_EQ(find("::ffff:1.2.3.4"), "all of 4");
}

TEST_F(PrefixMapTest, HoldsSingleAddresses) {
    insert("2001:db8::1/128", "one");
    insert("1.2.3.4/32", "four");
    EXPECT_EQ(find("2001:db8::1"), "one");
    EXPECT_EQ(find("2001:db8::"), "(none)");
    EXPECT_EQ(find("1.2.3.4"), "four");
    EXPECT_EQ(find("1.2.3.5"), "(none)");
}

TEST_F(PrefixMapTest, ReplacesTheValueOfTheSamePrefix) {
    insert("10.0.0.0/8", "old");
    insert("10.0.0.0/8", "new");
    EXPECT_EQ(find("10.1.1.1"), "new");
}

TEST_F(PrefixMapTest, HoldsAnEmptyOptionalAsAValueOfItsOwn) {
    PrefixMap<std::optional<int>> exceptions;
    exceptions.insert(*Prefix::parse("10.0.0.0/8"), 8);
    exceptions.insert(*Prefix::parse("10.1.0.0/16"), std::nullopt);
    const std::optional<int>* inner = exceptions.find(*IpAddress::parse("10.1.2.3"));
    ASSERT_NE(inner, nullptr);
    EXPECT_FALSE(inner->has_value()) << "the longer prefix must hide the shorter";
}

TEST_F(PrefixMapTest, HoldsValuesThatCannotBeCopied) {
    PrefixMap<std::unique_ptr<int>> owners;
    for (int i = 0; i < 100; ++i) {
        owners.insert(Prefix::covering(IpAddress::v4({10, static_cast<std::uint8_t>(i), 0, 0}), 16),
                      std::make_unique<int>(i));
    }
    EXPECT_EQ(**owners.find(*IpAddress::parse("10.42.1.1")), 42);
}

/// Prefixes cluster as real ones do, so that many cover one another.
IpAddress clustered(std::mt19937_64& random) {
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(random() % (i < 2 ? 4 : 256));
    if (random() % 2 == 0) return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    for (std::size_t i = 6; i < 16; ++i) bytes[i] = random() % 8 == 0 ? 1 : 0;
    return IpAddress::v6(bytes);
}

TEST_F(PrefixMapTest, AgreesWithALinearScanOver50000RandomPrefixes) {
    std::mt19937_64 random(7);
    std::vector<std::pair<Prefix, int>> all;
    PrefixMap<int> map;
    for (int i = 0; i < 50'000; ++i) {
        const IpAddress address = clustered(random);
        const auto length = static_cast<unsigned>(random() % (address.width() + 1));
        all.emplace_back(Prefix::covering(address, i < 4 ? 0 : length), i);
        map.insert(all.back().first, i);
    }
    for (int i = 0; i < 300; ++i) {
        const IpAddress address = clustered(random);
        const std::pair<Prefix, int>* best = nullptr;
        for (const auto& entry : all) {  // the last of equal length has replaced the earlier ones
            if (!entry.first.contains(address)) continue;
            if (best == nullptr || entry.first.length() >= best->first.length()) best = &entry;
        }
        const int* found = map.find(address);
        ASSERT_EQ(found == nullptr, best == nullptr) << address.text();
        if (best != nullptr) {
            ASSERT_EQ(*found, best->second) << address.text();
        }
    }
}

TEST(PrefixSetTest, ContainsWhatAnyOfItsPrefixesContains) {
    const PrefixSet set({*Prefix::parse("185.54.80.0/22"), *Prefix::parse("2a02:4460::/32")});
    EXPECT_TRUE(set.contains(*IpAddress::parse("185.54.83.255")));
    EXPECT_TRUE(set.contains(*IpAddress::parse("2a02:4460:1::1")));
    EXPECT_FALSE(set.contains(*IpAddress::parse("185.54.84.0")));
    EXPECT_FALSE(set.contains(*IpAddress::parse("2a02:4461::1")));
    EXPECT_FALSE(PrefixSet{}.contains(*IpAddress::parse("185.54.83.255")));
}

}  // namespace
}  // namespace cam
