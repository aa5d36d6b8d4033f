#include "store_fixture.h"

namespace cam::store {
namespace {

class AttackRows {
public:
    explicit AttackRows(const std::string& path) : database_(path) { database_.run(kAttackEvents); }
    void add(const std::string& columns, const std::string& values) {
        database_.run("INSERT INTO attack_events (" + columns + ") VALUES (" + values + ")");
    }
    void start(const std::string& alert_type, const std::string& created_at) {
        add("event_type, alert_type, created_at", "'START', " + alert_type + ", '" + created_at + "'");
    }

private:
    PlainSqlite database_;
};

TEST_F(SqliteStoreTest, TheWebhookReceiversTableIsTheHistoryWhereItExists) {
    const auto store = must_open();
    AttackRows rows(path_);
    const std::string columns =
        "event_type, alert_type, created_at, attack_vector, target_ip, megabits_per_second";
    rows.add(columns, "'START', 'dos_attack_l4', '2025-12-31 23:59:59', 'UDP Flood', '185.54.80.1', '10'");
    rows.add(columns,
             "'START', 'fbm_dosd_attack', '2026-01-19 21:51:07', 'SYN Flood', '185.54.82.4/32', '1500.5'");
    rows.add(columns, "'END', 'dos_attack_l4', '2026-01-19 23:00:00', 'x', 'x', '1'");
    rows.add(columns, "'ADVERTISE', 'fbm_auto_advertisement', '2026-01-19 23:00:00', 'x', 'x', '1'");
    ASSERT_TRUE(store->claim(make_events(0, 5), kNow, kNow, one_each));
    const auto history = store->attack_history(kNow);
    ASSERT_TRUE(history) << history.error().detail;
    EXPECT_EQ(history->attacks_total, 2U);
    EXPECT_EQ(history->attacks_this_month, 1U);
    EXPECT_EQ(history->mitigations, 5U);
    ASSERT_TRUE(history->last.has_value());
    EXPECT_EQ(history->last->at, at("2026-01-19T21:51:07Z"));
    EXPECT_EQ(history->last->vector, "SYN Flood");
    EXPECT_EQ(history->last->target, "185.54.82.4");
    EXPECT_EQ(history->last->megabits_per_second, 1500.5);
}

// B19: every START row of the receiver counted, tunnels and layer 7 included.
TEST_F(SqliteStoreTest, OnlyAttacksOnTheNetworkCountAsAttacks) {
    const auto store = must_open();
    AttackRows rows(path_);
    for (const char* attack : {"'dos_attack_l4'", "'advanced_ddos_attack_l4_alert'", "'fbm_dosd_attack'",
                               "'fbm_volumetric_attack'", "NULL", "''", "'ADVANCED_DDOS_ATTACK_L4_ALERT'"}) {
        rows.start(attack, "2026-01-02 10:00:00");
    }
    for (const char* other :
         {"'dos_attack_l7'", "'advanced_ddos_attack_l7_alert'", "'magic_tunnel_health_check_event'",
          "'magic_wan_tunnel_health'", "'incident_alert'", "'health_check_status_notification'",
          "'bgp_hijack_notification'", "'maintenance_event_notification'", "'fbm_auto_advertisement'",
          "'traffic_anomalies_alert'", "'something_new'"}) {
        rows.start(other, "2026-01-03 10:00:00");
    }
    const auto history = store->attack_history(kNow);
    ASSERT_TRUE(history);
    EXPECT_EQ(history->attacks_total, 7U);
    EXPECT_EQ(history->attacks_this_month, 7U);
    EXPECT_EQ(history->last->at, at("2026-01-02T10:00:00Z"));
}

TEST_F(SqliteStoreTest, TheEndOfAVolumetricAttackThatTheReceiverWroteAsAStartIsNoAttack) {
    const auto store = must_open();
    AttackRows rows(path_);
    const std::string columns = "event_type, alert_type, raw_payload, created_at";
    rows.add(columns,
             "'START', 'fbm_volumetric_attack', '{\"alert_event\": \"ALERT_STATE_EVENT_START\"}', "
             "'2026-01-02 10:00:00'");
    rows.add(columns,
             "'START', 'fbm_volumetric_attack', '{\"alert_event\": \"ALERT_STATE_EVENT_END\"}', "
             "'2026-01-02 10:20:00'");
    EXPECT_EQ(store->attack_history(kNow)->attacks_total, 1U);
}

TEST_F(SqliteStoreTest, TheMonthIsTheUtcMonthInEitherSpellingOfATime) {
    const auto store = must_open();
    AttackRows rows(path_);
    for (const char* inside : {"2026-01-01 00:00:00", "2026-01-31T23:59:59Z", "2026-01-15T10:00:00.123456",
                               "2026-02-01T00:30:00+02:00"}) {
        rows.start("'dos_attack_l4'", inside);
    }
    for (const char* outside :
         {"2025-01-15 00:00:00", "2026-02-01 00:00:00", "2026-01-01T00:30:00+02:00", "soon"}) {
        rows.start("'dos_attack_l4'", outside);
    }
    const auto history = store->attack_history(kNow);
    ASSERT_TRUE(history);
    EXPECT_EQ(history->attacks_total, 8U);
    EXPECT_EQ(history->attacks_this_month, 4U);
    EXPECT_EQ(history->last->at, at("2026-02-01T00:00:00Z"));
}

// B18: 1500.5 megabits were shown as gigabits, and a row with an odd date as no attack at all.
TEST_F(SqliteStoreTest, WhatTheReceiverLeftOutIsUnknownAndWhatItMisspeltTooAndTheAttackStillCounts) {
    struct Case {
        const char* megabits;
        std::optional<double> want;
    };
    const auto store = must_open();
    AttackRows rows(path_);
    int minute = 0;
    for (const Case& one : std::vector<Case>{{"NULL", {}},
                                             {"''", {}},
                                             {"'800 Mbps'", {}},
                                             {"'None'", {}},
                                             {"'inf'", {}},
                                             {"'nan'", {}},
                                             {"'-5'", {}},
                                             {"' 42 '", 42.0},
                                             {"1500.5", 1500.5},
                                             {"7", 7.0},
                                             {"'1.5e3'", 1500.0}}) {
        rows.add("event_type, created_at, megabits_per_second, attack_vector, target_ip",
                 fmt::format("'START', '2026-01-05 10:{:02}:00', {}, NULL, ''", minute++, one.megabits));
        const auto history = store->attack_history(kNow);
        ASSERT_TRUE(history && history->last) << one.megabits;
        EXPECT_EQ(history->last->megabits_per_second, one.want) << one.megabits;
        EXPECT_FALSE(history->last->vector.has_value());
        EXPECT_FALSE(history->last->target.has_value());
    }
    rows.add("event_type, created_at", "'START', NULL");
    EXPECT_EQ(store->attack_history(kNow)->attacks_total, 12U);
    EXPECT_EQ(store->attack_history(kNow)->last->at, at("2026-01-05T10:10:00Z"));
}

TEST_F(SqliteStoreTest, OfTwoAttacksInOneSecondTheLaterRowIsTheLast) {
    const auto store = must_open();
    AttackRows rows(path_);
    rows.add("event_type, created_at, attack_vector", "'START', '2026-01-05 10:00:00', 'first'");
    rows.add("event_type, created_at, attack_vector", "'START', '2026-01-05T10:00:00Z', 'second'");
    rows.add("event_type, created_at, attack_vector", "'START', '2026-01-04 10:00:00', 'imported later'");
    EXPECT_EQ(store->attack_history(kNow)->last->vector, "second");
}

TEST_F(SqliteStoreTest, AnEmptyReceiverTableMeansNoAttacks) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 5), kNow, kNow, one_each));
    ask(kAttackEvents);
    const auto history = store->attack_history(kNow);
    EXPECT_EQ(history->attacks_total, 0U);
    EXPECT_EQ(history->mitigations, 5U);
    EXPECT_FALSE(history->last.has_value());
}

