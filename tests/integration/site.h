#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "integration/process.h"
#include "simulator/world.h"

namespace cam::test {

/// A folder of one's own, removed at the end.
class TempFolder {
public:
    TempFolder();
    ~TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// An installation of the program beside a simulated world: settings in `config/`, database in `db/`, log in
/// `logs/`.
class SiteTest : public ::testing::Test {
protected:
    void SetUp() override;

    /// Writes config/settings.json: the world's tokens and URLs, GeoIP fixtures, a poll each second, no API;
    /// then `changes` (RFC 7396 merge patch) on top.
    void configure(const nlohmann::json& changes = nlohmann::json::object());
    /// Telegram takes a message a second in a private chat, twenty a minute in the group that is the default.
    /// Call configure() afterwards.
    void use_private_chat();
    [[nodiscard]] Process::Options command(std::vector<std::string> arguments) const;
    [[nodiscard]] Finished once(std::vector<std::string> more = {}) const;

    /// An event that happened `seconds_ago` and hit the operator's prefix; `changes` on top.
    [[nodiscard]] nlohmann::json event(int seconds_ago, const nlohmann::json& changes = {}) const;

    [[nodiscard]] std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
    [[nodiscard]] std::string settings_file() const { return file("config/settings.json"); }
    [[nodiscard]] std::string database() const { return file("db/magic_transit.db"); }
    void write(const std::string& name, const std::string& text) const;

    /// The first column of the first row, as text; "NULL" for NULL, "" for no row. Fails the test on an SQL
    /// error.
    [[nodiscard]] std::string query(const std::string& sql) const;
    /// Every row that `columns FROM …` selects, as a list of lists, in the order of `… ORDER BY`.
    [[nodiscard]] nlohmann::json rows(const std::string& columns, const std::string& from) const;
    void execute(const std::string& sql) const;
    /// Texts of the messages the world accepted that hold `part`.
    [[nodiscard]] std::vector<std::string> messages_with(const std::string& part) const;

    TempFolder folder_;
    simulator::World world_;
};

}  // namespace cam::test
