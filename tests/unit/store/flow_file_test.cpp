// The one file that a FlowStore shares with everybody else: its migration, its faults, its crashes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "child_process.h"
#include "flow_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

/// A file as version 1 of the schema left it.
constexpr const char* kBackToVersionOne =
    "DROP VIEW flow_traffic; DROP VIEW flow_top; DROP TABLE flow_routers; DROP TABLE flow_rules; DROP TABLE "
    "flow_alerts; DROP TABLE flow_minutes; DROP TABLE flow_contributors; DROP TABLE flow_collected_minutes; "
    "DROP "
    "TABLE flow_prefixes; DROP TABLE flow_decoder_state; PRAGMA user_version = 1";

void expect_empty(FlowStore& store) {
    EXPECT_EQ(*store.generation(), 0);
    EXPECT_TRUE(store.routers()->empty());
    EXPECT_TRUE(store.rules()->empty());
    EXPECT_EQ(store.router("x").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(store.rule("x").error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(store.alerts({})->empty());
    EXPECT_TRUE(store.active_alerts()->empty());
    EXPECT_FALSE(store.judged_to()->has_value());
    EXPECT_FALSE(store.minute(minute_at(0), MinuteDetail::kClasses)->has_value());
    EXPECT_TRUE(store.collected_minutes(minute_at(0), minute_at(9))->empty());
    EXPECT_EQ(store.series(prefix("10.0.0.0/8"), minute_at(0), minute_at(2), 1min)->size(), 2U);
    EXPECT_TRUE(store.contributors(prefix("10.0.0.0/8"), minute_at(0), minute_at(9), 5)->empty());
    EXPECT_TRUE(store.decoder_state()->empty());
}

TEST_F(FlowStoreTest, ANewFileIsEmpty) {
    expect_empty(*must_open_flow());
    EXPECT_EQ(ask("PRAGMA user_version"), "2");
}

TEST_F(FlowStoreTest, AFileOfVersionOneIsMigratedAndLosesNothing) {
    ASSERT_TRUE(must_open()->claim(make_events(0, 3), kNow, kNow, one_each));
    ask(kBackToVersionOne);
    EXPECT_EQ(ask("SELECT count(*) FROM sqlite_master WHERE name LIKE 'flow_%'"), "0");
    const auto store = must_open_flow();
    EXPECT_EQ(ask("PRAGMA user_version"), "2");
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events"), "3");
    EXPECT_EQ(must_open()->outbox()->waiting, 3U);
    EXPECT_EQ(*must_open()->claimed_to(), kNow);
    ASSERT_TRUE(store->create_rule(make_rule(), kNow));
    EXPECT_EQ(*store->generation(), 1);
}

TEST_F(FlowStoreTest, AFileRestoredFromADumpKeepsWhatTheFlowMonitorKnew) {
    {
        const auto store = must_open_flow();
        ASSERT_TRUE(store->create_rule(make_rule(), kNow));
        ASSERT_TRUE(write(*store, minute_at(0), {make_traffic("10.0.0.0/8", minute_at(0), 10)}));
    }
    ask("PRAGMA user_version = 0");
    const auto store = must_open_flow();
    EXPECT_EQ(store->rules()->size(), 1U);
    EXPECT_TRUE(store->minute(minute_at(0), MinuteDetail::kTotals)->has_value());
    ASSERT_TRUE(store->create_rule(make_rule(), kNow));
    EXPECT_EQ(*store->generation(), 2);  // one trigger, not two
}

TEST_F(FlowStoreTest, ReadingAnOlderFileFindsNothingAndChangesNothing) {
    must_open();
    ask(kBackToVersionOne);
    expect_empty(*must_open_flow(Access::kReadOnly));
    EXPECT_EQ(ask("PRAGMA user_version"), "1");
    path_ = (folder_ / "python.db").string();
    ask("CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY, event_hash TEXT)");
    expect_empty(*must_open_flow(Access::kReadOnly));
    EXPECT_EQ(ask("SELECT group_concat(name) FROM sqlite_master"), "network_analytics_events");
}

TEST_F(FlowStoreTest, AReadOnlyStoreReadsEverythingAndRefusesEveryWrite) {
    {
        const auto store = must_open_flow();
        ASSERT_TRUE(store->create_rule(make_rule(), kNow));
        ASSERT_TRUE(store->record(starting(minute_at(0), {make_alert()}), kNow, tell));
        ASSERT_TRUE(write(*store, minute_at(0), {make_traffic("10.0.0.0/8", minute_at(0), 10)}));
    }
    const auto store = must_open_flow(Access::kReadOnly);
    EXPECT_EQ(store->rules()->size(), 1U);
    EXPECT_EQ(store->active_alerts()->size(), 1U);
    EXPECT_EQ((*store->minute(minute_at(0), MinuteDetail::kTotals))->size(), 1U);
    Router router = make_router("192.0.2.1");
    const std::vector<ExporterKey> exporters{ExporterKey{address("192.0.2.1")}};
    const std::vector<DecoderState> saved{{exporters.front(), "x"}};
    const std::vector<ErrorCode> codes{store->create_router(router, kNow).error().code,
                                       store->update_router(router, kNow).error().code,
                                       store->remove_router("x").error().code,
                                       store->create_rule(make_rule(), kNow).error().code,
                                       store->update_rule(make_rule(), kNow).error().code,
                                       store->remove_rule("x").error().code,
                                       store->record(starting(minute_at(1), {}), kNow, tell).error().code,
                                       write(*store, minute_at(1), {}).error().code,
                                       store->save_decoder_state(saved, kNow).error().code,
                                       store->keep_decoder_state(exporters, kNow).error().code,
                                       store->prune({}, kNow).error().code};
    for (const ErrorCode code : codes) EXPECT_EQ(code, ErrorCode::kReadOnly);
}

TEST_F(FlowStoreTest, AFileOfANewerProgramIsRefused) {
    ask("PRAGMA user_version = 9999");
    for (const Access access : {Access::kReadWrite, Access::kReadOnly}) {
        EXPECT_EQ(open_flow(access).error().code, ErrorCode::kNewer);
    }
}

TEST_F(FlowStoreTest, AnotherProgramsTableUnderOneOfOurNamesIsRefusedByName) {
    must_open_flow();
    ask("DROP VIEW flow_traffic; DROP TABLE flow_minutes; CREATE TABLE flow_minutes (minute INTEGER)");
    const auto store = open_flow();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(store.error().detail.find("prefix_id"), std::string::npos) << store.error().detail;
}

TEST_F(FlowStoreTest, ALockHeldForLongerThanWeWaitIsBusyAndHarmless) {
    const auto store = *FlowStore::open({.path = path_, .busy = 100ms});
    Router router = *store->create_router(make_router("192.0.2.1"), kNow);
    PlainSqlite other(path_);
    other.run("BEGIN IMMEDIATE");
    const std::vector<PrefixMinute> traffic{make_traffic("10.0.0.0/8", minute_at(0), 10)};
    const std::vector<ErrorCode> codes{store->create_router(make_router("192.0.2.2"), kNow).error().code,
                                       store->update_router(router, kNow).error().code,
                                       store->remove_router(router.id).error().code,
                                       store->create_rule(make_rule(), kNow).error().code,
                                       store->record(starting(minute_at(0), {}), kNow, tell).error().code,
                                       write(*store, minute_at(0), traffic).error().code,
                                       store->prune({}, kNow).error().code};
    for (const ErrorCode code : codes) EXPECT_EQ(code, ErrorCode::kBusy);
    EXPECT_EQ(store->routers()->size(), 1U);  // reading waits for nobody
    other.run("ROLLBACK");
    EXPECT_TRUE(write(*store, minute_at(0), traffic));
    EXPECT_EQ((*store->minute(minute_at(0), MinuteDetail::kTotals))->size(), 1U);
}

TEST_F(FlowStoreTest, AFullDatabaseLosesTheMinuteAndNothingElse) {
    // SQLite's own limit stands for a full disk.
    must_open_flow();
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(
        +[](sqlite3* handle, const char** /*problem*/, const sqlite3_api_routines* /*api*/) {
            return sqlite3_exec(handle, "PRAGMA max_page_count=60", nullptr, nullptr, nullptr);
        }));
    const auto small = open_flow();
    sqlite3_reset_auto_extension();
    ASSERT_TRUE(small) << small.error().detail;
    FlowStore& store = **small;
    std::vector<PrefixMinute> many;
    for (int i = 0; i < 20'000; ++i) {
        many.push_back(make_traffic(fmt::format("10.{}.{}.0/24", i / 256, i % 256), minute_at(0), 1'000));
    }
    const auto written = write(store, minute_at(0), many);
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kFull);
    EXPECT_FALSE(store.minute(minute_at(0), MinuteDetail::kTotals)->has_value());
    // The numbers of the prefixes that were rolled back are not remembered.
    many.erase(many.begin() + 100, many.end());
    ASSERT_TRUE(write(store, minute_at(0), many));
    EXPECT_EQ(ask("SELECT count(*) FROM flow_minutes JOIN flow_prefixes ON id = prefix_id"), "100");
    EXPECT_EQ((*must_open_flow()->minute(minute_at(0), MinuteDetail::kTotals))->size(), 100U);
}

// --- crashes ---

/// A collector: each minute holds as many prefixes as the one before, all of the same volume, and raises an
/// alert whose END is told in the next one.
bool collect_three_minutes(const SqliteStore::Options& options) {
    const auto opened = FlowStore::open(options);
    if (!opened) return false;
    FlowStore& store = **opened;
    for (int i = 0; i < 3; ++i) {
        const auto judged_to = store.judged_to();
        if (!judged_to) return false;
        const MinuteTime minute = *judged_to ? **judged_to + 1min : minute_at(0);
        const auto there = store.minute(minute, MinuteDetail::kTotals);
        if (!there) return false;
        if (!*there) {
            std::vector<PrefixMinute> traffic;
            for (int j = 0; j < 20; ++j)
                traffic.push_back(make_traffic(fmt::format("10.{}.0.0/16", j), minute, 1'000));
            if (!store.write_minute({minute, WallTime{minute}, WallTime{minute} + 1min, traffic, {}}))
                return false;
        }
        Judgement judgement{minute, *store.active_alerts(), {make_alert("10.0.0.0/16")}, {}};
        for (Alert& alert : judgement.ended) alert.end_reason = "below";
        if (!store.record(judgement, WallTime{minute} + 65s, tell)) return false;
    }
    return true;
}

TEST_F(FlowStoreTest, ACollectorKilledAnywhereNeitherRepeatsNorMissesAnything) {
    must_open_flow();
    int killed = 0;
    // From before the first statement of the first minute to after the last of the third, in steps that meet
    // every kind of statement.
    for (int survived = 20; survived < 160; survived += 3) {
        killed += work_and_die(survived, [&] { return collect_three_minutes(options()); }) ? 1 : 0;
    }
    EXPECT_GT(killed, 20);
    const auto store = must_open_flow();
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
    const auto judged_to = store->judged_to();
    ASSERT_TRUE(judged_to->has_value());
    const auto minutes = (**judged_to - minute_at(0)).count() + 1;
    EXPECT_GT(minutes, 10);
    // Every minute up to there, and at most one that was written and not yet judged.
    EXPECT_EQ(ask(fmt::format("SELECT count(*) - {} IN (0, 1) FROM flow_collected_minutes", minutes)), "1");
    EXPECT_EQ(ask("SELECT count(*) FROM (SELECT 1 FROM flow_minutes GROUP BY minute HAVING count(*) <> 20 OR "
                  "sum(bytes) <> 20000)"),
              "0");
    // Each minute started one alert, and each told its START and, but for the last, its END.
    EXPECT_EQ(ask("SELECT count(*) FROM flow_alerts"), fmt::format("{}", minutes));
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT text) FROM outbox WHERE text LIKE 'START%'"),
              fmt::format("{0}|{0}", minutes));
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT text) FROM outbox WHERE text LIKE 'END%'"),
              fmt::format("{0}|{0}", minutes - 1));
    EXPECT_EQ(store->active_alerts()->size(), 1U);
}

