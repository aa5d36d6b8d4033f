#include <sys/stat.h>

#include <cstring>

#include "child_process.h"
#include "store_fixture.h"

namespace cam::store {
namespace {

/// The Python monitor's CREATE TABLE (its v1.4.1), with the rows of its save_event.
constexpr const char* kPythonTable = R"(CREATE TABLE IF NOT EXISTS network_analytics_events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            event_hash TEXT UNIQUE NOT NULL,
            attack_id TEXT,
            event_datetime DATETIME,
            attack_vector TEXT,
            rule_name TEXT,
            rule_id TEXT,
            source_ip TEXT,
            source_port INTEGER,
            destination_ip TEXT,
            destination_port INTEGER,
            protocol TEXT,
            tcp_flags TEXT,
            colo_code TEXT,
            colo_country TEXT,
            packets INTEGER,
            bits INTEGER,
            outcome TEXT,
            mitigation_reason TEXT,
            notified_at DATETIME DEFAULT CURRENT_TIMESTAMP,
            raw_data JSON
        );)";
constexpr const char* kPythonIndexes =
    "CREATE INDEX IF NOT EXISTS idx_analytics_attack_id ON network_analytics_events(attack_id);"
    "CREATE INDEX IF NOT EXISTS idx_analytics_datetime ON network_analytics_events(event_datetime);"
    "CREATE INDEX IF NOT EXISTS idx_analytics_source_ip ON network_analytics_events(source_ip);";
/// The order of the original's DATABASE.md: source_* after source_port.
constexpr const char* kDocumentedTable =
    "CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY AUTOINCREMENT, event_hash TEXT UNIQUE NOT "
    "NULL, "
    "attack_id TEXT, event_datetime DATETIME, attack_vector TEXT, rule_name TEXT, rule_id TEXT, source_ip "
    "TEXT, "
    "source_port INTEGER, source_asn INTEGER, source_asn_name TEXT, source_country TEXT, destination_ip "
    "TEXT, "
    "destination_port INTEGER, protocol TEXT, tcp_flags TEXT, colo_code TEXT, colo_country TEXT, packets "
    "INTEGER, "
    "bits INTEGER, outcome TEXT, mitigation_reason TEXT, notified_at DATETIME DEFAULT CURRENT_TIMESTAMP, "
    "raw_data JSON);";
constexpr const char* kOurColumns =
    "id|event_hash|attack_id|event_datetime|attack_vector|rule_name|rule_id|source_ip|source_port|"
    "destination_ip|"
    "destination_port|protocol|tcp_flags|colo_code|colo_country|packets|bits|outcome|mitigation_reason|"
    "notified_at|"
    "raw_data|source_asn|source_asn_name|source_country";

