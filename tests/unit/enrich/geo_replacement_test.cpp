// B28: the Python monitor never noticed that a database was updated. Here every way of updating one is tried,
// with and without look-ups under way.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <thread>

#include "cam/base/time_text.h"
#include "cam/enrich/geo_databases.h"
#include "unit/enrich/geo_folder.h"

namespace cam::enrich {
namespace {

const IpAddress kPabna = *IpAddress::parse("103.118.76.198");

bool mention(const std::vector<std::string>& lines, std::string_view words) {
    return std::any_of(lines.begin(), lines.end(),
                       [words](const std::string& line) { return line.find(words) != std::string::npos; });
}

/// A City database that is found, and another that tells the same address another city.
class GeoReplacementTest : public testing::Test {
protected:
    GeoReplacementTest() { folder_.overwrite("city", old_); }

    [[nodiscard]] std::string city() const { return databases_.find(kPabna).city.value_or("(none)"); }

    const std::string old_ = GeoFolder::fixture("GeoIP2-City.mmdb");
    const std::string new_ = patched(old_, "Pābna", "Dhaka!");
    GeoFolder folder_;
    GeoDatabases databases_{{.city = {folder_.path("better"), folder_.path("city"), folder_.path("worse")},
                             .asn = {},
                             .scratch_folder = folder_.scratch()}};
};

TEST_F(GeoReplacementTest, SaysNothingChangedWhenNothingDid) {
    EXPECT_TRUE(databases_.refresh().changed);
    EXPECT_FALSE(databases_.refresh().changed);
    EXPECT_EQ(city(), "Pābna");
}

TEST_F(GeoReplacementTest, TakesAFileThatReplacedTheOldByRename) {
    databases_.refresh();
    folder_.replace("city", new_);
    EXPECT_EQ(city(), "Pābna") << "only a refresh changes the answers";
    const GeoState state = databases_.refresh();
    EXPECT_TRUE(state.changed);
    EXPECT_TRUE(state.problems.empty());
    EXPECT_EQ(city(), "Dhaka!");
}

TEST_F(GeoReplacementTest, TakesAFileThatWasOverwrittenInPlaceWithTheSameLength) {
    databases_.refresh();
    folder_.overwrite("city", new_);
    EXPECT_EQ(city(), "Pābna") << "the bytes under a look-up are our own";
    EXPECT_TRUE(databases_.refresh().changed);
    EXPECT_EQ(city(), "Dhaka!");
}

TEST_F(GeoReplacementTest, SurvivesATruncationOfTheFileInUse) {
    databases_.refresh();
    folder_.overwrite("city", "");
    EXPECT_EQ(city(), "Pābna") << "a mapped file that is cut would have killed us with SIGBUS";
    const GeoState state = databases_.refresh();
    EXPECT_FALSE(state.changed);
    ASSERT_TRUE(state.city) << "the old one stays in use";
    EXPECT_TRUE(mention(state.problems, "city: is no MaxMind database, or not a whole one"));
    EXPECT_TRUE(mention(state.problems, "stays in use"));
    EXPECT_EQ(city(), "Pābna");
}

TEST_F(GeoReplacementTest, SurvivesTheSameInAnonymousMemory) {
    GeoDatabases databases({.city = {folder_.path("city")}, .asn = {}, .scratch_folder = {}});
    databases.refresh();
    folder_.overwrite("city", "");
    EXPECT_EQ(databases.find(kPabna).city, "Pābna");
}

TEST_F(GeoReplacementTest, FallsBackToMemoryWhereTheScratchFolderIsMissing) {
    GeoDatabases databases({.city = {folder_.path("city")}, .asn = {}, .scratch_folder = "/nonexistent"});
    EXPECT_TRUE(databases.refresh().problems.empty());
    folder_.overwrite("city", "");
    EXPECT_EQ(databases.find(kPabna).city, "Pābna");
}

TEST_F(GeoReplacementTest, LeavesNothingInTheScratchFolder) {
    databases_.refresh();
    EXPECT_TRUE(std::filesystem::is_empty(folder_.scratch()));
}

TEST_F(GeoReplacementTest, WaitsForAHalfWrittenFileToBecomeWhole) {
    databases_.refresh();
    for (const std::size_t part : {new_.size() / 4, new_.size() / 2, new_.size() - 10}) {
        folder_.overwrite("city", std::string_view{new_}.substr(0, part));
        for (int again = 0; again < 2; ++again) {
            const GeoState state = databases_.refresh();
            EXPECT_FALSE(state.changed);
            EXPECT_EQ(state.problems.size(), 1U) << "one line, however often it is looked at";
            EXPECT_EQ(city(), "Pābna");
        }
    }
    folder_.overwrite("city", new_);
    const GeoState state = databases_.refresh();
    EXPECT_TRUE(state.changed);
    EXPECT_TRUE(state.problems.empty());
    EXPECT_EQ(city(), "Dhaka!");
}

TEST_F(GeoReplacementTest, RefusesANewTreeInFrontOfOldMetadata) {
    databases_.refresh();
    const std::string other =
        GeoFolder::fixture("GeoLite2-ASN.mmdb");  // its tree is as long as the separator is far
    folder_.overwrite_head("city", std::string_view{other}.substr(0, 3000));
    const GeoState state = databases_.refresh();
    EXPECT_FALSE(state.changed);
    EXPECT_EQ(state.problems.size(), 1U);
    EXPECT_EQ(city(), "Pābna");
}

TEST_F(GeoReplacementTest, KeepsTheDatabaseWhoseFileVanished) {
    databases_.refresh();
    folder_.overwrite("worse", new_);
    folder_.remove("city");
    for (int again = 0; again < 2; ++again) {
        const GeoState state = databases_.refresh();
        EXPECT_FALSE(state.changed);
        EXPECT_EQ(state.city->path, folder_.path("city"));
        EXPECT_EQ(state.problems,
                  std::vector<std::string>{folder_.path("city") +
                                           ": is gone; the database that was there stays in use"});
        EXPECT_EQ(city(), "Pābna") << "a file that vanished comes back as a rule; the worse one is not taken";
    }
    folder_.overwrite("city", new_);
    EXPECT_TRUE(databases_.refresh().problems.empty());
    EXPECT_EQ(city(), "Dhaka!");
}

TEST_F(GeoReplacementTest, TakesABetterCandidateThatAppears) {
    databases_.refresh();
    folder_.overwrite("better", "half");
    GeoState state = databases_.refresh();
    EXPECT_FALSE(state.changed);
    EXPECT_TRUE(mention(state.problems, "better: is no MaxMind database"));
    EXPECT_EQ(state.city->path, folder_.path("city"));
    folder_.overwrite("better", new_);
    state = databases_.refresh();
    EXPECT_TRUE(state.changed);
    EXPECT_TRUE(state.problems.empty());
    EXPECT_EQ(state.city->path, folder_.path("better"));
    EXPECT_EQ(city(), "Dhaka!");
}

TEST_F(GeoReplacementTest, TakesADatabaseThatAppearsAfterTheStart) {
    folder_.remove("city");
    EXPECT_FALSE(databases_.refresh().city);
    folder_.overwrite("worse", old_);
    EXPECT_TRUE(databases_.refresh().changed);
    EXPECT_EQ(city(), "Pābna");
}

/// Nobody may write files of more than `bytes` bytes while this lives: a full disk that needs no disk.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit less{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &less);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

TEST_F(GeoReplacementTest, ReadsTheFileItselfWhereThereIsNoRoomForACopyAndCopiesItLater) {
    GeoState state;
    for (int again = 0; again < 2; ++again) {
        const FileSizeLimit full_disk(1000);
        state = databases_.refresh();
        EXPECT_EQ(state.changed, again == 0);
        EXPECT_EQ(state.problems.size(), 1U);
        EXPECT_TRUE(mention(state.problems, "city: used without a private copy"));
        EXPECT_EQ(city(), "Pābna");
    }
    state = databases_.refresh();
    EXPECT_TRUE(state.problems.empty());
    folder_.overwrite("city", "");
    EXPECT_EQ(city(), "Pābna") << "it is a copy now";
}

TEST_F(GeoReplacementTest, KeepsTheOldCopyWhereThereIsNoRoomForANewOne) {
    databases_.refresh();
    folder_.replace("city", new_);
    {
        const FileSizeLimit full_disk(1000);
        const GeoState state = databases_.refresh();
        EXPECT_FALSE(state.changed);
        EXPECT_TRUE(mention(state.problems, "no room for a private copy"));
        EXPECT_EQ(city(), "Pābna");
    }
    EXPECT_TRUE(databases_.refresh().changed);
    EXPECT_EQ(city(), "Dhaka!");
}

TEST_F(GeoReplacementTest, AnswersEveryLookupWithOldOrNewWhileTheFileIsReplacedAllTheTime) {
    databases_.refresh();
    std::atomic<std::uint64_t> lookups{0};
    std::atomic<std::uint64_t> wrong{0};
    {
        std::vector<std::jthread> readers;
        for (int i = 0; i < 2; ++i) {
            readers.emplace_back([&](const std::stop_token& stop) {
                while (!stop.stop_requested()) {
                    const Place place = databases_.find(kPabna);
                    const bool right =
                        (place.city == "Pābna" || place.city == "Dhaka!") && place.country_code == "BD";
                    if (!right) wrong.fetch_add(1);
                    lookups.fetch_add(1);
                }
            });
        }
        for (int round = 0; round < 100 || lookups < 10'000; ++round) {
            const std::string& next = round % 2 == 0 ? new_ : old_;
            folder_.overwrite("city", std::string_view{next}.substr(0, next.size() / 2));
            databases_.refresh();
            if (round % 4 < 2) {
                folder_.replace("city", next);
            } else {
                folder_.overwrite("city", next);
            }
            databases_.refresh();
            if (round % 10 == 9) folder_.remove("city");
            databases_.refresh();
        }
    }
    EXPECT_EQ(wrong, 0U);
    EXPECT_EQ(databases_.failed_lookups(), 0U);
}

}  // namespace
}  // namespace cam::enrich
