// What the program keeps in files of its own, and the pulse of its loops: files, preferences, heartbeats.

#include "app/files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <sys/stat.h>

#include "app/heartbeat.h"
#include "app/preferences.h"
#include "fakes/base/fake_clock.h"
#include "fakes/base/temp_folder.h"

namespace cam::app {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

unsigned mode_of(const std::string& path) {
    struct stat about {};
    EXPECT_EQ(::stat(path.c_str(), &about), 0) << path;
    return about.st_mode & 07777U;
}

std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

// --- files ---

TEST(FilesTest, TellsWhichFileLiesAtAPath) {
    const TempFolder folder;
    const std::string path = folder.write("one", "x");
    const auto first = file_at(path);
    ASSERT_TRUE(first);
    ASSERT_TRUE(*first);
    folder.write("one", "more");
    EXPECT_EQ(*file_at(path), *first) << "what it holds does not matter";
    folder.write("two", "x");
    fs::rename(folder.file("two"), path);
    EXPECT_NE(*file_at(path), *first);
    fs::remove(path);
    EXPECT_EQ(*file_at(path), std::nullopt);
    EXPECT_FALSE(file_at(folder.file(std::string(300, 'x')))) << "a name that cannot be is no absence";
}

TEST(FilesTest, ReadsARegularFileOfBoundedSize) {
    const TempFolder folder;
    const std::string text = std::string(100'000, 'x') + "\n";
    EXPECT_EQ(*read_file(folder.write("a", text), text.size()), text);
    EXPECT_EQ(*read_file(folder.write("empty", ""), 10), "");
    EXPECT_EQ(read_file(folder.file("a"), text.size() - 1).error().code, ErrorCode::kTooLarge);
    EXPECT_EQ(read_file(folder.file("nowhere"), 10).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(read_file(folder.file("a/b"), 10).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(read_file(folder.path(), 10).error().code, ErrorCode::kInvalid);
    EXPECT_EQ(read_file("/dev/zero", 10).error().code, ErrorCode::kInvalid);
}

TEST(FilesTest, IsNotHeldUpByAPipeWithoutAWriter) {
    const TempFolder folder;
    ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
    EXPECT_EQ(read_file(folder.file("pipe"), 10).error().code, ErrorCode::kInvalid);
}

TEST(FilesTest, ReplacesAFileInOneStepAndKeepsItsMode) {
    const TempFolder folder;
    ASSERT_TRUE(write_file_atomically(folder.file("new"), "one"));
    EXPECT_EQ(folder.read("new"), "one");
    EXPECT_EQ(mode_of(folder.file("new")), 0640U);

    folder.write("old", "before");
    fs::permissions(folder.file("old"), fs::perms{0604});
    std::ifstream reader(folder.file("old"));
    ASSERT_TRUE(write_file_atomically(folder.file("old"), "after"));
    EXPECT_EQ(folder.read("old"), "after");
    EXPECT_EQ(mode_of(folder.file("old")), 0604U);
    std::string seen;
    std::getline(reader, seen);
    EXPECT_EQ(seen, "before") << "who has the old one open goes on in it";
    EXPECT_EQ(files_in(folder.path()), 2U) << "nothing is left beside them";
}

TEST(FilesTest, LeavesNothingBehindWhereItCannotWrite) {
    const TempFolder folder;
    EXPECT_EQ(write_file_atomically(folder.file("no/folder"), "x").error().code, ErrorCode::kNotFound);
    fs::create_directory(folder.file("occupied"));
    EXPECT_FALSE(write_file_atomically(folder.file("occupied"), "x"));
    EXPECT_EQ(files_in(folder.path()), 1U);
}

// --- the dashboard's toggle ---

// B27: a broken preference file is told, not silently taken for an answer.
TEST(PreferenceFileTest, ReadsTheToggleOrSaysWhyNot) {
    const TempFolder folder;
    const PreferenceFile preferences(folder.file("prefs.json"));
    EXPECT_EQ(preferences.my_prefixes_only().error().code, ErrorCode::kNotFound);
    folder.write("prefs.json", R"({"my_prefixes_only": false, "theme": "dark"})");
    EXPECT_FALSE(*preferences.my_prefixes_only());
    folder.write("prefs.json", R"({"my_prefixes_only": true})");
    EXPECT_TRUE(*preferences.my_prefixes_only());
    for (const std::string& broken :
         {std::string{}, std::string{"{"}, std::string{"[]"}, std::string{"true"}, std::string{"{}"},
          std::string{R"({"my_prefixes_only": "false"})"}, std::string{R"({"my_prefixes_only": 0})"},
          std::string{R"({"my_prefixes_only": null})"}, std::string(60'000, '[')}) {
        folder.write("prefs.json", broken);
        const auto read = preferences.my_prefixes_only();
        ASSERT_FALSE(read) << broken.substr(0, 40);
        EXPECT_EQ(read.error().code, ErrorCode::kInvalid) << broken.substr(0, 40);
    }
    folder.write("prefs.json", std::string(70'000, ' '));
    EXPECT_EQ(preferences.my_prefixes_only().error().code, ErrorCode::kTooLarge);
}

TEST(PreferenceFileTest, KeepsOtherKeysAndTheModeWhenItWrites) {
    const TempFolder folder;
    const PreferenceFile preferences(folder.write(
        "prefs.json", R"({"theme": "dark", "my_prefixes_only": true, "columns": [1, 2.5, null, "Pābna"]})"));
    fs::permissions(folder.file("prefs.json"), fs::perms{0664});
    ASSERT_TRUE(preferences.set_my_prefixes_only(false));
    EXPECT_EQ(folder.read("prefs.json"),
              R"({"columns":[1,2.5,null,"Pābna"],"my_prefixes_only":false,"theme":"dark"})"
              "\n");
    EXPECT_EQ(mode_of(folder.file("prefs.json")), 0664U);
    EXPECT_FALSE(*preferences.my_prefixes_only());
    EXPECT_EQ(files_in(folder.path()), 1U);
}

TEST(PreferenceFileTest, MakesAFileThatIsNotThereOrBroken) {
    const TempFolder folder;
    const PreferenceFile preferences(folder.file("prefs.json"));
    ASSERT_TRUE(preferences.set_my_prefixes_only(true));
    EXPECT_EQ(folder.read("prefs.json"), "{\"my_prefixes_only\":true}\n");
    folder.write("prefs.json", "not JSON");
    ASSERT_TRUE(preferences.set_my_prefixes_only(false));
    EXPECT_FALSE(*preferences.my_prefixes_only());
    EXPECT_FALSE(PreferenceFile(folder.file("no/folder/prefs.json")).set_my_prefixes_only(true));
}

// --- heartbeats ---

// B31: the watchdog knew only that the process was there.
TEST(HeartbeatsTest, NamesTheLoopsThatAreSilent) {
    FakeClock clock;
    Heartbeats beats(clock);
    Heartbeat& poll = beats.add("poll");
    Heartbeat& deliver = beats.add("deliver");
    EXPECT_EQ(poll.loop(), "poll");
    EXPECT_TRUE(beats.silent(60s).empty());
    clock.advance(60s);
    EXPECT_TRUE(beats.silent(60s).empty()) << "just not longer";
    poll.beat();
    clock.advance(1ms);
    EXPECT_EQ(beats.silent(60s), std::vector<std::string>{"deliver"});
    deliver.rest();
    EXPECT_TRUE(beats.silent(60s).empty()) << "a loop that ended on purpose is not expected to beat";
    clock.turn_wall(24h);
    EXPECT_TRUE(beats.silent(60s).empty()) << "turning the wall clock stops no loop";
    clock.advance(24h);
    EXPECT_EQ(beats.silent(60s), std::vector<std::string>{"poll"});
    deliver.beat();
    clock.advance(61s);
    EXPECT_EQ(beats.silent(60s), (std::vector<std::string>{"poll", "deliver"}));
    beats.clear();
    EXPECT_TRUE(beats.silent(60s).empty());
}

TEST(HeartbeatsTest, BeatOnDuringALongSleep) {
    FakeClock clock;
    Heartbeat heartbeat("poll", clock);
    const SteadyTime begin = clock.steady();
    EXPECT_TRUE(sleep_beating(clock, begin + 290s, {}, heartbeat));
    EXPECT_EQ(clock.steady(), begin + 290s);
    for (const auto sleep : clock.sleeps()) EXPECT_LE(sleep, 20s);
    EXPECT_FALSE(heartbeat.silent(clock.steady(), 0ms)) << "and at its end";

    EXPECT_TRUE(sleep_beating(clock, begin, {}, heartbeat)) << "what is past takes no time";
    std::stop_source stop;
    stop.request_stop();
    EXPECT_FALSE(sleep_beating(clock, begin + 1h, stop.get_token(), heartbeat));
    EXPECT_FALSE(sleep_beating(clock, begin, stop.get_token(), heartbeat));
    EXPECT_EQ(clock.steady(), begin + 290s);
}

}  // namespace
}  // namespace cam::app