/// A file before or after its migration.
class MigratedFile {
public:
    explicit MigratedFile(const std::string& path) : path_(path) {}
    /// Rows as the Python monitor wrote them: hashes of 32 digits. Ids 1 to 5, of which 2 and 5 are deleted
    /// again.
    void fill(const std::string& extra_column = "", const std::string& extra_value = "") {
        for (unsigned i = 0; i < 5; ++i) {
            const MitigationEvent event = make_event(i);
            ask(fmt::format(
                "INSERT INTO network_analytics_events (event_hash, attack_id, event_datetime, "
                "attack_vector, source_ip, source_port, destination_ip, packets, notified_at, raw_data{}) "
                "VALUES ('{}', '{}', '{}', 'SYN Flood', '{}', 46181, '185.54.82.4', {}, "
                "'2026-01-19 22:55:00', '{}'{})",
                extra_column, hex(event.hash).substr(0, 32), *event.attack_id, *event.datetime,
                *event.source_ip, 100 + i, event.raw, extra_value));
        }
        ask("DELETE FROM network_analytics_events WHERE id IN (2, 5)");
    }
    std::string columns() {
        return ask("SELECT group_concat(name, '|') FROM pragma_table_info('network_analytics_events')");
    }
    std::string index_names() {
        return ask(
            "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'index' AND "
            "tbl_name = 'network_analytics_events' AND sql IS NOT NULL ORDER BY name)");
    }
    /// The migrated file holds the three rows, goes on counting at 6, and knows the old events.
    void expect_nothing_lost() {
        EXPECT_EQ(columns().substr(0, std::strlen(kOurColumns)), kOurColumns);
        EXPECT_EQ(
            ask("SELECT id, source_ip, source_port, packets, notified_at, length(event_hash) FROM "
                "network_analytics_events ORDER BY id"),
            "1|103.0.0.0|46181|100|2026-01-19 22:55:00|32\n3|103.0.0.2|46181|102|2026-01-19 22:55:00|32\n"
            "4|103.0.0.3|46181|103|2026-01-19 22:55:00|32");
        EXPECT_EQ(ask("SELECT raw_data FROM network_analytics_events WHERE id = 3"), make_event(2).raw);
        EXPECT_EQ(ask("PRAGMA user_version"), "2");
        EXPECT_EQ(ask("PRAGMA journal_mode"), "wal");
        EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
        const auto opened = SqliteStore::open({.path = path_});
        ASSERT_TRUE(opened) << opened.error().detail;
        const auto& store = *opened;
        const auto report = store->claim(make_events(0, 5), kNow, kNow, one_each);
        ASSERT_TRUE(report) << report.error().detail;
        EXPECT_EQ(report->fresh, (std::vector<std::size_t>{1, 4}));
        EXPECT_EQ(ask("SELECT min(id) FROM network_analytics_events WHERE length(event_hash) = 64"), "6");
    }

private:
    std::string ask(const std::string& sql) { return PlainSqlite(path_).run(sql); }
    std::string path_;
};

