#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "child_process.h"
#include "store_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

std::string bytes_of(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

/// A file system of its own at `where`, while it lives.
class Mount {
public:
    Mount(const std::string& where, unsigned long flags, const char* data) : where_(where) {
        std::filesystem::create_directories(where);
        mounted_ = mount("none", where.c_str(), "tmpfs", flags, data) == 0;
    }
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;
    ~Mount() {
        if (mounted_) umount2(where_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] bool mounted() const { return mounted_; }
    [[nodiscard]] bool make_read_only() const {
        return mount("none", where_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
    }

private:
    std::string where_;
    bool mounted_ = false;
};

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsCorruptAndStaysAsItIs) {
    const std::string text(5'000, 'x');
    std::ofstream(path_) << text;
    for (const Access access : {Access::kReadWrite, Access::kReadOnly}) {
        const auto store = open(access);
        ASSERT_FALSE(store);
        EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(store.error().detail.find(path_), std::string::npos);
    }
    EXPECT_EQ(bytes_of(path_), text);
}

TEST_F(SqliteStoreTest, DamagedPagesAreCorruptInTheCheckAndInTheClaim) {
    ASSERT_TRUE(must_open()->claim(make_events(0, 500), kNow, kNow, one_each));
    ASSERT_TRUE(must_open()->quick_check());
    {
        std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
        const auto size = std::filesystem::file_size(path_);
        file.seekp(8 * 4096);
        const std::string rubbish(size - 8 * 4096, '\x5a');
        file.write(rubbish.data(), static_cast<std::streamsize>(rubbish.size()));
    }
    const auto store = must_open();
    const Status checked = store->quick_check();
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
    const auto claimed = store->claim(make_events(0, 2'000), kNow, kNow, one_each);
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().code, ErrorCode::kCorrupt);
}

TEST_F(SqliteStoreTest, AFileWhoseVersionIsRightAndWhoseTableIsGoneIsCorrupt) {
    must_open();
    ask("DROP TABLE outbox");
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(store.error().detail.find("outbox"), std::string::npos);
}

TEST_F(SqliteStoreTest, ALockHeldForLongerThanWeWaitIsBusyAndHarmless) {
    const auto store = *SqliteStore::open({.path = path_, .busy = 150ms});
    ASSERT_TRUE(store->enqueue({MessageKind::kEvent, "one"}, kNow));
    PlainSqlite other(path_);
    other.run("BEGIN IMMEDIATE");
    const auto claimed = store->claim(make_events(0, 3), kNow, kNow, one_each);
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().code, ErrorCode::kBusy);
    EXPECT_EQ(store->enqueue({MessageKind::kEvent, "two"}, kNow).error().code, ErrorCode::kBusy);
    EXPECT_EQ(store->mark_delivered(1, kNow, 1).error().code, ErrorCode::kBusy);
    EXPECT_EQ(store->change("k", "v", std::nullopt, kNow).error().code, ErrorCode::kBusy);
    EXPECT_EQ(store->outbox()->waiting, 1U);  // reading waits for nobody
    EXPECT_TRUE(*store->change("k", "", std::nullopt, kNow) == false);
    other.run("ROLLBACK");
    EXPECT_TRUE(store->claim(make_events(0, 3), kNow, kNow, one_each));
}

TEST_F(SqliteStoreTest, AReadThatWasOverTakenByAnotherWriterDoesNotBlockTheNextWrite) {
    const auto store = must_open();
    const auto other = must_open();
    ASSERT_TRUE(store->enqueue({MessageKind::kEvent, "one"}, kNow));
    ASSERT_TRUE(store->next_message());
    ASSERT_TRUE(other->enqueue({MessageKind::kEvent, "two"}, kNow));
    EXPECT_TRUE(store->mark_delivered(1, kNow, 1));
    EXPECT_TRUE(store->events({}));
    EXPECT_TRUE(other->claim(make_events(0, 2), kNow, kNow, one_each));
    EXPECT_TRUE(store->claim(make_events(2, 2), kNow, kNow, one_each));
}

TEST_F(SqliteStoreTest, OpeningWaitsNoLongerThanItWasTold) {
    ask("CREATE TABLE x (y)");
    PlainSqlite other(path_);
    other.run("BEGIN EXCLUSIVE");
    const auto store = SqliteStore::open({.path = path_, .busy = 100ms});
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kBusy);
}

TEST_F(SqliteStoreTest, AFullDatabaseLosesTheClaimAndNothingElse) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 10), at("2026-01-20T08:00:00Z"), kNow, one_each));
    // SQLite's own limit stands for a full disk; the next test has a real one.
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(
        +[](sqlite3* handle, const char** /*problem*/, const sqlite3_api_routines* /*api*/) {
            return sqlite3_exec(handle, "PRAGMA max_page_count=40", nullptr, nullptr, nullptr);
        }));
    const auto small = open();
    sqlite3_reset_auto_extension();
    ASSERT_TRUE(small) << small.error().detail;
    const auto claimed = (*small)->claim(make_events(10, 2'000), kNow, kNow, one_each);
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().code, ErrorCode::kFull);
    EXPECT_EQ(*store->claimed_to(), at("2026-01-20T08:00:00Z"));
    EXPECT_EQ(ask("SELECT (SELECT count(*) FROM network_analytics_events), (SELECT count(*) FROM outbox)"),
              "10|10");
    EXPECT_TRUE(store->claim(make_events(10, 2'000), kNow, kNow, one_each));
}

TEST_F(SqliteStoreTest, AFullDiskIsFullAndTheClaimWorksOnceThereIsRoom) {
    const std::string where = (folder_ / "small").string();
    const Mount disk(where, 0, "size=1m");
    if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root: a full disk was not tried";
    path_ = where + "/magic_transit.db";
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 10), kNow, kNow, one_each));
    {
        std::ofstream filler(where + "/filler", std::ios::binary);
        const std::string block(4096, 'x');
        while (filler.write(block.data(), 4096).flush()) {
        }
    }
    const auto claimed = store->claim(make_events(10, 3'000), kNow, kNow, one_each);
    ASSERT_FALSE(claimed);
    EXPECT_EQ(claimed.error().code, ErrorCode::kFull) << claimed.error().detail;
    EXPECT_EQ(store->events({.since = {}, .attack_id = {}, .limit = 1'000})->size(), 10U);
    std::filesystem::remove(where + "/filler");
    EXPECT_TRUE(store->claim(make_events(10, 100), kNow, kNow, one_each));
    EXPECT_TRUE(store->quick_check());
}

TEST_F(SqliteStoreTest, ANewDatabaseOnAFullDiskIsFull) {
    const std::string where = (folder_ / "small").string();
    const Mount disk(where, 0, "size=64k");
    if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root: a full disk was not tried";
    path_ = where + "/magic_transit.db";
    std::ofstream(where + "/filler") << std::string(60'000, 'x');
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kFull) << store.error().detail;
}

TEST_F(SqliteStoreTest, AReadOnlyPlaceIsReadOnlyForWritingAndReadableForReading) {
    const std::string where = (folder_ / "fixed").string();
    const Mount disk(where, 0, "size=4m");
    if (!disk.mounted()) GTEST_SKIP() << "mounting a tmpfs needs root: a read-only place was not tried";
    path_ = where + "/magic_transit.db";
    ASSERT_TRUE(must_open()->claim(make_events(0, 3), kNow, kNow, one_each));
    ASSERT_TRUE(disk.make_read_only());
    const auto writing = open();
    ASSERT_FALSE(writing);
    EXPECT_EQ(writing.error().code, ErrorCode::kReadOnly) << writing.error().detail;
    const auto reading = open(Access::kReadOnly);
    ASSERT_TRUE(reading) << reading.error().detail;
    EXPECT_EQ((*reading)->events({})->size(), 3U);
    path_ = where + "/new/magic_transit.db";
    EXPECT_EQ(open().error().code, ErrorCode::kReadOnly);
    path_ = where + "/new.db";
    EXPECT_EQ(open().error().code, ErrorCode::kReadOnly);
}

TEST_F(SqliteStoreTest, WhatAnOrdinaryUserMayNotWriteIsReadOnly) {
    ASSERT_TRUE(must_open()->claim(make_events(0, 3), kNow, kNow, one_each));
    ASSERT_EQ(chmod(path_.c_str(), 0444), 0);
    ASSERT_EQ(chmod(folder_.c_str(), 0555), 0);
    const int status = status_of_process([&] {
        constexpr uid_t kNobody = 65'534;
        if (geteuid() == 0 && (setgid(kNobody) != 0 || setuid(kNobody) != 0)) return 9;
        const auto existing = open();
        if (existing || existing.error().code != ErrorCode::kReadOnly) return 1;
        const auto missing = SqliteStore::open({.path = (folder_ / "new.db").string()});
        if (missing || missing.error().code != ErrorCode::kReadOnly) return 2;
        const auto reading = open(Access::kReadOnly);
        return reading && (*reading)->events({})->size() == 3U ? 0 : 3;
    });
    EXPECT_EQ(chmod(folder_.c_str(), 0755), 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SqliteStoreTest, APathThatIsNoFileIsInvalid) {
    path_ = folder_.string();
    EXPECT_EQ(open().error().code, ErrorCode::kInvalid);
    EXPECT_EQ(open(Access::kReadOnly).error().code, ErrorCode::kInvalid);
    path_ = "";
    EXPECT_EQ(open().error().code, ErrorCode::kInvalid);
    std::ofstream(folder_ / "file") << "x";
    path_ = (folder_ / "file" / "magic_transit.db").string();
    EXPECT_EQ(open().error().code, ErrorCode::kInvalid);
}

TEST_F(SqliteStoreTest, NoCharacterOfAPathIsSpecial) {
    for (const char* name : {"50% of#all?mode=memory&x.db", "bläh blah;'\".db", ":memory:", "file:x.db"}) {
        path_ = (folder_ / name).string();
        ASSERT_TRUE(must_open()->claim(make_events(0, 2), kNow, kNow, one_each)) << name;
        ASSERT_TRUE(std::filesystem::exists(path_)) << name;
        EXPECT_EQ(must_open(Access::kReadOnly)->events({})->size(), 2U) << name;
    }
}

TEST_F(SqliteStoreTest, APathRelativeToTheWorkingFolderWorks) {
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    path_ = ":memory:";
    EXPECT_TRUE(open());
    path_ = "db/x.db";
    EXPECT_TRUE(open());
    EXPECT_TRUE(open(Access::kReadOnly));
    std::filesystem::current_path(before);
    EXPECT_TRUE(std::filesystem::exists(folder_ / ":memory:"));
    EXPECT_TRUE(std::filesystem::exists(folder_ / "db" / "x.db"));
}

TEST_F(SqliteStoreTest, AProcessKilledInsideAClaimLeavesNothingOfIt) {
    ASSERT_TRUE(must_open()->claim(make_events(0, 5), kNow, kNow, one_each));
    const int status = status_of_process([&] {
        const auto store = SqliteStore::open(options());
        const auto events = make_events(5, 5'000);
        static_cast<void>((*store)->claim(events, kNow, kNow, [](const auto&) -> std::vector<Message> {
            kill(getpid(), SIGKILL);
            return {};
        }));
        return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto store = must_open();
    EXPECT_TRUE(store->quick_check());
    EXPECT_EQ(store->events({.since = {}, .attack_id = {}, .limit = 10'000})->size(), 5U);
    EXPECT_EQ(store->claim(make_events(0, 20), kNow, kNow, one_each)->fresh.size(), 15U);
}

}  // namespace
}  // namespace cam::store
