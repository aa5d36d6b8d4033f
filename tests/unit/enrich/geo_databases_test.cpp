#include "cam/enrich/geo_databases.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>

#include "cam/base/time_text.h"
#include "unit/enrich/geo_folder.h"

namespace cam::enrich {
namespace {

IpAddress address(std::string_view text) {
    return *IpAddress::parse(text);
}

std::string fixture_path(std::string_view name) {
    return std::string{CAM_TEST_DATA "/geoip/"}.append(name);
}

bool mention(const std::vector<std::string>& lines, std::string_view words) {
    return std::any_of(lines.begin(), lines.end(),
                       [words](const std::string& line) { return line.find(words) != std::string::npos; });
}

/// City and ASN as the mission has them: commercial places, free networks.
GeoDatabases mission_databases() {
    return GeoDatabases({.city = {fixture_path("GeoIP2-City.mmdb"), fixture_path("GeoLite2-City.mmdb")},
                         .asn = {fixture_path("GeoLite2-ASN.mmdb")},
                         .scratch_folder = testing::TempDir()});
}

TEST(GeoDatabasesTest, TellsCityCountryAndNetworkOfAnAddress) {
    GeoDatabases databases = mission_databases();
    EXPECT_TRUE(databases.refresh().problems.empty());
    const Place place = databases.find(address("103.118.76.198"));
    EXPECT_EQ(place.city, "Pābna");
    EXPECT_EQ(place.country, "Bangladesh");
    EXPECT_EQ(place.country_code, "BD");
    EXPECT_EQ(place.asn, 137959U);
    EXPECT_EQ(place.organization, "Vision Technologies Ltd.");
    EXPECT_EQ(databases.failed_lookups(), 0U);
}

TEST(GeoDatabasesTest, FindsIpv6AndMappedAddresses) {
    GeoDatabases databases = mission_databases();
    databases.refresh();
    EXPECT_EQ(databases.find(address("2001:4860:4860::8888")).country_code, "US");
    EXPECT_EQ(databases.find(address("2001:4860:4860::8888")).asn, 15169U);
    EXPECT_EQ(databases.find(address("::ffff:103.118.76.1")).city, "Pābna");
}

TEST(GeoDatabasesTest, LeavesEmptyWhatNoDatabaseKnows) {
    GeoDatabases databases = mission_databases();
    databases.refresh();
    const Place brazil = databases.find(address("45.227.254.17"));
    EXPECT_FALSE(brazil.city);
    EXPECT_EQ(brazil.country_code, "BR");
    EXPECT_EQ(brazil.asn, 270523U);
    for (const char* unknown : {"9.9.9.9", "255.255.255.255", "0.0.0.0", "2a00::1", "::"}) {
        const Place place = databases.find(address(unknown));
        EXPECT_FALSE(place.city || place.country || place.country_code || place.asn || place.organization)
            << unknown;
    }
    EXPECT_EQ(databases.failed_lookups(), 0U);
}

TEST(GeoDatabasesTest, TakesTheRegisteredCountryWhereThereIsNoOther) {
    GeoDatabases databases = mission_databases();
    databases.refresh();
    EXPECT_EQ(databases.find(address("192.175.48.1")).country, "United States");
    EXPECT_EQ(databases.find(address("192.175.48.1")).country_code, "US");
    const Place only_german = databases.find(address("192.175.48.65"));
    EXPECT_FALSE(only_german.city);
    EXPECT_FALSE(only_german.country) << "not the registered country's name beside this country's code";
    EXPECT_EQ(only_german.country_code, "CH");
    EXPECT_FALSE(databases.find(address("192.175.48.129")).city) << "an empty name is none";
    EXPECT_FALSE(databases.find(address("192.175.48.193")).country_code);
    EXPECT_EQ(databases.find(address("192.175.48.1")).asn, 4294967294U);
    EXPECT_FALSE(databases.find(address("192.175.48.1")).organization);
}

TEST(GeoDatabasesTest, GivesHostileNamesAsTheyAre) {
    GeoDatabases databases = mission_databases();
    databases.refresh();
    EXPECT_EQ(databases.find(address("192.31.196.0")).organization, "MEGAHOST_");
    EXPECT_EQ(databases.find(address("192.31.196.64")).organization, std::string(39, '*'));
    EXPECT_EQ(databases.find(address("192.31.196.176")).organization, "Back`tick [Net](http://x) \\");
    EXPECT_EQ(databases.find(address("192.31.196.240")).organization, std::string(300, 'W'));
    EXPECT_EQ(databases.find(address("192.31.196.1")).city, "San_José *del* [Sur](x) `1`");
}

// B21: the Python monitor took the file's date for the database's.
TEST(GeoDatabasesTest, TellsTheEditionByTheDatabasesOwnTypeAndBuildTime) {
    GeoDatabases databases = mission_databases();
    const GeoState state = databases.refresh();
    EXPECT_TRUE(state.changed);
    ASSERT_TRUE(state.city && state.asn);
    EXPECT_EQ(state.city->type, GeoEdition::Type::kCommercial);
    EXPECT_EQ(european_date(state.city->built), "20/01/2026");
    EXPECT_EQ(state.city->path, fixture_path("GeoIP2-City.mmdb"));
    EXPECT_EQ(state.asn->type, GeoEdition::Type::kFree);
    EXPECT_EQ(european_date(state.asn->built), "19/01/2026");
    EXPECT_EQ(state.edition()->path, state.city->path);
}

TEST(GeoDatabasesTest, TellsTheEditionOfARenamedFileByItsContent) {
    const GeoFolder folder;
    folder.overwrite("GeoIP2-City.mmdb", GeoFolder::fixture("GeoLite2-City.mmdb"));
    GeoDatabases databases(
        {.city = {folder.path("GeoIP2-City.mmdb")}, .asn = {}, .scratch_folder = folder.scratch()});
    EXPECT_EQ(databases.refresh().city->type, GeoEdition::Type::kFree);
}

TEST(GeoDatabasesTest, TellsTheAsnDatabasesEditionWhereThereIsNoCity) {
    GeoDatabases databases({.city = {}, .asn = {fixture_path("GeoIP2-ASN.mmdb")}, .scratch_folder = {}});
    const GeoState state = databases.refresh();
    EXPECT_TRUE(state.problems.empty()) << "an empty list is a choice, not a problem";
    ASSERT_TRUE(state.edition());
    EXPECT_EQ(european_date(state.edition()->built), "18/01/2026");
    EXPECT_EQ(state.edition()->type, GeoEdition::Type::kCommercial);
}

TEST(GeoDatabasesTest, TakesTheFirstCandidateThatIsThere) {
    GeoDatabases databases({.city = {"/nonexistent/GeoIP2-City.mmdb", fixture_path("GeoLite2-City.mmdb"),
                                     fixture_path("GeoIP2-City.mmdb")},
                            .asn = {},
                            .scratch_folder = {}});
    const GeoState state = databases.refresh();
    EXPECT_TRUE(state.problems.empty()) << "a missing candidate is no problem while another is there";
    EXPECT_EQ(state.city->path, fixture_path("GeoLite2-City.mmdb"));
}

TEST(GeoDatabasesTest, WorksWithoutAnyDatabaseAndSaysSo) {
    GeoDatabases databases(
        {.city = {"/nonexistent/a", "/nonexistent/b"}, .asn = {"/nonexistent/c"}, .scratch_folder = {}});
    for (int i = 0; i < 2; ++i) {
        const GeoState state = databases.refresh();
        EXPECT_FALSE(state.edition() || state.changed);
        EXPECT_EQ(state.problems,
                  (std::vector<std::string>{"no city database: none of /nonexistent/a, /nonexistent/b exists",
                                            "no ASN database: none of /nonexistent/c exists"}));
    }
    EXPECT_FALSE(databases.find(address("8.8.8.8")).country);
    EXPECT_EQ(databases.failed_lookups(), 0U);
}

TEST(GeoDatabasesTest, AnswersNothingBeforeTheFirstRefresh) {
    const GeoDatabases databases = mission_databases();
    EXPECT_FALSE(databases.find(address("8.8.8.8")).country);
}

TEST(GeoDatabasesTest, UsesACountryDatabaseAndFindsNoIpv6InAnIpv4One) {
    GeoDatabases databases(
        {.city = {fixture_path("GeoLite2-Country.mmdb")}, .asn = {}, .scratch_folder = {}});
    EXPECT_TRUE(databases.refresh().problems.empty());
    EXPECT_EQ(databases.find(address("8.8.8.8")).country, "United States");
    EXPECT_FALSE(databases.find(address("8.8.8.8")).city);
    EXPECT_FALSE(databases.find(address("2001:4860::1")).country);
    EXPECT_EQ(databases.failed_lookups(), 0U) << "that is no damage";
}

TEST(GeoDatabasesTest, RefusesADatabaseOfTheOtherKindAndTakesTheNext) {
    GeoDatabases databases({.city = {fixture_path("GeoLite2-ASN.mmdb"), fixture_path("GeoLite2-City.mmdb")},
                            .asn = {fixture_path("GeoIP2-City.mmdb")},
                            .scratch_folder = {}});
    const GeoState state = databases.refresh();
    EXPECT_TRUE(mention(state.problems, "GeoLite2-ASN.mmdb: is a GeoLite2-ASN database and holds no places"));
    EXPECT_TRUE(mention(state.problems,
                        "GeoIP2-City.mmdb: is a GeoIP2-City database and holds no autonomous systems"));
    EXPECT_EQ(state.city->path, fixture_path("GeoLite2-City.mmdb"));
    EXPECT_FALSE(state.asn);
    EXPECT_EQ(databases.find(address("8.8.8.8")).country_code, "US");
}

TEST(GeoDatabasesTest, TakesAnotherMakersDatabaseByItsFields) {
    const GeoFolder folder;
    folder.overwrite("places", patched(GeoFolder::fixture("GeoIP2-City.mmdb"), "database_typeKGeoIP2-City",
                                       "database_typeKHouse-Place"));
    folder.overwrite("networks", patched(GeoFolder::fixture("GeoIP2-ASN.mmdb"), "database_typeJGeoIP2-ASN",
                                         "database_typeJHouse-Nets"));
    GeoDatabases databases({.city = {folder.path("networks"), folder.path("places")},
                            .asn = {folder.path("places"), folder.path("networks")},
                            .scratch_folder = folder.scratch()});
    const GeoState state = databases.refresh();
    EXPECT_EQ(state.problems.size(), 2U);
    EXPECT_EQ(databases.find(address("103.118.76.1")).city, "Pābna");
    EXPECT_EQ(databases.find(address("103.118.76.1")).asn, 137959U);
    EXPECT_EQ(state.city->type, GeoEdition::Type::kCommercial);
}

TEST(GeoDatabasesTest, RefusesWhatIsNoRegularFile) {
    const GeoFolder folder;
    ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
    GeoDatabases databases(
        {.city = {folder.path("fifo"), folder.path(".")}, .asn = {}, .scratch_folder = {}});
    const GeoState state = databases.refresh();  // and does not wait for a writer
    EXPECT_TRUE(mention(state.problems, "fifo: is no regular file"));
    EXPECT_FALSE(state.city);
}

}  // namespace
}  // namespace cam::enrich
