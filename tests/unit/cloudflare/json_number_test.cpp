#include "cloudflare/json_number.h"

#include <gtest/gtest.h>

namespace cam::cloudflare {
namespace {

TEST(JsonNumberTest, KnowsANumberFromWhatOnlyLooksLikeOne) {
    for (const char* good :
         {"0", "-0", "7", "1500", "1500.0", "1.5e3", "1E+9", "-1.25e-7", "18446744073709551616"}) {
        EXPECT_TRUE(is_json_number(good)) << good;
    }
    for (const char* bad :
         {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x10", "1 ", " 1", "1_000", "nan", "1.5.0"}) {
        EXPECT_FALSE(is_json_number(bad)) << bad;
    }
}

TEST(JsonNumberTest, TakesWholeNumbersHoweverTheyAreWritten) {
    EXPECT_EQ(whole_number("0"), 0U);
    EXPECT_EQ(whole_number("1500"), 1500U);
    EXPECT_EQ(whole_number("1500.0"), 1500U);
    EXPECT_EQ(whole_number("1.5e3"), 1500U);
    EXPECT_EQ(whole_number("9007199254740993"), 9007199254740993U) << "beyond what a double tells apart";
    EXPECT_EQ(whole_number("18446744073709551615"), 18446744073709551615U);
}

TEST(JsonNumberTest, RefusesWhatIsNegativeBrokenOrTooLarge) {
    for (const char* bad :
         {"", "-1", "-1.0", "1.5", "1e-3", "18446744073709551616", "1e30", "1e999", "1500x", "x"}) {
        EXPECT_EQ(whole_number(bad), std::nullopt) << bad;
    }
}

}  // namespace
}  // namespace cam::cloudflare
