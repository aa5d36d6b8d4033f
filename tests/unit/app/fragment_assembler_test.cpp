#include "app/fragment_assembler.h"

#include <numeric>

#include <gtest/gtest.h>

namespace cam::app {
namespace {

using namespace std::chrono_literals;

class FragmentAssemblerTest : public testing::Test {
protected:
    FragmentAssemblerTest() { std::iota(bytes_.begin(), bytes_.end(), std::uint8_t{0}); }
    std::optional<std::vector<std::uint8_t>> add(std::size_t offset, std::size_t size, bool more,
                                                 std::uint32_t id = 1, WallTime now = WallTime{}) {
        const auto whole = assembler_.add({.source = IpAddress::v4({192, 0, 2, 1}),
                                           .destination = IpAddress::v4({192, 0, 2, 2}),
                                           .id = id,
                                           .protocol = 17,
                                           .offset = offset,
                                           .more = more,
                                           .bytes = std::span{bytes_}.subspan(offset % 200, size)},
                                          now);
        if (!whole) return std::nullopt;
        return std::vector(whole->begin(), whole->end());
    }
    std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(70'000);
    FragmentAssembler assembler_;
};

TEST_F(FragmentAssemblerTest, PutsFragmentsTogetherInWhateverOrder) {
    EXPECT_FALSE(add(16, 5, false));
    EXPECT_FALSE(add(0, 8, true));
    const auto whole = add(8, 8, true);
    ASSERT_TRUE(whole);
    EXPECT_EQ(*whole, std::vector(bytes_.begin(), bytes_.begin() + 21));
    EXPECT_EQ(assembler_.unfinished(), 0U);
}

TEST_F(FragmentAssemblerTest, KeepsPacketsApart) {
    EXPECT_FALSE(add(0, 8, true, 1));
    EXPECT_FALSE(add(8, 8, false, 2));
    EXPECT_TRUE(add(8, 8, false, 1));
    EXPECT_TRUE(add(0, 8, true, 2));
}

TEST_F(FragmentAssemblerTest, AFragmentThatComesTwiceIsOne) {
    EXPECT_FALSE(add(0, 8, true));
    EXPECT_FALSE(add(0, 8, true));
    EXPECT_TRUE(add(8, 4, false));
    EXPECT_EQ(assembler_.unfinished(), 0U);
}

TEST_F(FragmentAssemblerTest, FragmentsThatOverlapGiveUpTheirPacket) {
    EXPECT_FALSE(add(0, 16, true));
    EXPECT_FALSE(add(8, 16, false));
    EXPECT_EQ(assembler_.unfinished(), 1U);
    EXPECT_FALSE(add(16, 8, true, 2));
    EXPECT_FALSE(add(0, 24, true, 2));
    EXPECT_EQ(assembler_.unfinished(), 2U);
}

TEST_F(FragmentAssemblerTest, NothingLiesBehindTheLastFragment) {
    EXPECT_FALSE(add(8, 8, false));
    EXPECT_FALSE(add(16, 8, true)) << "behind the end";
    EXPECT_FALSE(add(16, 8, true, 2));
    EXPECT_FALSE(add(8, 8, false, 2)) << "an end before what is there";
    EXPECT_EQ(assembler_.unfinished(), 2U);
}

TEST_F(FragmentAssemblerTest, APacketHasAtMost65535Bytes) {
    EXPECT_FALSE(add(65'528, 8, false)) << "one byte too many";
    EXPECT_FALSE(add(0, 0, true, 2)) << "and no empty part";
    EXPECT_EQ(assembler_.unfinished(), 2U);
}

TEST_F(FragmentAssemblerTest, ManyUnfinishedPacketsCostTheOldest) {
    for (std::uint32_t id = 0; id < 1000; ++id) EXPECT_FALSE(add(0, 8, true, id));
    EXPECT_EQ(assembler_.unfinished(), 1000U);
    EXPECT_TRUE(add(8, 8, false, 999));
    EXPECT_FALSE(add(8, 8, false, 0)) << "its first part is gone";
}

TEST_F(FragmentAssemblerTest, GivesUpAfterHalfAMinute) {
    EXPECT_FALSE(add(0, 8, true, 1, WallTime{}));
    EXPECT_FALSE(add(0, 8, true, 2, WallTime{30s}));
    EXPECT_TRUE(add(8, 8, false, 2, WallTime{60s})) << "thirty seconds later: in time";
    EXPECT_FALSE(add(8, 8, false, 1, WallTime{60s}));
}

}  // namespace
}  // namespace cam::app
