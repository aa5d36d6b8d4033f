#include "notify/amounts.h"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace cam::notify {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(ThousandsTest, SeparatesGroupsOfThreeDigits) {
    EXPECT_EQ(thousands(0), "0");
    EXPECT_EQ(thousands(999), "999");
    EXPECT_EQ(thousands(1000), "1,000");
    EXPECT_EQ(thousands(15'000), "15,000");
    EXPECT_EQ(thousands(1'234'567), "1,234,567");
    EXPECT_EQ(thousands(kMost), "18,446,744,073,709,551,615");
}

TEST(VolumeTest, IsAnIntegerBelowAThousand) {
    EXPECT_EQ(volume(0, "bps"), "0 bps");
    EXPECT_EQ(volume(999, "b"), "999 b");
}

TEST(VolumeTest, HasTwoDecimalsInTheLargestFittingUnit) {
    EXPECT_EQ(volume(1000, "b"), "1.00 Kb");
    EXPECT_EQ(volume(9'000'000, "bps"), "9.00 Mbps");
    EXPECT_EQ(volume(54'000'000, "b"), "54.00 Mb");
    EXPECT_EQ(volume(1'234'567'890, "bps"), "1.23 Gbps");
    EXPECT_EQ(volume(7'500'000'000'000, "b"), "7.50 Tb");
}

TEST(VolumeTest, RoundsHalfUpAndCarriesIntoTheNextUnit) {
    EXPECT_EQ(volume(1'004, "b"), "1.00 Kb");
    EXPECT_EQ(volume(1'005, "b"), "1.01 Kb");
    EXPECT_EQ(volume(999'994, "b"), "999.99 Kb");
    EXPECT_EQ(volume(999'995, "b"), "1.00 Mb");
    EXPECT_EQ(volume(999'999'999, "bps"), "1.00 Gbps");
    EXPECT_EQ(volume(999'999'999'999, "bps"), "1.00 Tbps");
}

TEST(VolumeTest, PrintsTheLargestNumberThereIs) {
    EXPECT_EQ(volume(kMost, "b"), "18446744.07 Tb");
}

// B18: 1500.5 megabits are 1.5 gigabits a second, not 1500.5.
TEST(RateTest, HasOneDecimalFromKilobitsToTerabits) {
    EXPECT_EQ(rate(1200), "1.2 Gbps");
    EXPECT_EQ(rate(800), "800.0 Mbps");
    EXPECT_EQ(rate(1500.5), "1.5 Gbps");
    EXPECT_EQ(rate(1), "1.0 Mbps");
    EXPECT_EQ(rate(0.25), "250.0 Kbps");
    EXPECT_EQ(rate(2'500'000), "2.5 Tbps");
    EXPECT_EQ(rate(5'000'000'000), "5000.0 Tbps");
}

TEST(RateTest, CarriesIntoTheNextUnit) {
    EXPECT_EQ(rate(999.96), "1.0 Gbps");
    EXPECT_EQ(rate(0.99996), "1.0 Mbps");
    EXPECT_EQ(rate(999.94), "999.9 Mbps");
}

TEST(RateTest, IsHiddenWhenTheNumberSaysNothing) {
    EXPECT_FALSE(rate(0));
    EXPECT_FALSE(rate(-1));
    EXPECT_FALSE(rate(1e-9));
    EXPECT_FALSE(rate(1e300));
    EXPECT_FALSE(rate(std::numeric_limits<double>::infinity()));
    EXPECT_FALSE(rate(std::numeric_limits<double>::quiet_NaN()));
}

TEST(AddSaturatingTest, StopsAtTheLargestNumber) {
    EXPECT_EQ(add_saturating(1, 2), 3U);
    EXPECT_EQ(add_saturating(kMost - 1, 2), kMost);
    EXPECT_EQ(add_saturating(kMost, kMost), kMost);
}

}  // namespace
}  // namespace cam::notify
