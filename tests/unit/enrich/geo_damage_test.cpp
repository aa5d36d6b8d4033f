// A damaged database may answer wrong or not at all, but never crashes and never gives text that is no UTF-8.
// These tests say most under the address sanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "cam/enrich/geo_databases.h"
#include "unit/enrich/geo_folder.h"

#if defined(__SANITIZE_ADDRESS__)
// libmaxminddb 1.7 loses a few kilobytes when it refuses damaged metadata. GeoDatabases asks it once for each
// state of a file, so that nothing grows.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libmaxminddb";
}
#endif

namespace cam::enrich {
namespace {

const std::vector<IpAddress>& addresses() {
    static const std::vector<IpAddress> kAll = [] {
        std::vector<IpAddress> all;
        for (const char* text : {"103.118.76.198",
                                 "45.227.254.17",
                                 "8.8.8.8",
                                 "2001:4860::8888",
                                 "185.54.82.4",
                                 "2a02:4460::1",
                                 "193.0.6.1",
                                 "192.31.196.0",
                                 "192.31.196.200",
                                 "192.31.196.255",
                                 "192.175.48.1",
                                 "192.175.48.65",
                                 "192.175.48.129",
                                 "192.175.48.200",
                                 "0.0.0.0",
                                 "255.255.255.255",
                                 "::",
                                 "ffff::",
                                 "1.2.3.4",
                                 "2000::1"}) {
            all.push_back(*IpAddress::parse(text));
        }
        return all;
    }();
    return kAll;
}

class GeoDamageTest : public testing::TestWithParam<const char*> {
protected:
    /// Opens the bytes as every kind of database and asks for many addresses. How many look-ups met damage.
    std::uint64_t survive(std::string_view bytes) const {
        // ext4 flushes a file that is truncated and written anew, which costs milliseconds.
        folder_.remove("file");
        folder_.overwrite("file", bytes);
        GeoDatabases databases(
            {.city = {folder_.path("file")}, .asn = {folder_.path("file")}, .scratch_folder = {}});
        databases.refresh();
        for (const IpAddress& address : addresses()) {
            const Place place = databases.find(address);
            for (const auto& text : {place.city, place.country, place.country_code, place.organization}) {
                EXPECT_TRUE(!text || (!text->empty() && text->find('\0') == std::string::npos));
            }
        }
        return databases.failed_lookups();
    }

    const std::string good_ = GeoFolder::fixture(GetParam());
    GeoFolder folder_;
};

TEST_P(GeoDamageTest, SurvivesFlippedBytes) {
    std::mt19937_64 random(99);
    std::uint64_t failed = 0;
    for (int i = 0; i < 3000; ++i) {
        std::string bytes = good_;
        for (std::uint64_t flips = 1 + random() % 6; flips > 0; --flips) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        failed += survive(bytes);
    }
    EXPECT_GT(failed, 0U) << "damage that was met must be counted";
}

TEST_P(GeoDamageTest, SurvivesEveryTruncation) {
    for (std::size_t size = 0; size < good_.size(); size += 1 + size / 512) {
        survive(std::string_view{good_}.substr(0, size));
    }
}

TEST_P(GeoDamageTest, SurvivesAMissingMiddle) {
    for (std::size_t cut = 0; cut < good_.size(); cut += 97) survive(std::string{good_}.erase(cut, 64));
}

TEST_P(GeoDamageTest, SurvivesGarbageInTheMiddle) {
    std::mt19937_64 random(7);
    for (std::size_t at = 0; at < good_.size(); at += 61) {
        std::string bytes = good_;
        for (std::size_t i = at; i < std::min(at + 80, bytes.size()); ++i)
            bytes[i] = static_cast<char>(random());
        survive(bytes);
    }
}

TEST_P(GeoDamageTest, SurvivesRandomBytesBehindRealMetadata) {
    std::mt19937_64 random(5);
    const std::size_t metadata = good_.rfind("\xab\xcd\xefMaxMind.com");
    ASSERT_NE(metadata, std::string::npos);
    for (int i = 0; i < 300; ++i) {
        std::string bytes = good_;
        for (std::size_t at = 0; at < metadata; ++at) {
            if (bytes[at] != 0 || i % 2 == 0) bytes[at] = static_cast<char>(random());
        }
        survive(bytes);
    }
}

INSTANTIATE_TEST_SUITE_P(Databases, GeoDamageTest,
                         testing::Values("GeoIP2-City.mmdb", "GeoLite2-ASN.mmdb", "GeoLite2-Country.mmdb"),
                         [](const testing::TestParamInfo<const char*>& test) {
                             const std::string_view name = test.param;
                             return std::string{
                                 name.substr(name.find('-') + 1, name.find('.') - name.find('-') - 1)};
                         });

TEST(GeoTextTest, ANameThatIsNoUtf8IsLeftOutAndCounted) {
    const GeoFolder folder;
    folder.overwrite("city", patched(GeoFolder::fixture("GeoIP2-City.mmdb"),
                                     "P\xc4\x81"
                                     "bna",
                                     "P\xc4"
                                     "bnax"));
    GeoDatabases databases({.city = {folder.path("city")}, .asn = {}, .scratch_folder = {}});
    databases.refresh();
    const Place place = databases.find(*IpAddress::parse("103.118.76.198"));
    EXPECT_FALSE(place.city);
    EXPECT_EQ(place.country, "Bangladesh") << "the rest is told";
    EXPECT_EQ(databases.failed_lookups(), 1U);
}

}  // namespace
}  // namespace cam::enrich
