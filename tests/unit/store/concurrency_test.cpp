#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "child_process.h"
#include "store_fixture.h"

namespace cam::store {
namespace {

constexpr unsigned kEvents = 300;
constexpr unsigned kClaimers = 10;

/// Opens and claims all events in several polls; the number of events that were new
/// to it.
std::size_t poll_like_once(const SqliteStore::Options& options) {
    const auto store = SqliteStore::open(options);
    EXPECT_TRUE(store) << (store ? "" : store.error().detail);
    if (!store) return 0;
    std::size_t fresh = 0;
    for (unsigned first = 0; first < kEvents; first += 60) {
        const auto report = (*store)->claim(make_events(first, 60), kNow, kNow, one_each);
        EXPECT_TRUE(report) << (report ? "" : report.error().detail);
        if (report) fresh += report->fresh.size();
    }
    return fresh;
}

/// Does `work`, which tells whether all went well, in kClaimers processes at once.
template <typename Work>
void expect_success_in_processes(const Work& work) {
    std::vector<pid_t> children;
    for (unsigned i = 0; i < kClaimers; ++i) {
        children.push_back(fork());
        if (children.back() == 0) _exit(work() ? 0 : 1);
    }
    for (const pid_t child : children) {
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

TEST_F(SqliteStoreTest, ThreadsThatClaimTheSameEventsClaimEachOnce) {
    std::atomic<std::size_t> fresh = 0;
    {
        std::vector<std::jthread> claimers;
        for (unsigned i = 0; i < kClaimers; ++i) {
            claimers.emplace_back([&] { fresh += poll_like_once(options()); });
        }
    }
    EXPECT_EQ(fresh, kEvents);
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT event_hash) FROM network_analytics_events"), "300|300");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "300");
}

TEST_F(SqliteStoreTest, ProcessesThatStartOnOneOldFileMigrateItOnceAndClaimEachEventOnce) {
    ask("CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_hash TEXT UNIQUE "
        "NOT "
        "NULL, source_ip TEXT)");
    ask("INSERT INTO network_analytics_events (event_hash) VALUES ('" +
        hex(make_event(7).hash).substr(0, 32) + "')");
    expect_success_in_processes([&] {
        const std::size_t fresh = poll_like_once(options());
        return !::testing::Test::HasFailure() && fresh <= kEvents;
    });
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT event_hash) FROM network_analytics_events"), "300|300");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "299");
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteStoreTest, StoresThatOpenAndCloseInOneProcessDoNotDropEachOthersLocks) {
    const auto holder = must_open();
    // While this claim is open, other connections of this process come and go; a foreign process must stay
    // locked out.
    int answer = 0;
    const auto report = holder->claim(make_events(0, 3), kNow, kNow, [&](const auto& fresh) {
        for (int i = 0; i < 3; ++i) {
            EXPECT_TRUE(open());
            EXPECT_TRUE(open(Access::kReadOnly));
        }
        const int status = status_of_process([&] {
            const auto store = SqliteStore::open({.path = path_, .busy = std::chrono::milliseconds{50}});
            if (!store) return 3;
            const auto queued = (*store)->enqueue({MessageKind::kEvent, "intruder"}, kNow);
            return !queued && queued.error().code == ErrorCode::kBusy ? 0 : 4;
        });
        answer = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return one_each(fresh);
    });
    EXPECT_TRUE(report);
    EXPECT_EQ(answer, 0);
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "3");
}

TEST_F(SqliteStoreTest, ProcessesThatAnnounceTheSameChangeAnnounceItOnce) {
    expect_success_in_processes([&] {
        const auto store = SqliteStore::open(options());
        return store &&
               (*store)->change("condition.cloudflare", "down", Message{MessageKind::kStatus, "down"}, kNow);
    });
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "1");
}

}  // namespace
}  // namespace cam::store
