// A database file that is replaced under the running daemon: nothing is destroyed, and the daemon goes on.

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "integration/loss_fixture.h"

namespace cam::test {
namespace {

class DatabaseFileTest : public LossTest {
protected:
    static constexpr int kOldRows = 3'000;

    void SetUp() override {
        LossTest::SetUp();
        // A backup of many pages, not of the pages that the daemon writes.
        ASSERT_EQ(once().status, 0);
        execute("CREATE TABLE keepsake(id INTEGER PRIMARY KEY, text TEXT)");
        execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                std::to_string(kOldRows) + ") INSERT INTO keepsake SELECT i, hex(randomblob(200)) FROM n");
        execute("PRAGMA wal_checkpoint(TRUNCATE)");
        fs::rename(database(), backup());
        fs::remove_all(file("db"));
        world_.forget();
    }

    [[nodiscard]] std::string backup() const { return file("backup.db"); }
    [[nodiscard]] std::string wal() const { return database() + "-wal"; }
    [[nodiscard]] static bool has_bytes(const std::string& path) {
        std::error_code missing;
        const auto size = fs::file_size(path, missing);
        return !missing && size > 0;
    }
    /// A daemon that looks after its file twice a second instead of each 20 s, with frames in its `-wal`.
    [[nodiscard]] Process::Options watchful() const {
        Process::Options options = command({});
        options.environment = {"WATCHDOG_USEC=1500000"};
        return options;
    }
    void let_it_work(Process& daemon) {
        add_wave(1);
        ASSERT_TRUE(wait_for_waves(1)) << daemon.err();
        ASSERT_TRUE(eventually([&] { return has_bytes(wal()); }));
    }
    void expect_backup_whole() const {
        EXPECT_EQ(query("PRAGMA integrity_check"), "ok");
        EXPECT_EQ(query("SELECT count(*) FROM keepsake"), std::to_string(kOldRows));
    }
    [[nodiscard]] bool told(const std::string& part) const {
        return eventually([&] { return !messages_with(part).empty(); });
    }
};

TEST_F(DatabaseFileTest, ABackupThatIsMovedOverItIsTakenUpWhole) {
    Process daemon(watchful());
    let_it_work(daemon);
    fs::rename(backup(), database());
    ASSERT_TRUE(told("removed or replaced")) << daemon.err();
    add_wave(2);
    ASSERT_TRUE(eventually([&] {
        const auto waves = told_waves();
        return std::find(waves.begin(), waves.end(), 2) != waves.end();
    })) << daemon.err();
    expect_backup_whole();
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events WHERE attack_id = 'wave-0002'"),
              std::to_string(kWaveEvents));
    expect_clean_stop(daemon);
    expect_backup_whole();
}

TEST_F(DatabaseFileTest, TheFileThatWasMovedAwayHasAllThatWasWritten) {
    Process daemon(watchful());
    let_it_work(daemon);
    const std::string old = file("db/old.db");
    fs::rename(database(), old);
    fs::rename(backup(), database());
    ASSERT_TRUE(told("removed or replaced")) << daemon.err();
    expect_clean_stop(daemon);
    fs::rename(old, database());
    fs::remove(wal());
    EXPECT_EQ(query("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(query("SELECT count(*) FROM network_analytics_events"), std::to_string(kWaveEvents));
}

TEST_F(DatabaseFileTest, AStopRightAfterItLeavesTheBackupWholeForTheNextStart) {
    Process daemon(command({}));
    let_it_work(daemon);
    fs::rename(backup(), database());
    expect_clean_stop(daemon);
    ASSERT_EQ(once().status, 0);
    expect_backup_whole();
}

TEST_F(DatabaseFileTest, AReloadWaitsUntilItIsTakenUp) {
    Process daemon(watchful());
    let_it_work(daemon);
    configure({{"organization", "Renamed SOC"}});
    fs::rename(backup(), database());
    daemon.signal(SIGHUP);
    ASSERT_TRUE(daemon.wait_for_log("settings not reloaded yet")) << daemon.err();
    ASSERT_TRUE(told("removed or replaced")) << daemon.err();
    ASSERT_TRUE(daemon.wait_for_log("settings reloaded")) << daemon.err();
    expect_backup_whole();
    expect_clean_stop(daemon);
    EXPECT_FALSE(messages_with("Renamed SOC").empty());
}

TEST_F(DatabaseFileTest, AFileThatIsStillBeingWrittenIsLeftAlone) {
    Process daemon(watchful());
    let_it_work(daemon);
    const std::string whole = read_text(backup());
    fs::remove(database());
    constexpr std::size_t kSteps = 8;
    for (std::size_t step = 1; step <= kSteps; ++step) {
        write("db/magic_transit.db", whole.substr(0, whole.size() * step / kSteps));
        pause(1s);
        ASSERT_TRUE(daemon.running()) << daemon.err();
        ASSERT_TRUE(messages_with("removed or replaced").empty()) << "at step " << step;
    }
    ASSERT_TRUE(told("removed or replaced")) << daemon.err();
    expect_backup_whole();
}

TEST_F(DatabaseFileTest, WhatCannotBeUsedIsToldOnceAndTheOldFileGoesOn) {
    Process daemon(watchful());
    let_it_work(daemon);
    write("other", std::string(4096, 'x'));
    fs::rename(file("other"), database());
    ASSERT_TRUE(told("cannot be used")) << daemon.err();
    add_wave(2);
    ASSERT_TRUE(wait_for_waves(2)) << daemon.err();
    EXPECT_EQ(told_waves(), numbers_to(2));
    EXPECT_EQ(messages_with("cannot be used").size(), 1U);
    fs::rename(backup(), database());
    ASSERT_TRUE(told("Going on with the file that lies there now")) << daemon.err();
    expect_backup_whole();
    expect_clean_stop(daemon);
}

}  // namespace
}  // namespace cam::test
