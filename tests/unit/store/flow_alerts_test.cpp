#include <limits>
#include <set>
#include <stdexcept>

#include "flow_fixture.h"

namespace cam::store {
namespace {

using namespace std::chrono_literals;

/// One minute after another, judged a few seconds after its end.
WallTime just_after(MinuteTime minute) {
    return WallTime{minute} + 65s;
}

class AlertBook {
public:
    explicit AlertBook(FlowStore& store) : store_(store) {}
    Result<RecordReport> start(int minute, std::vector<Alert> alerts) {
        return store_.record({minute_at(minute), {}, std::move(alerts), {}}, just_after(minute_at(minute)),
                             tell);
    }
    Result<RecordReport> update(int minute, std::vector<Alert> alerts) {
        return store_.record({minute_at(minute), {}, {}, std::move(alerts)}, just_after(minute_at(minute)),
                             tell);
    }
    Result<RecordReport> end(int minute, Alert alert) {
        alert.ended_at = WallTime{minute_at(minute)};
        alert.end_reason = "below";
        return store_.record({minute_at(minute), {std::move(alert)}, {}, {}}, just_after(minute_at(minute)),
                             tell);
    }

private:
    FlowStore& store_;
};

TEST_F(FlowStoreTest, AnAlertThatStartsIsKeptWithItsMessageAndTheProgress) {
    const auto store = must_open_flow();
    Alert alert = make_alert();
    alert.type = RuleType::kAdvancedDdos;
    alert.crossing = {AlertMetric::kFlowsPerSecond, 7.5, 2.25, TrafficClass::kTcpSyn, 1.5};
    alert.peak = {.bits_per_second = 1e10, .packets_per_second = 2e6};
    const auto report = AlertBook(*store).start(3, {alert});
    ASSERT_TRUE(report) << report.error().detail;
    ASSERT_EQ(report->started.size(), 1U);
    EXPECT_EQ(report->started.front().id.size(), 32U);
    EXPECT_EQ(report->queued, 1U);
    EXPECT_FALSE(report->repeated);
    EXPECT_EQ(*store->judged_to(), minute_at(3));
    EXPECT_EQ(ask("SELECT kind, text, state FROM outbox"),
              "alert|START " + report->started.front().id + "|waiting");

    const auto active = must_open_flow()->active_alerts();
    ASSERT_TRUE(active) << active.error().detail;
    ASSERT_EQ(active->size(), 1U);
    const Alert& found = active->front();
    EXPECT_EQ(found.id, report->started.front().id);
    EXPECT_EQ(found.rule_id, "r1");
    EXPECT_EQ(found.rule_name, "web");
    EXPECT_EQ(found.type, RuleType::kAdvancedDdos);
    EXPECT_EQ(found.prefixes, alert.prefixes);
    EXPECT_EQ(found.scope, RuleScope::kPerPrefix);
    EXPECT_EQ(found.started_at, alert.started_at);
    EXPECT_EQ(found.raised_at, alert.raised_at);
    EXPECT_FALSE(found.ended_at.has_value());
    EXPECT_EQ(found.end_reason, "");
    EXPECT_EQ(found.crossing, alert.crossing);
    EXPECT_EQ(found.peak.bits_per_second, 1e10);
    EXPECT_EQ(found.peak.packets_per_second, 2e6);
    EXPECT_EQ(found.current.bits_per_second, 2.5e9);
    EXPECT_EQ(found.current.packets_per_second, 3e5);
}

TEST_F(FlowStoreTest, AnActiveAlertOfTheSameRuleAndTargetIsKeptAndNotToldAgain) {
    const auto store = must_open_flow();
    AlertBook book(*store);
    const std::string id = book.start(0, {make_alert()})->started.front().id;
    Alert other_rule = make_alert();
    other_rule.rule_id = "r2";
    const auto again = book.start(1, {make_alert(), make_alert("10.0.0.0/8"), other_rule});
    ASSERT_TRUE(again) << again.error().detail;
    ASSERT_EQ(again->kept.size(), 1U);
    EXPECT_EQ(again->kept.front().id, id);
    EXPECT_EQ(again->started.size(), 2U);
    EXPECT_EQ(again->queued, 2U);
    EXPECT_EQ(ask("SELECT count(*), count(DISTINCT id) FROM flow_alerts"), "3|3");
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "3");
}

TEST_F(FlowStoreTest, AnAggregateAlertIsOneTargetWhateverItsPrefixes) {
    const auto store = must_open_flow();
    Alert alert = make_alert();
    alert.scope = RuleScope::kAggregate;
    alert.prefixes.push_back(prefix("2a02:4460::/32"));
    const auto report = store->record(starting(minute_at(0), {alert, alert, make_alert()}), kNow, tell);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->started.size(), 2U);
    EXPECT_EQ(report->kept.size(), 1U);
    EXPECT_EQ(ask("SELECT target FROM flow_alerts ORDER BY rowid"), "all\n185.54.80.0/22");
    EXPECT_EQ(ask("SELECT j.value FROM flow_alerts AS a, json_each(a.prefixes) AS j WHERE target = 'all'"),
              "185.54.80.0/22\n2a02:4460::/32");
    EXPECT_EQ(store->active_alerts()->back().prefixes.size(), 2U);
}

