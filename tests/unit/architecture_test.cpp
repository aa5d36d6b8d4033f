// Holds every #include of the project against the table of docs/architecture.md: a room sees what it may see,
// private headers stay in their room, third-party headers stay in the rooms that own them, and only
// SystemClock reads the clock.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

namespace fs = std::filesystem;

struct Line {
    std::string file;  ///< from the project's folder
    std::size_t number;
    std::string text;
};

std::string room_of(const std::string& file) {
    const std::string rest = file.rfind("include/cam/", 0) == 0 ? file.substr(12) : file.substr(4);
    return rest.substr(0, rest.find('/'));
}

/// Every line of every source and public header.
const std::vector<Line>& lines() {
    static const std::vector<Line> all = [] {
        std::vector<Line> out;
        const fs::path root(CAM_SOURCE_DIR);
        for (const char* folder : {"src", "include"}) {
            for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
                const std::string extension = entry.path().extension();
                if (extension != ".cpp" && extension != ".h") continue;
                std::ifstream file(entry.path());
                std::string text;
                for (std::size_t number = 1; std::getline(file, text); ++number) {
                    out.push_back({fs::relative(entry.path(), root).string(), number, text});
                }
            }
        }
        return out;
    }();
    return all;
}

struct Include {
    Line at;
    std::string what;
};

std::vector<Include> includes() {
    static const std::regex kInclude{R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])"};
    std::vector<Include> out;
    for (const Line& line : lines()) {
        std::smatch match;
        if (std::regex_search(line.text, match, kInclude)) out.push_back({line, match[1]});
    }
    return out;
}

/// room -> rooms it may include, read from the table of docs/architecture.md.
std::map<std::string, std::set<std::string>> allowed_rooms() {
    static const std::regex kRow{R"(^\| `(\w+)` \|[^|]*\|([^|]*)\|)"};
    static const std::regex kWord{R"(\w+)"};
    std::map<std::string, std::set<std::string>> table;
    std::ifstream file(fs::path(CAM_SOURCE_DIR) / "docs/architecture.md");
    std::string text;
    while (std::getline(file, text)) {
        std::smatch match;
        if (!std::regex_search(text, match, kRow)) continue;
        std::set<std::string>& rooms = table[match[1]];
        const std::string list = match[2];
        for (std::sregex_iterator word(list.begin(), list.end(), kWord), end; word != end; ++word) {
            rooms.insert(word->str());
        }
    }
    return table;
}

std::string place(const Line& line) {
    return line.file + ":" + std::to_string(line.number) + ": " + line.text;
}

TEST(ArchitectureTest, TheTableOfTheDocumentNamesEveryRoom) {
    const auto table = allowed_rooms();
    for (const auto& entry : fs::directory_iterator(fs::path(CAM_SOURCE_DIR) / "src")) {
        EXPECT_TRUE(table.contains(entry.path().filename()))
            << entry.path() << " is not in docs/architecture.md";
    }
    EXPECT_GE(table.size(), 10U);
}

TEST(ArchitectureTest, ARoomIncludesOnlyThePublicHeadersOfRoomsItMaySee) {
    const auto table = allowed_rooms();
    std::size_t checked = 0;
    for (const Include& include : includes()) {
        if (include.what.rfind("cam/", 0) != 0) continue;
        const std::string from = room_of(include.at.file);
        const std::string to = room_of("include/" + include.what);
        ++checked;
        if (from == to || from == "app") continue;
        ASSERT_TRUE(table.contains(from)) << place(include.at);
        EXPECT_TRUE(table.at(from).contains(to)) << place(include.at);
    }
    EXPECT_GT(checked, 100U);
}

TEST(ArchitectureTest, PrivateHeadersStayInTheirRoom) {
    for (const Include& include : includes()) {
        const std::string room = include.what.substr(0, include.what.find('/'));
        if (!fs::is_directory(fs::path(CAM_SOURCE_DIR) / "src" / room)) continue;
        EXPECT_EQ(room, room_of(include.at.file)) << place(include.at);
        EXPECT_EQ(include.at.file.rfind("include/", 0), std::string::npos)
            << "a public header includes a private one: " << place(include.at);
    }
}

TEST(ArchitectureTest, ThirdPartyHeadersStayInTheRoomsThatOwnThem) {
    const std::map<std::string, std::set<std::string>> owners{
        {"curl/", {"net"}},         {"zstd.h", {"net"}},         {"httplib.h", {"api"}},
        {"sqlite3.h", {"store"}},   {"maxminddb.h", {"enrich"}}, {"CLI/", {"app"}},
        {"systemd/", {"app"}},      {"pcap/", {"app"}},          {"simdjson.h", {"cloudflare"}},
        {"librdkafka/", {"kafka"}},
    };
    for (const Include& include : includes()) {
        for (const auto& [header, rooms] : owners) {
            if (include.what.rfind(header, 0) != 0) continue;
            EXPECT_TRUE(rooms.contains(room_of(include.at.file))) << place(include.at);
            EXPECT_NE(include.at.file.rfind("include/", 0), 0U)
                << "in a public header: " << place(include.at);
        }
        const bool public_header = include.at.file.rfind("include/", 0) == 0;
        const bool json = include.what.rfind("nlohmann/", 0) == 0 || include.what.rfind("openssl/", 0) == 0;
        EXPECT_FALSE(public_header && json) << place(include.at);
    }
}

TEST(ArchitectureTest, OnlySystemClockReadsTheClock) {
    static const std::regex kNow{R"(::now\(|\btime\(nullptr\)|\bgettimeofday\()"};
    for (const Line& line : lines()) {
        if (line.file == "src/base/clock.cpp") continue;
        EXPECT_FALSE(std::regex_search(line.text, kNow)) << place(line);
    }
}

TEST(ArchitectureTest, EveryTestSourceIsBuiltByItsName) {
    // The build globs *_test.cpp one level deep in these folders: a test elsewhere would be an orphan.
    const fs::path root = fs::path(CAM_SOURCE_DIR) / "tests";
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        const std::string name = entry.path().filename();
        if (name.size() < 9 || name.compare(name.size() - 9, 9, "_test.cpp") != 0) continue;
        const std::string folder = fs::relative(entry.path().parent_path(), root).string();
        const std::string room = folder.rfind("unit/", 0) == 0 ? folder.substr(5) : "";
        const bool built = folder == "unit" || folder == "integration" || folder == "soak" ||
                           folder == "scale-out" || folder == "scale-out/judge" || room == "simulator" ||
                           (!room.empty() && fs::is_directory(fs::path(CAM_SOURCE_DIR) / "src" / room));
        EXPECT_TRUE(built) << entry.path();
    }
}

}  // namespace
