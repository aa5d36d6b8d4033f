#include "integration/site.h"

#include <cstdlib>
#include <fstream>

#include <sqlite3.h>
#include <unistd.h>

namespace cam::test {

namespace fs = std::filesystem;
using nlohmann::json;

TempFolder::TempFolder() {
    std::string pattern = (fs::temp_directory_path() / "cam-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

TempFolder::~TempFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void SiteTest::SetUp() {
    world_.start();
    fs::create_directories(file("config"));
    configure();
}

void SiteTest::configure(const json& changes) {
    json settings = world_.client_settings();
    settings["monitor"] = {{"poll_interval_seconds", 1}, {"lookback_minutes", 15}};
    const std::string geoip = std::string{CAM_TEST_DATA} + "/geoip/";
    settings["geoip"] = {{"city", {geoip + "GeoIP2-City.mmdb"}}, {"asn", {geoip + "GeoLite2-ASN.mmdb"}}};
    settings["services"] = json::object();
    settings["api"] = {{"enabled", false}};
    settings.merge_patch(changes);
    write("config/settings.json", settings.dump(2));
}

void SiteTest::use_private_chat() {
    world_.configure_telegram([](simulator::TelegramSettings& telegram) {
        telegram.chats = {simulator::TelegramChat{.id = 424242, .type = "private"}};
    });
}

Process::Options SiteTest::command(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--config", settings_file()});
    return {.arguments = std::move(arguments), .folder = folder_.path(), .environment = {}};
}

Finished SiteTest::once(std::vector<std::string> more) const {
    more.insert(more.begin(), "--once");
    return run(command(std::move(more)));
}

json SiteTest::event(int seconds_ago, const json& changes) const {
    json made = {{"at_seconds_ago", seconds_ago},
                 {"attackId", "attack-1"},
                 {"attackVector", "ICMP Flood"},
                 {"ruleName", "ICMP-0001"},
                 {"mitigationReason", "BLOCKED"},
                 {"outcome", "drop"},
                 {"ipSourceAddress", "103.118.76.198"},
                 {"sourcePort", 46181},
                 {"ipDestinationAddress", "185.54.82.4"},
                 {"destinationPort", 0},
                 {"ipProtocolName", "ICMP"},
                 {"coloCode", "SOF"},
                 {"coloCountry", "BG"},
                 {"coloCity", "Sofia"},
                 {"packets", 1500},
                 {"bits", 9000000}};
    if (changes.is_object()) made.update(changes);
    return made;
}

void SiteTest::write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(file(name)).parent_path());
    std::ofstream out(file(name), std::ios::binary | std::ios::trunc);
    out << text;
}

std::string SiteTest::query(const std::string& sql) const {
    sqlite3* handle = nullptr;
    std::string result;
    if (::sqlite3_open_v2(database().c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
        ADD_FAILURE() << "cannot open " << database();
    } else {
        ::sqlite3_busy_timeout(handle, 20'000);
        sqlite3_stmt* statement = nullptr;
        if (::sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
            ADD_FAILURE() << sql << ": " << ::sqlite3_errmsg(handle);
        } else if (::sqlite3_step(statement) == SQLITE_ROW) {
            const unsigned char* text = ::sqlite3_column_text(statement, 0);
            result = text == nullptr ? "NULL" : reinterpret_cast<const char*>(text);
        }
        ::sqlite3_finalize(statement);
    }
    ::sqlite3_close(handle);
    return result;
}

json SiteTest::rows(const std::string& columns, const std::string& from) const {
    // The inner query sorts, the outer one collects.
    const std::string text = query("SELECT json_group_array(json(line)) FROM (SELECT json_array(" + columns +
                                   ") AS line FROM " + from + ")");
    return json::parse(text, nullptr, false);
}

void SiteTest::execute(const std::string& sql) const {
    fs::create_directories(file("db"));
    sqlite3* handle = nullptr;
    ASSERT_EQ(::sqlite3_open(database().c_str(), &handle), SQLITE_OK);
    ::sqlite3_busy_timeout(handle, 20'000);
    char* why = nullptr;
    EXPECT_EQ(::sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, &why), SQLITE_OK) << sql << ": " << why;
    ::sqlite3_free(why);
    ::sqlite3_close(handle);
}

std::vector<std::string> SiteTest::messages_with(const std::string& part) const {
    std::vector<std::string> texts;
    for (const auto& message : world_.messages()) {
        if (message.text.find(part) != std::string::npos) texts.push_back(message.text);
    }
    return texts;
}

}  // namespace cam::test
