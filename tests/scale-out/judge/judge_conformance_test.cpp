// The rules' series with known answers, by way of SQLite and by way of ClickHouse: the same alerts at the
// same minutes.

#include "fakes/rules/run_series.h"
#include "judge_fixture.h"

namespace cam::app {
namespace {

using rules::test::ExpectedAlert;
using rules::test::Series;

class JudgeConformanceTest : public JudgeTest {
protected:
    static std::vector<Series> series() {
        std::vector<Series> all = rules::test::threshold_series();
        for (Series& one : rules::test::zscore_series()) all.push_back(std::move(one));
        for (Series& one : rules::test::advanced_series()) all.push_back(std::move(one));
        return all;
    }
    /// A place of its own for the next series: database files and tables.
    void begin_series(int number, const Series& one) {
        life_ = {};
        store_file_ = folder_.file("series" + std::to_string(number) + ".db");
        database_ = "series" + std::to_string(number);
        store_ = must(
            store::FlowStore::open({.path = store_file_, .access = store::Access::kReadWrite, .busy = 20ms}));
        for (Rule rule : one.rules) {
            rule.name = rule.id;
            ASSERT_TRUE(store_->create_rule(rule, clock_.wall()));
        }
    }
    /// What is stored, in the series' words.
    std::vector<std::string> stored(MinuteTime start) {
        std::vector<ExpectedAlert> found;
        for (const Alert& alert :
             store_->alerts({.active = {}, .rule_id = {}, .since = {}, .limit = 1'000}).value()) {
            const auto offset = [&](WallTime time) {
                return static_cast<int>(std::chrono::floor<std::chrono::minutes>(time - start).count());
            };
            found.push_back({alert.rule_name, alert.prefixes.front().text(), offset(alert.started_at),
                             offset(alert.raised_at) - 1,
                             alert.ended_at ? std::optional{offset(*alert.ended_at)} : std::nullopt});
        }
        return rules::test::lines(found);
    }
    /// Records for the series' traffic: each prefix' own, without that of the prefixes within it.
    void receive_minute(const Series& one, int minute, MinuteTime at) {
        receive(at + 1s, record("203.0.113.9", 40, 1));   // the collector ran from the start
        receive(at + 58s, record("203.0.113.9", 40, 1));  // to the end
        const std::vector<PrefixMinute> rows = one.traffic(minute);
        for (const PrefixMinute& row : rows) {
            Volume rest = row.all();
            for (const PrefixMinute& other : rows) {
                if (other.prefix == row.prefix || !row.prefix.contains(other.prefix.address()) ||
                    other.prefix.length() <= row.prefix.length())
                    continue;
                rest.bytes -= other.all().bytes;
                rest.packets -= other.all().packets;
            }
            // The last address of 192.0.0.0/16 is in none of the series' narrower prefixes.
            const std::string address =
                row.prefix.length() == 16 ? "192.0.255.255" : row.prefix.address().text();
            if (rest.bytes > 0) receive(at + 7s, record(address, rest.bytes, rest.packets));
        }
    }
    std::string store_file_;
    std::unique_ptr<store::FlowStore> store_;
};

TEST_F(JudgeConformanceTest, SqliteAndClickHouseGiveTheSameAlertsAtTheSameMinutes) {
    int number = 0;
    int alerts = 0;
    for (const Series& one : series()) {
        begin_series(++number, one);
        const MinuteTime start_of = now() + 1min;
        // By way of SQLite: written, read back, judged, recorded.
        {
            MinuteJudge judge({*store_, clock_, book_.logger(), metrics_, [] {}}, {});
            judge.use(store_->rules().value(), start_of);
            for (int minute = 0; minute < one.minutes(); ++minute) {
                if (!one.is_collected(minute)) continue;
                const MinuteTime at = start_of + std::chrono::minutes{minute};
                std::vector<PrefixMinute> rows = one.traffic(minute);
                for (PrefixMinute& row : rows) row.minute = at;
                ASSERT_TRUE(store_->write_minute(
                    {.minute = at, .from = at, .to = at + 1min, .prefixes = rows, .contributors = {}}));
                const auto back = store_->minute(at, store::MinuteDetail::kClasses).value().value();
                store::Judgement judgement = judge.judge(at, back, {});
                ASSERT_TRUE(judge.record(judgement, [](const auto&) { return std::vector<Message>{}; }));
            }
        }
        EXPECT_EQ(stored(start_of), rules::test::lines(one.alerts)) << one.name << " on SQLite";

        begin_series(++number, one);
        store_override_ = store_file_;
        start();
        for (int minute = 0; minute < one.minutes(); ++minute) {
            if (one.is_collected(minute))
                receive_minute(one, minute, start_of + std::chrono::minutes{minute});
        }
        receive(start_of + std::chrono::minutes{one.minutes()} + 2s, record("203.0.113.9", 40, 1));
        write();
        const auto before = clock_.wall();
        clock_.advance(start_of + std::chrono::minutes{one.minutes()} + 3s - before);
        const std::uint64_t judged = windows("judged") + windows("not_collected");
        for (int rounds = 0; rounds < one.minutes() && windows("judged") + windows("not_collected") <
                                                           judged + static_cast<std::uint64_t>(one.minutes());
             ++rounds)
            step();
        EXPECT_EQ(stored(start_of), rules::test::lines(one.alerts)) << one.name << " on ClickHouse";
        alerts += static_cast<int>(one.alerts.size());
        clock_.turn_wall(before - clock_.wall());
        ask("DROP DATABASE " + database_);
    }
    EXPECT_GT(alerts, 20);
}

}  // namespace
}  // namespace cam::app
