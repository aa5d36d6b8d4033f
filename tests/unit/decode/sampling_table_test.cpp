#include "decode/sampling_table.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace cam::decode {
namespace {

SamplingTable::Key key_of(SamplingScope scope, std::uint32_t domain, std::uint64_t id) {
    return {.protocol = ExportProtocol::kNetflow9, .scope = scope, .domain = domain, .id = id};
}

TEST(SamplingTableTest, KnowsAfterEveryChangeWhetherAllInterfacesOfADomainAgreeWithTheSampler) {
    std::mt19937 random{7};
    const auto below = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random() % most); };
    std::size_t agreed = 0;
    std::size_t differed = 0;
    for (int round = 0; round < 200; ++round) {
        SamplingTable table;
        // Domains and interfaces come in any order, mostly with one rate, and are told over and over.
        for (const std::uint32_t domain : {2U, 1U, 3U}) {
            table.tell(key_of(SamplingScope::kSampler, domain, 1), *SamplingRate::one_in(1000));
        }
        for (int i = 0; i < 60; ++i) {
            const std::uint32_t domain = 1 + below(3);
            const std::uint32_t n = below(4) == 0 ? 1 + below(2) : 1000;
            table.tell(key_of(SamplingScope::kInterface, domain, below(6)), *SamplingRate::one_in(n));
            for (const std::uint32_t of : {1U, 2U, 3U}) {
                const SamplingTable::View view = table.view(ExportProtocol::kNetflow9, of);
                const bool is_agreed =
                    std::all_of(view.interfaces.begin(), view.interfaces.end(),
                                [](const SamplingTable::Entry& one) { return one.rate.n() == 1000; });
                ASSERT_EQ(view.default_rate(false).has_value(), is_agreed) << round << ' ' << i;
                ++(is_agreed ? agreed : differed);
            }
        }
    }
    EXPECT_GT(agreed, 1'000U);
    EXPECT_GT(differed, 1'000U);
}

TEST(SamplingTableTest, AFullTableStillTakesNewRatesOfWhatItHas) {
    SamplingTable table;
    table.tell(key_of(SamplingScope::kSampler, 1, 1), *SamplingRate::one_in(1000));
    for (std::uint64_t i = 0; i < 2 * SamplingTable::kMostEntries; ++i) {
        table.tell(key_of(SamplingScope::kInterface, 1, i), *SamplingRate::one_in(1000));
    }
    EXPECT_EQ(table.entries().size(), SamplingTable::kMostEntries);
    EXPECT_TRUE(table.view(ExportProtocol::kNetflow9, 1).default_rate(false));
    EXPECT_FALSE(table.tell(key_of(SamplingScope::kInterface, 1, 1U << 20U), *SamplingRate::one_in(7)));
    EXPECT_TRUE(table.tell(key_of(SamplingScope::kInterface, 1, 4000), *SamplingRate::one_in(7)));
    EXPECT_FALSE(table.view(ExportProtocol::kNetflow9, 1).default_rate(false));
    EXPECT_TRUE(table.tell(key_of(SamplingScope::kInterface, 1, 4000), *SamplingRate::one_in(1000)));
    EXPECT_TRUE(table.view(ExportProtocol::kNetflow9, 1).default_rate(false));
}

}  // namespace
}  // namespace cam::decode
