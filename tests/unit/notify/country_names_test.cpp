#include "notify/country_names.h"

#include <string>

#include <gtest/gtest.h>

namespace cam::notify {
namespace {

TEST(CountryNameTest, KnowsEveryCodeOfIso3166AndKosovo) {
    // All officially assigned alpha-2 codes.
    static constexpr std::string_view kCodes =
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT "
        "BV BW BY BZ "
        "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI "
        "FJ FK FM FO "
        "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ "
        "IR IS IT JE "
        "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
        "ML MM MN MO "
        "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN "
        "PR PS PT PW "
        "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH "
        "TJ TK TL TM "
        "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK";
    int known = 0;
    for (std::size_t at = 0; at < kCodes.size(); at += 3) {
        const std::string_view code = kCodes.substr(at, 2);
        EXPECT_GT(country_name(code).size(), 2U) << code;
        ++known;
    }
    EXPECT_EQ(known, 250);
}

TEST(CountryNameTest, GivesTheShortNamesPeopleUse) {
    EXPECT_EQ(country_name("BG"), "Bulgaria");
    EXPECT_EQ(country_name("nl"), "Netherlands");
    EXPECT_EQ(country_name("KR"), "South Korea");
    EXPECT_EQ(country_name("RU"), "Russia");
    EXPECT_EQ(country_name("XK"), "Kosovo");
    EXPECT_EQ(country_name("ZW"), "Zimbabwe");
}

TEST(CountryNameTest, LeavesWhatIsNoCodeAsItIs) {
    EXPECT_EQ(country_name("ZZ"), "ZZ");
    EXPECT_EQ(country_name("T1"), "T1");
    EXPECT_EQ(country_name("Bulgaria"), "Bulgaria");
    EXPECT_EQ(country_name("B"), "B");
    EXPECT_EQ(country_name(""), "");
}

}  // namespace
}  // namespace cam::notify
