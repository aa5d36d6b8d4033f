#include "notify/traffic_words.h"

#include <limits>

#include <gtest/gtest.h>

#include "notify/amounts.h"

namespace cam::notify {
namespace {

TEST(PortWordsTest, NamesProtocolsAndReflectors) {
    EXPECT_EQ(port_words("17/53"), "UDP/53 (DNS)");
    EXPECT_EQ(port_words("17/11211"), "UDP/11211 (memcached)");
    EXPECT_EQ(port_words("6/53"), "TCP/53");
    EXPECT_EQ(port_words("6/443"), "TCP/443");
    EXPECT_EQ(port_words("132/36412"), "SCTP/36412");
    EXPECT_EQ(port_words("99/1"), "protocol 99/1");
}

TEST(PortWordsTest, LeavesWhatIsNoPortAsItIs) {
    EXPECT_EQ(port_words("17"), "17");
    EXPECT_EQ(port_words("17/"), "17/");
    EXPECT_EQ(port_words("x_/5"), "x\\_/5");
    EXPECT_EQ(port_words("17/99999999999"), "17/99999999999");
}

TEST(RateWordsTest, AlwaysSaysTheUnit) {
    EXPECT_EQ(rate_words(1.5e9, TrafficUnit::kBits), "1.50 Gbps");
    EXPECT_EQ(rate_words(0.4, TrafficUnit::kPackets), "0 pps");
    EXPECT_EQ(rate_words(812'345, TrafficUnit::kPackets), "812.35 Kpps");
    EXPECT_EQ(rate_words(999, TrafficUnit::kFlows), "999 flows/s");
    EXPECT_EQ(rate_words(-1, TrafficUnit::kBits), "0 bps");
    EXPECT_EQ(rate_words(std::numeric_limits<double>::quiet_NaN(), TrafficUnit::kBits), "0 bps");
    EXPECT_EQ(rate_words(1e300, TrafficUnit::kBits), "9000000.00 Tbps");
}

TEST(PercentTest, NeverSaysNothingForSomething) {
    EXPECT_EQ(percent(1, 3), "33%");
    EXPECT_EQ(percent(1, 1000), "<1%");
    EXPECT_EQ(percent(0, 1000), "0%");
    EXPECT_EQ(percent(5, 4), "100%");
    EXPECT_EQ(percent(1, 0), "");
}

}  // namespace
}  // namespace cam::notify
