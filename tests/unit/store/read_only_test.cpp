#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "store_fixture.h"

namespace cam::store {
namespace {

/// Name, identity, size, mode and modification time of everything in the folder and of the folder itself.
std::map<std::string, std::string> listing(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    const auto add = [&](const std::filesystem::path& path) {
        struct stat found {};
        if (stat(path.c_str(), &found) != 0) return;
        files[path.filename().string()] =
            fmt::format("{} {} {} {}.{}", found.st_ino, found.st_size, found.st_mode, found.st_mtim.tv_sec,
                        found.st_mtim.tv_nsec);
    };
    add(folder);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) add(entry.path());
    return files;
}

/// Every read that the store has.
void read_everything(SqliteStore& store) {
    EXPECT_TRUE(store.seen(make_events(0, 3)));
    EXPECT_TRUE(store.claimed_to());
    EXPECT_TRUE(store.events({}));
    EXPECT_TRUE(store.attack_history(kNow));
    EXPECT_TRUE(store.next_message());
    EXPECT_TRUE(store.outbox());
    EXPECT_TRUE(store.deliveries_since(kNow));
    EXPECT_TRUE(store.remembered("x"));
    EXPECT_TRUE(store.quick_check());
}

/// A process of its own that writes when it is told to. Made before this process opens the database: SQLite's
/// state must not pass through a fork.
class OtherWriter {
public:
    explicit OtherWriter(const SqliteStore::Options& options) {
        int orders[2];
        int answers[2];
        EXPECT_EQ(pipe(orders), 0);
        EXPECT_EQ(pipe(answers), 0);
        child_ = fork();
        if (child_ == 0) {
            close(orders[1]);
            obey(options, orders[0], answers[1]);
            _exit(0);
        }
        close(orders[0]);
        close(answers[1]);
        orders_ = orders[1];
        answers_ = answers[0];
    }
    OtherWriter(const OtherWriter&) = delete;
    OtherWriter& operator=(const OtherWriter&) = delete;
    ~OtherWriter() {
        close(orders_);
        if (child_ != 0) waitpid(child_, nullptr, 0);
        close(answers_);
    }
    /// Opens the database if it is not open and claims this many events.
    void claim(unsigned char events) { order(events); }
    void close_database() { order(0); }
    /// Without a chance to close anything.
    void die() {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
        child_ = 0;
    }

private:
    static void obey(const SqliteStore::Options& options, int orders, int answers) {
        std::unique_ptr<SqliteStore> store;
        unsigned char events = 0;
        while (read(orders, &events, 1) == 1) {
            bool done = true;
            if (events == 0) {
                store.reset();
            } else {
                if (!store) store = SqliteStore::open(options).value();
                done = store->claim(make_events(0, events), kNow, kNow, one_each).has_value();
            }
            const char answer = done ? 'y' : 'n';
            if (write(answers, &answer, 1) != 1) return;
        }
    }
    void order(unsigned char events) {
        char answer = 0;
        EXPECT_EQ(write(orders_, &events, 1), 1);
        EXPECT_EQ(read(answers_, &answer, 1), 1);
        EXPECT_EQ(answer, 'y');
    }

    pid_t child_ = 0;
    int orders_ = -1;
    int answers_ = -1;
};

TEST_F(SqliteStoreTest, ReadingAfterACleanEndChangesNoFile) {
    ASSERT_TRUE(must_open()->claim(make_events(0, 2), kNow, kNow, one_each));
    const auto before = listing(folder_);
    ASSERT_EQ(before.size(), 2U);  // the folder and the file
    {
        const auto store = must_open(Access::kReadOnly);
        read_everything(*store);
        EXPECT_EQ(*store->seen(make_events(0, 3)), (std::vector<bool>{true, true, false}));
        EXPECT_EQ(listing(folder_), before);
    }
    EXPECT_EQ(listing(folder_), before);
}

TEST_F(SqliteStoreTest, ReadingBesideAnActiveWriterChangesNoFileAndSeesItsEvents) {
    OtherWriter writer(options());
    writer.claim(2);
    const auto before = listing(folder_);
    ASSERT_EQ(before.size(), 4U);  // with -wal and -shm
    {
        const auto store = must_open(Access::kReadOnly);
        read_everything(*store);
        EXPECT_EQ(*store->seen(make_events(0, 3)), (std::vector<bool>{true, true, false}));
        EXPECT_EQ(listing(folder_), before);
    }
    EXPECT_EQ(listing(folder_), before);
}

TEST_F(SqliteStoreTest, ReadingAfterTheWriterWasKilledChangesNoFileAndSeesItsEvents) {
    OtherWriter writer(options());
    writer.claim(2);
    writer.die();
    const auto before = listing(folder_);
    ASSERT_EQ(before.size(), 4U);
    {
        const auto store = must_open(Access::kReadOnly);
        read_everything(*store);
        EXPECT_EQ(*store->seen(make_events(0, 3)), (std::vector<bool>{true, true, false}));
    }
    EXPECT_EQ(listing(folder_), before);
}

TEST_F(SqliteStoreTest, AReaderSeesWhatAWriterThatCameLaterWrote) {
    OtherWriter writer(options());
    writer.claim(1);
    writer.close_database();
    const auto reader = must_open(Access::kReadOnly);
    EXPECT_EQ(reader->events({})->size(), 1U);
    writer.claim(5);
    EXPECT_EQ(reader->events({})->size(), 5U);
    writer.claim(7);
    EXPECT_EQ(reader->events({})->size(), 7U);
    writer.close_database();
    EXPECT_EQ(reader->events({})->size(), 7U);
    writer.claim(9);
    writer.close_database();
    EXPECT_EQ(reader->events({})->size(), 9U);
}

TEST_F(SqliteStoreTest, AWalWithoutItsIndexIsRefusedRatherThanRepaired) {
    OtherWriter writer(options());
    writer.claim(2);
    writer.die();
    std::filesystem::remove(path_ + "-shm");
    const auto before = listing(folder_);
    const auto store = open(Access::kReadOnly);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kReadOnly);
    EXPECT_EQ(listing(folder_), before);
}