TEST_F(FlowStoreTest, AnUpdateChangesPeakAndCurrentAndNothingElse) {
    const auto store = must_open_flow();
    AlertBook book(*store);
    Alert alert = book.start(0, {make_alert()})->started.front();
    alert.rule_name = "other";
    alert.crossing.value = 0;
    alert.peak = {.bits_per_second = 9e9, .packets_per_second = 8e5};
    alert.current = {.bits_per_second = 1.5e9, .packets_per_second = 7e5};
    const auto report = book.update(1, {alert});
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->queued, 0U);
    EXPECT_EQ(*store->judged_to(), minute_at(1));
    const Alert found = store->active_alerts()->front();
    EXPECT_EQ(found.rule_name, "web");
    EXPECT_EQ(found.crossing.value, 2.5e9);
    EXPECT_EQ(found.peak.bits_per_second, 9e9);
    EXPECT_EQ(found.current.packets_per_second, 7e5);
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "1");
}

TEST_F(FlowStoreTest, AnAlertEndsOnce) {
    const auto store = must_open_flow();
    AlertBook book(*store);
    Alert alert = book.start(0, {make_alert()})->started.front();
    alert.peak.bits_per_second = 4e9;
    const auto ended = book.end(5, alert);
    ASSERT_TRUE(ended) << ended.error().detail;
    ASSERT_EQ(ended->ended.size(), 1U);
    EXPECT_EQ(ended->queued, 1U);
    const auto again = book.end(6, alert);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_TRUE(again->ended.empty());
    EXPECT_EQ(again->queued, 0U);
    alert.peak.bits_per_second = 1e12;
    ASSERT_TRUE(book.update(7, {alert}));
    const Alert found = store->alerts({})->front();
    EXPECT_EQ(found.ended_at, WallTime{minute_at(5)});
    EXPECT_EQ(found.end_reason, "below");
    EXPECT_EQ(found.peak.bits_per_second, 4e9);
    EXPECT_TRUE(store->active_alerts()->empty());
    EXPECT_EQ(ask("SELECT count(*) FROM outbox WHERE text LIKE 'END%'"), "1");
}

TEST_F(FlowStoreTest, AnAlertMayEndAndTheNextOfItsTargetStartInOneJudgement) {
    const auto store = must_open_flow();
    Alert first = AlertBook(*store).start(0, {make_alert()})->started.front();
    first.ended_at = kNow;
    first.end_reason = "rule_changed";
    const auto report =
        store->record({minute_at(1), {first}, {make_alert()}, {}}, just_after(minute_at(1)), tell);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->ended.size(), 1U);
    EXPECT_EQ(report->started.size(), 1U);
    EXPECT_TRUE(report->kept.empty());
    EXPECT_EQ(store->active_alerts()->size(), 1U);
}