// B22: without the receiver's table the monitor crashed at start and at its end.
TEST_F(SqliteStoreTest, WithoutTheReceiverTheHistoryComesFromOurOwnEvents) {
    const auto store = must_open();
    const auto empty = store->attack_history(kNow);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->attacks_total, 0U);
    EXPECT_FALSE(empty->last.has_value());

    auto events = make_events(0, 6);
    events[0].attack_id = "december";
    events[0].datetime = "2025-12-31T23:59:59Z";
    events[4].attack_id = "";
    events[5].attack_id.reset();
    events[3].attack_id = "second";
    events[3].attack_vector = "SYN Flood";
    ASSERT_TRUE(store->claim(events, kNow, kNow, one_each));
    const auto history = store->attack_history(kNow);
    EXPECT_EQ(history->attacks_total, 3U);
    EXPECT_EQ(history->attacks_this_month, 2U);
    EXPECT_EQ(history->mitigations, 6U);
    EXPECT_EQ(history->last->at, at("2026-01-19T22:00:03Z"));
    EXPECT_EQ(history->last->vector, "SYN Flood");
    EXPECT_EQ(history->last->target, "185.54.82.4");
    EXPECT_FALSE(history->last->megabits_per_second.has_value());
    EXPECT_EQ(store->attack_history(at("2025-12-31T23:59:59Z"))->attacks_this_month, 1U);
}

TEST_F(SqliteStoreTest, AForeignAttackTableIsUsedAsFarAsItGoes) {
    const auto store = must_open();
    ASSERT_TRUE(store->claim(make_events(0, 2), kNow, kNow, one_each));
    ask("CREATE TABLE attack_events (event_type TEXT, created_at TEXT)");
    ask("INSERT INTO attack_events VALUES ('START', '2026-01-05 10:00:00'), ('END', '2026-01-05 11:00:00')");
    const auto used = store->attack_history(kNow);
    ASSERT_TRUE(used) << used.error().detail;
    EXPECT_EQ(used->attacks_total, 1U);
    EXPECT_EQ(used->last->at, at("2026-01-05T10:00:00Z"));
    EXPECT_FALSE(used->last->vector.has_value());

    ask("DROP TABLE attack_events; CREATE TABLE attack_events (event_type TEXT)");
    EXPECT_EQ(store->attack_history(kNow)->last->vector, "ICMP Flood");
    ask("DROP TABLE attack_events; CREATE TABLE gone (event_type TEXT, created_at TEXT); "
        "CREATE VIEW attack_events AS SELECT * FROM gone");
    ask("PRAGMA legacy_alter_table=ON; DROP TABLE gone");
    const auto derived = store->attack_history(kNow);
    ASSERT_TRUE(derived) << derived.error().detail;
    EXPECT_EQ(derived->last->vector, "ICMP Flood");
}

TEST_F(SqliteStoreTest, TheReceiversTableIsNeverMade) {
    const auto store = must_open();
    ASSERT_TRUE(store->attack_history(kNow));
    EXPECT_EQ(ask("SELECT count(*) FROM sqlite_master WHERE name = 'attack_events'"), "0");
}

}  // namespace
}  // namespace cam::store
