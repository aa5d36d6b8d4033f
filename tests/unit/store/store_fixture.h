#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"
#include "cam/store/sqlite_store.h"
#include "fakes/model/lasting_text.h"

namespace cam::store {

/// A second pair of eyes: plain SQLite on the same file, as a user's sqlite3 or the Python programs would
/// open it.
class PlainSqlite {
public:
    explicit PlainSqlite(const std::string& path) {
        const int rc =
            sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
        EXPECT_EQ(rc, SQLITE_OK) << path;
        sqlite3_busy_timeout(handle_, 5'000);
    }
    PlainSqlite(const PlainSqlite&) = delete;
    PlainSqlite& operator=(const PlainSqlite&) = delete;
    ~PlainSqlite() { sqlite3_close(handle_); }

    /// Runs statements; rows as the sqlite3 shell prints them: columns by `|`, one line per row without the
    /// last newline.
    std::string run(const std::string& sql) {
        std::string rows;
        char* problem = nullptr;
        const int rc = sqlite3_exec(handle_, sql.c_str(), &PlainSqlite::add_row, &rows, &problem);
        EXPECT_EQ(rc, SQLITE_OK) << (problem != nullptr ? problem : "") << "\n" << sql;
        sqlite3_free(problem);
        if (!rows.empty()) rows.pop_back();
        return rows;
    }
    sqlite3* handle() { return handle_; }

private:
    static int add_row(void* rows, int count, char** values, char** /*names*/) {
        auto& text = *static_cast<std::string*>(rows);
        for (int i = 0; i < count; ++i) {
            if (i > 0) text += '|';
            if (values[i] != nullptr) text += values[i];
        }
        text += '\n';
        return 0;
    }
    sqlite3* handle_ = nullptr;
};

inline WallTime at(std::string_view text) {
    const std::optional<WallTime> time = parse_time(text);
    EXPECT_TRUE(time.has_value()) << text;
    return time.value_or(WallTime{});
}

/// An event that differs from others by its source port's digits, and is whole.
inline MitigationEvent make_event(unsigned number) {
    MitigationEvent event;
    event.datetime = lasting(fmt::format("2026-01-19T22:{:02}:{:02}Z", number / 60 % 60, number % 60));
    event.attack_id = "k9z3t-xx1g6wwhgqngq523mp0nr";
    event.attack_vector = "ICMP Flood";
    event.rule_name = "ICMP-0001";
    event.rule_id = "a1b2c3d4";
    event.source_ip =
        lasting(fmt::format("103.{}.{}.{}", number / 65'536 % 256, number / 256 % 256, number % 256));
    event.source_port = 46'181;
    event.destination_ip = "185.54.82.4";
    event.destination_port = 443;
    event.protocol = "ICMP";
    event.tcp_flags = "";
    event.colo_code = "SOF";
    event.colo_country = "BG";
    event.packets = 1'500;
    event.bits = 9'000'000;
    event.outcome = "drop";
    event.mitigation_reason = "attack";
    event.source_asn = 137'959;
    event.source_asn_name = "Vision Technologies Ltd.";
    event.source_country = "BD";
    event.raw = lasting(fmt::format(R"({{"dimensions":{{"number":{}}}}})", number));
    event.hash =
        event_hash(*event.datetime, *event.attack_id, *event.source_ip, *event.destination_ip, "443");
    return event;
}

inline std::vector<MitigationEvent> make_events(unsigned first, unsigned count) {
    std::vector<MitigationEvent> events;
    for (unsigned i = 0; i < count; ++i) events.push_back(make_event(first + i));
    return events;
}

/// One message per new event.
inline std::vector<Message> one_each(const std::vector<std::size_t>& fresh) {
    return std::vector<Message>(fresh.size(), Message{MessageKind::kEvent, "event"});
}

inline const WallTime kNow = std::chrono::sys_days{std::chrono::year{2026} / 1 / 20} + std::chrono::hours{9};

/// What attack_events is like in the webhook receiver's database manager.
inline constexpr const char* kAttackEvents =
    "CREATE TABLE attack_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_type TEXT NOT NULL, alert_type "
    "TEXT, "
    "attack_id TEXT, policy_id TEXT, policy_name TEXT, prefix TEXT, target_ip TEXT, target_port INTEGER, "
    "protocol TEXT, attack_vector TEXT, packets_per_second TEXT, megabits_per_second TEXT, severity TEXT, "
    "action_taken TEXT, raw_payload TEXT, created_at DATETIME DEFAULT CURRENT_TIMESTAMP)";

/// A folder of its own for each test, gone after it.
class SqliteStoreTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "cam-store-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
        path_ = (folder_ / "magic_transit.db").string();
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] SqliteStore::Options options(Access access = Access::kReadWrite) const {
        return {.path = path_, .access = access, .busy = std::chrono::milliseconds{5'000}};
    }
    [[nodiscard]] Result<std::unique_ptr<SqliteStore>> open(Access access = Access::kReadWrite) const {
        return SqliteStore::open(options(access));
    }
    /// Opens or fails the test by stopping it (check() in value()).
    std::unique_ptr<SqliteStore> must_open(Access access = Access::kReadWrite) const {
        Result<std::unique_ptr<SqliteStore>> store = open(access);
        EXPECT_TRUE(store.has_value()) << (store ? "" : store.error().detail);
        return std::move(store).value();
    }
    std::string ask(const std::string& sql) const { return PlainSqlite(path_).run(sql); }

    std::filesystem::path folder_;
    std::string path_;
};

}  // namespace cam::store
