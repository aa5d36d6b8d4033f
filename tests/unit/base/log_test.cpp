#include "cam/base/log.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "fakes/base/temp_folder.h"

namespace cam {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// --- quote ---

// B34, and log forging: a value from outside stays one value on one line.
TEST(QuoteTest, LetsNoValueStartALineOrEndItsQuotes) {
    EXPECT_EQ(quote(""), R"("")");
    EXPECT_EQ(quote("plain"), R"("plain")");
    EXPECT_EQ(quote("a\nb"), R"("a\nb")");
    EXPECT_EQ(quote("say \"hi\" \\ bye"), R"("say \"hi\" \\ bye")");
    EXPECT_EQ(quote(std::string_view("\r\t\0\x1b[31m\x7f", 9)), R"("\x0d\x09\x00\x1b[31m\x7f")");
    EXPECT_EQ(quote("Pābna 🛡️"), "\"Pābna 🛡️\"") << "other scripts stay readable";
}

TEST(QuoteTest, CutsALongValueBetweenCharacters) {
    EXPECT_EQ(quote("abcdef", 6), "\"abcdef\"");
    EXPECT_EQ(quote("abcdef", 5), "\"abcde…\"");
    EXPECT_EQ(quote("abcā", 4), "\"abc…\"") << "ā has two bytes, the second would be cut off";
    EXPECT_EQ(quote("ab🛡x", 5), "\"ab…\"");
    EXPECT_EQ(quote("ab🛡x", 6), "\"ab🛡…\"");
    EXPECT_EQ(quote("\x80\x80\x80\x80", 2), "\"…\"") << "no character begins anywhere";
    EXPECT_LT(quote(std::string(1'000'000, 'x')).size(), 220U) << "200 bytes unless told otherwise";
}

// --- the log file ---

class LogOutputTest : public testing::Test {
protected:
    /// Lets `act` run and returns what it wrote to standard error.
    template <typename F>
    std::string standard_error_of(F&& act) {
        testing::internal::CaptureStderr();
        act();
        return testing::internal::GetCapturedStderr();
    }
    /// A line at a time of our choosing; the file is tried again ten seconds after it failed.
    void say(const LogOutput& output, std::chrono::seconds after, const char* text) const {
        output.logger()->log(begin_ + after, spdlog::source_loc{}, spdlog::level::info, text);
    }
    static std::size_t count(const std::string& text, std::string_view part) {
        std::size_t found = 0;
        for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
        return found;
    }

    TempFolder folder_;
    const spdlog::log_clock::time_point begin_ = spdlog::log_clock::now();
};

TEST_F(LogOutputTest, WritesEachLineToStandardErrorAndToTheFile) {
    const std::string told = standard_error_of([&] {
        const auto output = LogOutput::open(folder_.file("monitor.log"), spdlog::level::info);
        output->logger()->info("daemon started polls={}", 3);
        output->logger()->debug("not at this level");
        output->set_level(spdlog::level::debug);
        output->logger()->debug("at this level");
        EXPECT_EQ(output->file_problem(), "");
    });
    EXPECT_EQ(folder_.read("monitor.log"), told);
    EXPECT_EQ(told.find("not at this level"), std::string::npos);
    EXPECT_NE(told.find("debug at this level\n"), std::string::npos) << told;
    const std::string first = told.substr(0, told.find('\n'));
    ASSERT_GT(first.size(), 25U);
    EXPECT_EQ(first.substr(24), " info daemon started polls=3") << "behind 2026-01-19T22:51:50.123Z";
    EXPECT_EQ(first[10], 'T');
    EXPECT_EQ(first[23], 'Z');
}

TEST_F(LogOutputTest, NeedsNoFile) {
    const std::string told = standard_error_of([&] {
        const auto output = LogOutput::open("", spdlog::level::info);
        output->logger()->info("only here");
        EXPECT_EQ(output->file_problem(), "");
    });
    EXPECT_EQ(count(told, "only here"), 1U);
}

// B31: a log file that cannot be written is no reason to stop, and not told with every line.
TEST_F(LogOutputTest, TellsOnceThatTheFileCannotBeOpenedAndPicksItUpAgain) {
    const std::string told = standard_error_of([&] {
        const auto output = LogOutput::open(folder_.file("logs/monitor.log"), spdlog::level::info);
        EXPECT_NE(output->file_problem().find("logs/monitor.log"), std::string::npos);
        EXPECT_NE(output->file_problem().find("No such file or directory"), std::string::npos);
        say(*output, 0s, "one");
        say(*output, 30s, "two");
        say(*output, 60s, "three");
        EXPECT_NE(output->file_problem(), "");
        fs::create_directory(folder_.file("logs"));
        say(*output, 90s, "four");
        say(*output, 91s, "five");
        EXPECT_EQ(output->file_problem(), "");
    });
    EXPECT_EQ(count(told, "log file cannot be written"), 1U) << told;
    EXPECT_EQ(count(told, "log file is written again"), 1U) << told;
    for (const char* line : {"one", "two", "three", "four", "five"}) EXPECT_EQ(count(told, line), 1U) << line;
    const std::string file = folder_.read("logs/monitor.log");
    EXPECT_EQ(file.find("three"), std::string::npos);
    EXPECT_NE(file.find("four"), std::string::npos);
    EXPECT_NE(file.find("five"), std::string::npos);
}

TEST_F(LogOutputTest, TriesAFileThatFailedOnlyEveryTenSeconds) {
    standard_error_of([&] {
        const auto output = LogOutput::open(folder_.file("logs/monitor.log"), spdlog::level::info);
        say(*output, 0s, "one");
        fs::create_directory(folder_.file("logs"));
        say(*output, 9s, "two");
        EXPECT_FALSE(fs::exists(folder_.file("logs/monitor.log"))) << "tried again too early";
        say(*output, 11s, "three");
        EXPECT_TRUE(fs::exists(folder_.file("logs/monitor.log")));
    });
}

TEST_F(LogOutputTest, TellsOnceThatTheDiskIsFull) {
    const std::string told = standard_error_of([&] {
        const auto output = LogOutput::open("/dev/full", spdlog::level::info);
        EXPECT_EQ(output->file_problem(), "") << "it opens well";
        for (int i = 0; i < 5; ++i) say(*output, std::chrono::seconds{i * 15}, "line");
        EXPECT_NE(output->file_problem().find("No space left on device"), std::string::npos);
        output->reopen(folder_.file("elsewhere.log"));
        say(*output, 100s, "elsewhere");
        EXPECT_EQ(output->file_problem(), "");
    });
    EXPECT_EQ(count(told, "log file cannot be written"), 1U) << told;
    EXPECT_EQ(count(told, "line\n"), 5U) << "standard error has them all";
    EXPECT_EQ(count(folder_.read("elsewhere.log"), "\n"), 1U);
}

TEST_F(LogOutputTest, GoesOnInANewFileAfterLogrotate) {
    standard_error_of([&] {
        const auto output = LogOutput::open(folder_.file("monitor.log"), spdlog::level::info);
        output->logger()->info("one");
        fs::rename(folder_.file("monitor.log"), folder_.file("monitor.log.1"));
        output->logger()->info("two");
        output->reopen(folder_.file("monitor.log"));
        output->logger()->info("three");
    });
    EXPECT_EQ(count(folder_.read("monitor.log.1"), "\n"), 2U);
    const std::string fresh = folder_.read("monitor.log");
    EXPECT_EQ(count(fresh, "\n"), 1U);
    EXPECT_EQ(count(fresh, "three"), 1U);
}

// A log file must not be led elsewhere by whoever may write into its folder.
TEST_F(LogOutputTest, FollowsNoLink) {
    folder_.write("victim", "precious\n");
    fs::create_symlink(folder_.file("victim"), folder_.file("monitor.log"));
    standard_error_of([&] {
        const auto output = LogOutput::open(folder_.file("monitor.log"), spdlog::level::info);
        output->logger()->info("line");
        EXPECT_NE(output->file_problem(), "");
    });
    EXPECT_EQ(folder_.read("victim"), "precious\n");
}

}  // namespace
}  // namespace cam