TEST_F(FlowStoreTest, AJudgementBetweenMinutesLeavesTheProgress) {
    const auto store = must_open_flow();
    Alert alert = AlertBook(*store).start(0, {make_alert()})->started.front();
    alert.end_reason = "rule_deleted";
    const auto report = store->record({std::nullopt, {alert}, {}, {}}, kNow + 5min, tell);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->ended.size(), 1U);
    EXPECT_EQ(*store->judged_to(), minute_at(0));
    EXPECT_EQ(store->alerts({})->front().ended_at, kNow + 5min);  // none was given
}

TEST_F(FlowStoreTest, AMinuteIsRecordedOnceEvenIfTwoProcessesJudgeIt) {
    const auto store = must_open_flow();
    EXPECT_FALSE(store->judged_to()->has_value());
    ASSERT_TRUE(AlertBook(*store).start(1, {make_alert()}));
    const auto report = AlertBook(*must_open_flow()).start(1, {make_alert("10.0.0.0/8")});
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->repeated);
    EXPECT_TRUE(report->started.empty());
    EXPECT_EQ(report->queued, 0U);
    EXPECT_EQ(ask("SELECT count(*) FROM outbox"), "1");
}

TEST_F(FlowStoreTest, AnEarlierMinuteIsNotRecordedAgain) {
    const auto store = must_open_flow();
    ASSERT_TRUE(AlertBook(*store).start(5, {}));
    const auto report = store->record(starting(minute_at(3), {make_alert()}), just_after(minute_at(6)), tell);
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_TRUE(report->repeated);
    EXPECT_TRUE(store->active_alerts()->empty());
    EXPECT_EQ(*store->judged_to(), minute_at(5));
}