TEST_F(FlowStoreTest, AProcessKilledInsideARecordLeavesNothingOfIt) {
    must_open_flow();
    const int status = status_of_process([&] {
        const auto store = FlowStore::open(options());
        static_cast<void>((*store)->record(starting(minute_at(0), {make_alert()}), kNow,
                                           [](const RecordReport&) -> std::vector<Message> {
                                               kill(getpid(), SIGKILL);
                                               return {};
                                           }));
        return 0;
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto store = must_open_flow();
    EXPECT_TRUE(store->alerts({})->empty());
    EXPECT_FALSE(store->judged_to()->has_value());
    EXPECT_EQ(store->record(starting(minute_at(0), {make_alert()}), kNow, tell)->queued, 1U);
}

// --- everybody at once ---

/// The threads of the program on one file, each with a connection of its own.
class Household {
public:
    explicit Household(const SqliteStore::Options& options) : options_(options) {}

    void poll() {
        const auto store = SqliteStore::open(options_);
        for (unsigned i = 0; i < 20; ++i) {
            EXPECT_TRUE((*store)->claim(make_events(i * 10, 10), kNow, kNow, one_each));
        }
    }
    void deliver() {
        const auto store = SqliteStore::open(options_);
        while (!done_ || (*store)->outbox()->waiting > 0) {
            const auto next = (*store)->next_message();
            ASSERT_TRUE(next) << next.error().detail;
            if (!*next) continue;
            ASSERT_TRUE((*store)->mark_delivered((**next).id, kNow, 1));
            ++delivered_;
        }
    }
    void evaluate() {
        const auto store = FlowStore::open(options_);
        for (int i = 0; i < 20; ++i) {
            const MinuteTime minute = minute_at(i);
            std::vector<PrefixMinute> traffic;
            for (int j = 0; j < 100; ++j)
                traffic.push_back(make_traffic(fmt::format("10.{}.0.0/16", j), minute, 100));
            const auto written =
                (*store)->write_minute({minute, WallTime{minute}, WallTime{minute} + 1min, traffic, {}});
            ASSERT_TRUE(written) << written.error().detail;
            const auto report =
                (*store)->record({minute, *(*store)->active_alerts(), {make_alert("10.0.0.0/16")}, {}},
                                 WallTime{minute} + 65s, tell);
            ASSERT_TRUE(report) << report.error().detail;
            told_ += report->queued;
            ASSERT_TRUE((*store)->prune({}, kNow));
        }
    }
    void serve() {
        const auto store = FlowStore::open(options_);
        for (int i = 0; i < 20; ++i) {
            const auto rule = (*store)->create_rule(make_rule(), kNow);
            ASSERT_TRUE(rule) << rule.error().detail;
            ASSERT_TRUE((*store)->rules());
            ASSERT_TRUE((*store)->alerts({}));
            ASSERT_TRUE((*store)->series(prefix("10.0.0.0/16"), minute_at(0), minute_at(20), 1min));
            ASSERT_TRUE((*store)->remove_rule(rule->id));
        }
    }
    void run() {
        std::jthread deliverer([this] { deliver(); });
        {
            std::vector<std::jthread> others;
            others.emplace_back([this] { poll(); });
            others.emplace_back([this] { evaluate(); });
            others.emplace_back([this] { serve(); });
            others.emplace_back([this] { serve(); });
        }
        done_ = true;
    }
    [[nodiscard]] std::uint64_t delivered() const { return delivered_; }
    [[nodiscard]] std::uint64_t told() const { return told_; }

private:
    SqliteStore::Options options_;
    std::atomic<bool> done_ = false;
    std::atomic<std::uint64_t> delivered_ = 0;
    std::atomic<std::uint64_t> told_ = 0;
};

TEST_F(FlowStoreTest, PollerDelivererEvaluatorAndApiShareOneFile) {
    Household household({.path = path_, .access = Access::kReadWrite, .busy = 30s});
    household.run();
    EXPECT_EQ(household.told(), 39U);  // 20 START, 19 END
    EXPECT_EQ(household.delivered(), 200U + household.told());
    const auto store = must_open_flow();
    EXPECT_TRUE(store->rules()->empty());
    EXPECT_EQ(*store->generation(), 80);
    EXPECT_EQ(*store->judged_to(), minute_at(19));
    EXPECT_EQ(ask("SELECT count(*), sum(bytes) FROM flow_minutes"), "2000|200000");
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace cam::store