TEST_F(SqliteStoreTest, ANewFileHasTheContractsColumnsAndIndexes) {
    MigratedFile file(path_);
    must_open();
    EXPECT_EQ(file.columns(), kOurColumns);
    EXPECT_EQ(file.index_names(), "idx_analytics_attack_id,idx_analytics_datetime,idx_analytics_source_ip");
    EXPECT_EQ(
        ask("SELECT group_concat(type) FROM pragma_table_info('network_analytics_events')"),
        "INTEGER,TEXT,TEXT,DATETIME,TEXT,TEXT,TEXT,TEXT,INTEGER,TEXT,INTEGER,TEXT,TEXT,TEXT,TEXT,INTEGER,"
        "INTEGER,TEXT,TEXT,DATETIME,JSON,INTEGER,TEXT,TEXT");
    EXPECT_EQ(ask("SELECT dflt_value FROM pragma_table_info('network_analytics_events') WHERE name = "
                  "'notified_at'"),
              "CURRENT_TIMESTAMP");
    EXPECT_EQ(ask("SELECT \"unique\", origin FROM pragma_index_list('network_analytics_events') WHERE origin "
                  "= 'u'"),
              "1|u");
    EXPECT_EQ(ask("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteStoreTest, ANewFileIsReadableByItsGroupOnlyAndItsFolderIsMade) {
    path_ = (folder_ / "db" / "magic_transit.db").string();
    const mode_t before = umask(0);
    const auto store = must_open();
    umask(before);
    struct stat file {};
    struct stat wal {};
    struct stat folder {};
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    ASSERT_EQ(stat((path_ + "-wal").c_str(), &wal), 0);
    ASSERT_EQ(stat((folder_ / "db").c_str(), &folder), 0);
    EXPECT_EQ(file.st_mode & 07777U, 0640U);
    EXPECT_EQ(wal.st_mode & 07777U, 0640U);
    EXPECT_EQ(folder.st_mode & 07777U, 0750U);
}

TEST_F(SqliteStoreTest, TheUmaskNarrowsTheModeOfANewFile) {
    const mode_t before = umask(077);
    must_open();
    umask(before);
    struct stat file {};
    ASSERT_EQ(stat(path_.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 07777U, 0600U);
}

TEST_F(SqliteStoreTest, OnlyOneMissingFolderIsMade) {
    path_ = (folder_ / "a" / "b" / "magic_transit.db").string();
    EXPECT_EQ(open().error().code, ErrorCode::kInvalid);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "a"));
}

TEST_F(SqliteStoreTest, ThePythonTableOf21ColumnsGetsTheThreeItLacked) {
    MigratedFile file(path_);
    ask(std::string(kPythonTable) + kPythonIndexes);
    file.fill();
    must_open();
    EXPECT_EQ(file.columns(), kOurColumns);
    EXPECT_EQ(file.index_names(), "idx_analytics_attack_id,idx_analytics_datetime,idx_analytics_source_ip");
    file.expect_nothing_lost();
}

TEST_F(SqliteStoreTest, ATableOfThe24ColumnsStaysAsItIs) {
    MigratedFile file(path_);
    ask(std::string(kPythonTable) + kPythonIndexes);
    for (const char* column : {"source_asn INTEGER", "source_asn_name TEXT", "source_country TEXT"}) {
        ask(std::string("ALTER TABLE network_analytics_events ADD COLUMN ") + column);
    }
    file.fill(", source_asn", ", 64512");
    const std::string before = ask("SELECT sql FROM sqlite_master WHERE name = 'network_analytics_events'");
    must_open();
    EXPECT_EQ(ask("SELECT sql FROM sqlite_master WHERE name = 'network_analytics_events'"), before);
    EXPECT_EQ(ask("SELECT DISTINCT source_asn FROM network_analytics_events"), "64512");
    file.expect_nothing_lost();
}

TEST_F(SqliteStoreTest, ATableWithOnlySomeOfTheNewColumnsGetsTheRest) {
    MigratedFile file(path_);
    ask(kPythonTable);
    ask("ALTER TABLE network_analytics_events ADD COLUMN source_asn INTEGER");
    file.fill(", source_asn", ", 64512");
    must_open();
    EXPECT_EQ(file.columns(), kOurColumns);
    file.expect_nothing_lost();
}

TEST_F(SqliteStoreTest, TheOrderOfTheOriginalsDocumentationIsBroughtIntoOurs) {
    MigratedFile file(path_);
    ask(std::string(kDocumentedTable) + kPythonIndexes);
    file.fill(", source_asn, source_asn_name, source_country", ", 137959, 'Vision', 'BD'");
    must_open();
    EXPECT_EQ(file.columns(), kOurColumns);
    EXPECT_EQ(ask("SELECT DISTINCT source_asn, source_asn_name, source_country, destination_ip FROM "
                  "network_analytics_events"),
              "137959|Vision|BD|185.54.82.4");
    EXPECT_EQ(file.index_names(), "idx_analytics_attack_id,idx_analytics_datetime,idx_analytics_source_ip");
    file.expect_nothing_lost();
}

TEST_F(SqliteStoreTest, ForeignColumnsIndexesTriggersAndViewsSurviveARebuild) {
    MigratedFile file(path_);
    ask(std::string(kDocumentedTable) + kPythonIndexes);
    ask("ALTER TABLE network_analytics_events ADD COLUMN \"the \"\"note\" VARCHAR(20) DEFAULT 'none'");
    ask("ALTER TABLE network_analytics_events ADD COLUMN ticket INTEGER NOT NULL DEFAULT 0");
    ask("CREATE INDEX mine ON network_analytics_events(ticket) WHERE ticket > 0");
    ask("CREATE TABLE audit (what TEXT)");
    ask("CREATE TRIGGER watch AFTER INSERT ON network_analytics_events BEGIN INSERT INTO audit VALUES "
        "(new.event_hash); END");
    ask("CREATE VIEW drops AS SELECT source_ip, packets FROM network_analytics_events");
    ask("CREATE TRIGGER other AFTER DELETE ON audit BEGIN DELETE FROM network_analytics_events WHERE "
        "event_hash = "
        "old.what; END");
    file.fill(", \"the \"\"note\", ticket", ", 'seen', 7");
    must_open();
    EXPECT_EQ(file.columns(), std::string(kOurColumns) + "|the \"note|ticket");
    EXPECT_EQ(ask("SELECT DISTINCT \"the \"\"note\", ticket FROM network_analytics_events"), "seen|7");
    EXPECT_EQ(ask("SELECT type FROM pragma_table_info('network_analytics_events') WHERE name = 'the \"note'"),
              "VARCHAR(20)");
    EXPECT_EQ(file.index_names(),
              "idx_analytics_attack_id,idx_analytics_datetime,idx_analytics_source_ip,mine");
    EXPECT_EQ(ask("SELECT count(*) FROM drops"), "3");
    EXPECT_EQ(ask("SELECT count(*) FROM audit"), "5");  // the copy was no insert of the user's
    file.expect_nothing_lost();
    EXPECT_EQ(ask("SELECT count(*) FROM audit"), "7");
    ask("DELETE FROM audit");
    EXPECT_EQ(ask("SELECT count(*) FROM drops"), "0");
}

TEST_F(SqliteStoreTest, ColumnsThatAreMissingInTheMiddleAreUnknownInOldRows) {
    MigratedFile file(path_);
    ask("CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY, source_ip TEXT, event_hash TEXT "
        "UNIQUE NOT "
        "NULL, must TEXT NOT NULL)");
    ask("INSERT INTO network_analytics_events VALUES (41, '1.2.3.4', 'abc', 'kept')");
    const auto store = must_open();
    EXPECT_EQ(file.columns(), std::string(kOurColumns) + "|must");
    EXPECT_EQ(
        ask("SELECT id, source_ip, event_hash, must, typeof(notified_at) FROM network_analytics_events"),
        "41|1.2.3.4|abc|kept|null");
    EXPECT_TRUE(store->claim(make_events(0, 1), kNow, kNow, one_each));
    EXPECT_EQ(ask("SELECT max(id) FROM network_analytics_events"), "42");
}

TEST_F(SqliteStoreTest, TheSequenceOfATableWhoseRowsAreAllGoneGoesOn) {
    MigratedFile file(path_);
    ask(kDocumentedTable);
    file.fill();
    ask("DELETE FROM network_analytics_events");
    ASSERT_TRUE(must_open()->claim(make_events(9, 1), kNow, kNow, one_each));
    EXPECT_EQ(ask("SELECT id FROM network_analytics_events"), "6");
}

TEST_F(SqliteStoreTest, OtherProgramsTablesInTheSameFileAreNotTouched) {
    MigratedFile file(path_);
    ask(std::string(kDocumentedTable) + kAttackEvents);
    ask("CREATE TABLE webhook_events (id INTEGER PRIMARY KEY AUTOINCREMENT, alert_id TEXT, event_state TEXT, "
        "UNIQUE(alert_id, event_state))");
    ask("INSERT INTO webhook_events (alert_id, event_state) VALUES ('a', 'START'), ('a', 'END')");
    ask("INSERT INTO attack_events (event_type) VALUES ('START')");
    file.fill();
    const std::string query =
        "SELECT sql FROM sqlite_master WHERE tbl_name IN ('attack_events', 'webhook_events') ORDER BY name";
    const std::string before =
        ask(query) + ask("SELECT * FROM attack_events") + ask("SELECT * FROM webhook_events");
    must_open();
    EXPECT_EQ(ask(query) + ask("SELECT * FROM attack_events") + ask("SELECT * FROM webhook_events"), before);
    EXPECT_EQ(ask("SELECT name, seq FROM sqlite_sequence WHERE name LIKE '%events' ORDER BY name"),
              "attack_events|1\nnetwork_analytics_events|5\nwebhook_events|2");
    file.expect_nothing_lost();
}

TEST_F(SqliteStoreTest, AFileRestoredFromADumpGoesOnWhereItWas) {
    ASSERT_TRUE(must_open()->claim(make_events(0, 3), kNow, kNow, one_each));
    ask("PRAGMA user_version = 0");  // what `.dump` does not write
    const auto store = must_open();
    EXPECT_EQ(*store->claimed_to(), kNow);
    EXPECT_EQ(store->outbox()->waiting, 3U);
    EXPECT_EQ(store->claim(make_events(0, 4), kNow, kNow, one_each)->fresh.size(), 1U);
}

TEST_F(SqliteStoreTest, AnotherProgramsTableUnderOneOfOurNamesIsRefused) {
    ask("CREATE TABLE outbox (id INTEGER PRIMARY KEY, mail TEXT)");
    EXPECT_EQ(open().error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(ask("SELECT group_concat(name) FROM sqlite_master"), "outbox");
}

TEST_F(SqliteStoreTest, ATableWithoutHashesIsRefusedByName) {
    MigratedFile file(path_);
    ask("CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY, what TEXT)");
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(store.error().detail.find("network_analytics_events"), std::string::npos);
    EXPECT_NE(store.error().detail.find("event_hash"), std::string::npos);
    EXPECT_EQ(file.columns(), "id|what");
}

TEST_F(SqliteStoreTest, AViewOfTheTablesNameIsRefused) {
    ask("CREATE VIEW network_analytics_events AS SELECT 1 AS event_hash");
    EXPECT_EQ(open().error().code, ErrorCode::kCorrupt);
}

TEST_F(SqliteStoreTest, RowsThatCannotBeKeptStopTheMigrationAndNothingIsChanged) {
    MigratedFile file(path_);
    ask("CREATE TABLE network_analytics_events (id INTEGER PRIMARY KEY, event_hash TEXT)");
    ask("INSERT INTO network_analytics_events (event_hash) VALUES ('same'), ('same')");
    const auto store = open();
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(file.columns(), "id|event_hash");
    EXPECT_EQ(ask("SELECT count(*) FROM network_analytics_events"), "2");
    EXPECT_EQ(ask("PRAGMA user_version"), "0");
}

TEST_F(SqliteStoreTest, AFileOfANewerProgramIsRefusedAndStaysAsItIs) {
    ask("CREATE TABLE later (x); PRAGMA user_version = 9999");
    for (const Access access : {Access::kReadWrite, Access::kReadOnly}) {
        const auto store = open(access);
        ASSERT_FALSE(store);
        EXPECT_EQ(store.error().code, ErrorCode::kNewer);
    }
    EXPECT_EQ(ask("PRAGMA journal_mode"), "delete");
    EXPECT_EQ(ask("SELECT group_concat(name) FROM sqlite_master"), "later");
}

// --- a crash at any point
// -------------------------------------------------------------------------------------------

/// Opens the store in a process of its own that dies before its statement number `survived`; true if it died.
bool open_and_die(const SqliteStore::Options& options, int survived) {
    return work_and_die(survived, [&] { return SqliteStore::open(options).has_value(); });
}

TEST_F(SqliteStoreTest, ACrashAnywhereInAMigrationLeavesTheOldSchemaWhole) {
    MigratedFile file(path_);
    ask(std::string(kDocumentedTable) + kPythonIndexes);
    ask("CREATE INDEX mine ON network_analytics_events(packets)");
    file.fill();
    const std::string before = ask("SELECT name, sql FROM sqlite_master ORDER BY name") +
                               ask("SELECT * FROM network_analytics_events ORDER BY id");
    int crashes = 0;
    while (open_and_die(options(), crashes)) {
        ++crashes;
        ASSERT_LT(crashes, 200);
        if (ask("PRAGMA user_version") == "2") continue;  // died after the commit
        ASSERT_EQ(ask("SELECT name, sql FROM sqlite_master ORDER BY name") +
                      ask("SELECT * FROM network_analytics_events ORDER BY id"),
                  before)
            << "after statement " << crashes;
        ASSERT_EQ(ask("PRAGMA integrity_check"), "ok");
    }
    EXPECT_GT(crashes, 15);
    EXPECT_EQ(file.index_names(),
              "idx_analytics_attack_id,idx_analytics_datetime,idx_analytics_source_ip,mine");
    file.expect_nothing_lost();
}

}  // namespace
}  // namespace cam::store
