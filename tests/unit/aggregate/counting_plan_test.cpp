#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "fakes/model/flow_records.h"

namespace cam::aggregate {
namespace {

using namespace test;

/// All covering prefixes, by asking each.
std::vector<Prefix> covering(const std::vector<Prefix>& prefixes, const IpAddress& address) {
    std::vector<Prefix> found;
    for (const Prefix& prefix : prefixes) {
        if (prefix.contains(address)) found.push_back(prefix);
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

std::vector<Prefix> chain(const CountingPlan& plan, const IpAddress& address) {
    std::vector<Prefix> found;
    for (auto index = plan.find(address); index; index = plan.parent(*index)) {
        found.push_back(plan.prefixes()[*index]);
    }
    std::reverse(found.begin(), found.end());
    return found;
}

class CountingPlanTest : public testing::Test {
protected:
    IpAddress random_address(IpAddress::Family family) {
        std::array<std::uint8_t, 16> bytes{};
        for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
        if (family == IpAddress::Family::kV4) return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
        return IpAddress::v6(bytes);
    }
    /// An address that shares a random number of leading bits with `near`.
    IpAddress random_near(const IpAddress& near) {
        const auto shared = static_cast<unsigned>(random_() % (near.width() + 1));
        std::array<std::uint8_t, 16> bytes = random_address(near.family()).bytes();
        for (unsigned bit = 0; bit < shared; ++bit) {
            const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
            bytes[bit / 8] =
                static_cast<std::uint8_t>((bytes[bit / 8] & ~mask) | (near.bytes()[bit / 8] & mask));
        }
        if (near.family() == IpAddress::Family::kV4)
            return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
        return IpAddress::v6(bytes);
    }
    /// Of all lengths, many of them nested in others.
    std::vector<Prefix> random_prefixes(std::size_t count) {
        std::vector<Prefix> prefixes;
        while (prefixes.size() < count) {
            const auto family = random_() % 2 == 0 ? IpAddress::Family::kV4 : IpAddress::Family::kV6;
            IpAddress base = random_address(family);
            if (!prefixes.empty() && random_() % 4 != 0) {
                base = random_near(prefixes[random_() % prefixes.size()].address());
            }
            const auto length = static_cast<unsigned>(random_() % (base.width() + 1));
            prefixes.push_back(Prefix::covering(base, random_() % 8 == 0 ? base.width() : length));
        }
        return prefixes;
    }
    /// First, last, and the neighbours outside.
    static std::vector<IpAddress> edges(const Prefix& prefix) {
        const auto moved = [&prefix](unsigned from, bool up) {
            std::array<std::uint8_t, 16> bytes = prefix.address().bytes();
            for (unsigned bit = from; bit < prefix.address().width(); ++bit) {
                const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
                bytes[bit / 8] =
                    static_cast<std::uint8_t>(up ? bytes[bit / 8] | mask : bytes[bit / 8] ^ mask);
            }
            if (prefix.address().family() == IpAddress::Family::kV4) {
                return IpAddress::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
            }
            return IpAddress::v6(bytes);
        };
        const unsigned length = prefix.length();
        return {prefix.address(), moved(length, true), moved(length == 0 ? 0 : length - 1, false)};
    }
    std::mt19937_64 random_{20'260'119};
};

TEST_F(CountingPlanTest, FindsNothingWithoutPrefixes) {
    const auto plan = CountingPlan::compile({});
    EXPECT_TRUE(plan->prefixes().empty());
    EXPECT_EQ(plan->find(address("192.0.2.1")), std::nullopt);
    EXPECT_EQ(plan->find(address("2001:db8::1")), std::nullopt);
}

TEST_F(CountingPlanTest, SortsPrefixesAndDropsDoubles) {
    const auto plan = CountingPlan::compile({.prefixes = {prefix("2001:db8::/32"), prefix("10.20.0.0/16"),
                                                          prefix("10.0.0.0/8"), prefix("10.20.0.0/16")},
                                             .default_sampling = {}});
    ASSERT_EQ(plan->prefixes().size(), 3U);
    EXPECT_EQ(plan->prefixes()[0], prefix("10.0.0.0/8"));
    EXPECT_EQ(plan->prefixes()[1], prefix("10.20.0.0/16"));
    EXPECT_EQ(plan->prefixes()[2], prefix("2001:db8::/32"));
    EXPECT_EQ(plan->parent(1), 0U);
    EXPECT_EQ(plan->parent(0), std::nullopt);
    EXPECT_EQ(plan->parent(2), std::nullopt);
}

TEST_F(CountingPlanTest, FindsEveryNestedPrefixFromTheWholeInternetToOneHost) {
    std::vector<Prefix> prefixes;
    for (unsigned length = 0; length <= 32; ++length)
        prefixes.push_back(Prefix::covering(address("203.0.113.77"), length));
    for (unsigned length = 0; length <= 128; ++length) {
        prefixes.push_back(Prefix::covering(address("2001:db8:a5a5:5a5a:1234:5678:9abc:def1"), length));
    }
    const auto plan = CountingPlan::compile({.prefixes = prefixes, .default_sampling = {}});
    EXPECT_EQ(chain(*plan, address("203.0.113.77")).size(), 33U);
    EXPECT_EQ(chain(*plan, address("2001:db8:a5a5:5a5a:1234:5678:9abc:def1")).size(), 129U);
    for (const Prefix& each : prefixes) {
        for (const IpAddress& edge : edges(each)) {
            EXPECT_EQ(chain(*plan, edge), covering(prefixes, edge)) << edge.text();
        }
    }
}

TEST_F(CountingPlanTest, AgreesWithAskingEveryPrefix) {
    for (const std::size_t count : {1U, 2U, 3U, 10U, 100U, 600U}) {
        for (int repeat = 0; repeat < 8; ++repeat) {
            const std::vector<Prefix> prefixes = random_prefixes(count);
            const auto plan = CountingPlan::compile({.prefixes = prefixes, .default_sampling = {}});
            for (int i = 0; i < 300; ++i) {
                const Prefix& some = prefixes[random_() % prefixes.size()];
                std::vector<IpAddress> asked = edges(some);
                asked.push_back(random_near(some.address()));
                asked.push_back(random_address(some.address().family()));
                for (const IpAddress& each : asked) {
                    ASSERT_EQ(chain(*plan, each), covering(prefixes, each)) << each.text() << " of " << count;
                }
            }
        }
    }
}

TEST_F(CountingPlanTest, StaysSmallWithTenThousandPrefixes) {
    std::vector<Prefix> prefixes;
    for (int i = 0; i < 5000; ++i) {
        prefixes.push_back(Prefix::covering(random_address(IpAddress::Family::kV4), 32));
        prefixes.push_back(Prefix::covering(random_address(IpAddress::Family::kV6), 128));
    }
    const auto plan = CountingPlan::compile({.prefixes = prefixes, .default_sampling = {}});
    EXPECT_LT(plan->bytes(), std::size_t{3} * 1024 * 1024);
    EXPECT_GT(plan->bytes(), std::size_t{512} * 1024);
}

}  // namespace
}  // namespace cam::aggregate