TEST_F(SqliteStoreTest, ReadingAFileThatIsNotThereSaysSoAndMakesNone) {
    const auto store = open(Access::kReadOnly);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kNotFound);
    path_ = (folder_ / "no" / "such" / "file.db").string();
    EXPECT_EQ(open(Access::kReadOnly).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(listing(folder_).size(), 1U);
}

TEST_F(SqliteStoreTest, ReadingAnEmptyFileFindsNothing) {
    close(::open(path_.c_str(), O_CREAT | O_WRONLY, 0600));
    const auto before = listing(folder_);
    const auto store = must_open(Access::kReadOnly);
    read_everything(*store);
    EXPECT_EQ(*store->seen(make_events(0, 1)), std::vector<bool>{false});
    EXPECT_EQ(store->attack_history(kNow)->mitigations, 0U);
    EXPECT_EQ(listing(folder_), before);
}

TEST_F(SqliteStoreTest, ThePythonMonitorsFileIsReadAsItIs) {
    const MitigationEvent event = make_event(1);
    ask("CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_hash TEXT UNIQUE "
        "NOT "
        "NULL, attack_id TEXT, event_datetime DATETIME, attack_vector TEXT, destination_ip TEXT)");
    ask("INSERT INTO network_analytics_events (event_hash, attack_id, event_datetime, attack_vector, "
        "destination_ip) "
        "VALUES ('" +
        hex(event.hash).substr(0, 32) + "', 'a', '2026-01-19T22:00:01Z', 'SYN Flood', '185.54.82.4')");
    ask(kAttackEvents);
    ask("INSERT INTO attack_events (event_type, created_at) VALUES ('START', '2026-01-19 21:00:00')");
    const auto before = listing(folder_);
    const auto store = must_open(Access::kReadOnly);
    read_everything(*store);
    EXPECT_EQ(*store->seen(make_events(0, 3)), (std::vector<bool>{false, true, false}));
    const auto events = store->events({});
    ASSERT_EQ(events->size(), 1U);
    EXPECT_EQ(events->front().attack_vector, "SYN Flood");
    EXPECT_FALSE(events->front().source_asn.has_value());
    EXPECT_EQ(store->attack_history(kNow)->attacks_total, 1U);
    EXPECT_EQ(store->attack_history(kNow)->mitigations, 1U);
    EXPECT_FALSE(store->claimed_to()->has_value());
    EXPECT_EQ(listing(folder_), before);
    EXPECT_EQ(ask("PRAGMA user_version"), "0");
}

TEST_F(SqliteStoreTest, AReadOnlyStoreRefusesEveryWrite) {
    ASSERT_TRUE(must_open()->enqueue({MessageKind::kEvent, "x"}, kNow));
    const auto before = listing(folder_);
    const auto store = must_open(Access::kReadOnly);
    const std::vector<ErrorCode> codes{store->claim(make_events(0, 1), kNow, kNow, one_each).error().code,
                                       store->enqueue({MessageKind::kEvent, "x"}, kNow).error().code,
                                       store->mark_delivered(1, kNow, 1).error().code,
                                       store->mark_failed(1, kNow, "x").error().code,
                                       store->mark_refused(1, kNow, "x").error().code,
                                       store->prune_delivered(kNow).error().code,
                                       store->remember("k", "v").error().code,
                                       store->forget("k").error().code,
                                       store->change("k", "v", std::nullopt, kNow).error().code};
    for (const ErrorCode code : codes) EXPECT_EQ(code, ErrorCode::kReadOnly);
    EXPECT_EQ(listing(folder_), before);
}

TEST_F(SqliteStoreTest, ALinkToTheDatabaseIsFollowedToItsWal) {
    OtherWriter writer(options());
    writer.claim(3);
    const std::filesystem::path elsewhere = folder_ / "elsewhere";
    std::filesystem::create_directory(elsewhere);
    std::filesystem::create_symlink(path_, elsewhere / "link.db");
    const auto store =
        SqliteStore::open({.path = (elsewhere / "link.db").string(), .access = Access::kReadOnly});
    ASSERT_TRUE(store);
    EXPECT_EQ((*store)->events({})->size(), 3U);
    EXPECT_EQ(listing(elsewhere).size(), 2U);
}

}  // namespace
}  // namespace cam::store