TEST_F(FlowStoreTest, AClockThatWasInTheFutureDoesNotSilenceTheRules) {
    const auto store = must_open_flow();
    ASSERT_TRUE(AlertBook(*store).start(100'000, {}));
    const auto report = AlertBook(*store).start(1, {make_alert()});
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_FALSE(report->repeated);
    EXPECT_EQ(report->started.size(), 1U);
    EXPECT_EQ(*store->judged_to(), minute_at(1));
}

TEST_F(FlowStoreTest, MessagesThatCannotBeComposedUndoTheWholeJudgement) {
    const auto store = must_open_flow();
    const auto report = store->record(
        starting(minute_at(0), {make_alert()}), kNow,
        [](const RecordReport&) -> std::vector<Message> { throw std::runtime_error("no words"); });
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kInternal);
    EXPECT_NE(report.error().detail.find("no words"), std::string::npos);
    EXPECT_TRUE(store->alerts({})->empty());
    EXPECT_FALSE(store->judged_to()->has_value());
    EXPECT_TRUE(AlertBook(*store).start(0, {make_alert()}));
}

TEST_F(FlowStoreTest, MessagesMayBeComposedOfWhatIsStored) {
    const auto store = must_open_flow();
    const Contributor source =
        make_contributor("185.54.80.0/22", minute_at(0), TrafficFacet::kSource, "192.0.2.0/24", 5);
    ASSERT_TRUE(write(*store, minute_at(0), {}, {source}));
    const auto report = store->record(
        starting(minute_at(0), {make_alert()}), kNow, [&](const RecordReport& fresh) -> std::vector<Message> {
            const auto top =
                store->contributors(fresh.started.front().prefixes.front(), minute_at(0), minute_at(1), 1);
            EXPECT_TRUE(top) << top.error().detail;
            EXPECT_EQ(store->active_alerts()->size(), 1U);
            return {{MessageKind::kAlert, top->front().key}};
        });
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(ask("SELECT text FROM outbox"), "192.0.2.0/24");
}

TEST_F(FlowStoreTest, NothingIsComposedWhereNothingIsToBeTold) {
    const auto store = must_open_flow();
    const auto report =
        store->record(starting(minute_at(0), {}), kNow, [](const RecordReport&) -> std::vector<Message> {
            ADD_FAILURE() << "composed";
            return {};
        });
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(*store->judged_to(), minute_at(0));
}

TEST_F(FlowStoreTest, AlertsAreFoundNewestFirstByStateRuleAndTime) {
    const auto store = must_open_flow();
    AlertBook book(*store);
    std::vector<Alert> started;
    for (int i = 0; i < 6; ++i) {
        Alert alert = make_alert(fmt::format("10.{}.0.0/16", i), i);
        alert.rule_id = i % 2 == 0 ? "even" : "odd";
        started.push_back(book.start(i, {alert})->started.front());
    }
    ASSERT_TRUE(book.end(7, started[0]));
    ASSERT_TRUE(book.end(8, started[5]));
    const auto found = [&](const AlertQuery& query) {
        std::string numbers;
        const auto alerts = store->alerts(query);
        EXPECT_TRUE(alerts) << alerts.error().detail;
        for (const Alert& alert : *alerts) numbers += alert.prefixes.front().text().at(3);
        return numbers;
    };
    EXPECT_EQ(found({}), "543210");
    AlertQuery query;
    query.active = true;
    EXPECT_EQ(found(query), "4321");
    query.rule_id = "even";
    EXPECT_EQ(found(query), "42");
    query.active = false;
    EXPECT_EQ(found(query), "0");
    query = {};
    query.since = WallTime{minute_at(3)};
    EXPECT_EQ(found(query), "543");
    query.limit = 2;
    EXPECT_EQ(found(query), "54");
    query.rule_id = "none";
    EXPECT_EQ(found(query), "");
}

TEST_F(FlowStoreTest, NumbersThatAreNoneDoNotStopAnAlert) {
    const auto store = must_open_flow();
    Alert alert = make_alert();
    alert.crossing.value = std::numeric_limits<double>::quiet_NaN();
    alert.peak.bits_per_second = std::numeric_limits<double>::infinity();
    ASSERT_TRUE(AlertBook(*store).start(0, {alert}));
    EXPECT_EQ(store->active_alerts()->front().crossing.value, 0);
    EXPECT_EQ(store->active_alerts()->front().peak.bits_per_second, std::numeric_limits<double>::infinity());
}

TEST_F(FlowStoreTest, AnAlertThatCannotBeReadIsNamed) {
    const auto store = must_open_flow();
    const std::string id = AlertBook(*store).start(0, {make_alert()})->started.front().id;
    for (const char* change : {"metric = 'x'", "traffic_class = 'x'", "type = 'x'", "scope = 'x'",
                               "prefixes = 'x'", "started_at = 'x'", "ended_at = 'x'"}) {
        PlainSqlite other(path_);
        other.run("CREATE TEMP TABLE before AS SELECT * FROM flow_alerts");
        other.run(fmt::format("UPDATE flow_alerts SET {}", change));
        const auto alerts = store->alerts({});
        ASSERT_FALSE(alerts) << change;
        EXPECT_EQ(alerts.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(alerts.error().detail.find(id), std::string::npos);
        other.run("DELETE FROM flow_alerts; INSERT INTO flow_alerts SELECT * FROM before");
    }
    EXPECT_EQ(store->alerts({})->size(), 1U);
}

TEST_F(FlowStoreTest, IdsSortByTimeAndDoNotRepeat) {
    const auto store = must_open_flow();
    std::set<std::string> ids;
    std::string last;
    for (int i = 0; i < 50; ++i) {
        const auto rule = store->create_rule(make_rule(), kNow + std::chrono::milliseconds{i});
        ids.insert(rule->id);
        EXPECT_LT(last, rule->id);
        last = rule->id;
    }
    EXPECT_EQ(ids.size(), 50U);
}

}  // namespace
}  // namespace cam::store
