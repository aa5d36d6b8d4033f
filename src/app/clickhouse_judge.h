#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/arrival_watch.h"
#include "app/clickhouse_explainer.h"
#include "app/conditions.h"
#include "app/minute_feed.h"
#include "app/minute_judge.h"
#include "app/plan_keeper.h"
#include "app/rival_watch.h"
#include "app/rule_sets.h"
#include "cam/base/backoff.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/clickhouse/client.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/clickhouse/plan_writer.h"
#include "cam/clickhouse/schema.h"
#include "cam/enrich/geo_databases.h"
#include "cam/notify/render.h"
#include "cam/store/flow_store.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Judges the minutes of ClickHouse: makes its tables, writes what is to be counted into it, reads each
/// minute when it is complete, and again when more of it has arrived. Rules, alerts and messages are those of
/// the daemon's own database. Strictly one minute after the other; while ClickHouse or the database fails,
/// minutes wait. Owned by the thread that evaluates.
class ClickHouseJudge {
public:
    struct Parts {
        store::FlowStore& store;
        store::SqliteStore& remembered;  ///< for conditions
        clickhouse::Client& client;
        const enrich::GeoDatabases& geo;
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        notify::RenderOptions render;
        std::function<void()> queued;       ///< called when messages went into the outbox
        std::function<void()> beat;         ///< called between calls that may take long
        api::EventBoard* events = nullptr;  ///< told of alerts and judged minutes, if there is one
        FlowBoard* board = nullptr;         ///< shown whose flows arrive, if there is one
    };
    struct Options {
        clickhouse::SchemaOptions schema{};
        MinuteFeed::Options feed{};
        /// After a longer time without a judge, judging begins this far back.
        std::chrono::hours catch_up{24};
        store::Retention retention{};
        /// After so long without an answer the SOC is told.
        std::chrono::seconds patience{60};
    };
    ClickHouseJudge(Parts parts, Options options);

    /// Takes up rules and alerts where the last process stopped. Only asks the database.
    Status begin();
    /// One round: follows changed rules, judges the minutes that are complete and those that have changed. To
    /// be called about once a second. Ends early when stopped.
    void step(const std::stop_token& stop);

private:
    struct PendingRules {
        RuleSet set;
        MinuteTime from;
    };
    /// What is to be recorded before anything else is judged.
    struct Pending {
        store::Judgement judgement;
        std::vector<PrefixMinute> traffic;  ///< what alerts that start are explained by
        MinuteTime minute;
    };

    Status round(const std::stop_token& stop);
    Status prepare(const std::stop_token& stop);
    Status warm_up(MinuteTime before, const std::stop_token& stop);
    Status judge_again(MinuteTime from, MinuteTime to, const std::stop_token& stop);
    void take(std::optional<store::Judgement> judgement, MinuteTime minute, std::vector<PrefixMinute> traffic,
              const std::stop_token& stop);
    [[nodiscard]] MinuteTime first_minute(MinuteTime counted_from);
    Status follow_rules(const std::stop_token& stop);
    [[nodiscard]] const RuleSet& latest_rules() const;
    void apply_rules(MinuteTime minute, const std::stop_token& stop);
    Status judge_next(const std::stop_token& stop, bool& judged);
    Status correct(const std::stop_token& stop);
    Result<std::vector<PrefixMinute>> week_before(MinuteTime minute, const std::stop_token& stop);
    Status record(const std::stop_token& stop);
    void note_failure(const Error& why);
    void note_unrecorded(const Error& why);
    void watch(const std::stop_token& stop);
    void show_nobody_heard();
    void prune();

    Parts parts_;
    Options options_;
    MinuteJudge judge_;
    clickhouse::MinuteReader reader_;
    clickhouse::PlanWriter writer_;
    MinuteFeed feed_;
    ClickHouseExplainer explainer_;
    ArrivalWatch arrival_;
    RivalWatch rival_;
    PlanKeeper plan_;
    RuleSet rules_;                        ///< in force
    std::deque<PendingRules> next_rules_;  ///< written; in force from their minute on
    bool is_prepared_ = false;
    MinuteTime again_from_ = MinuteTime::min();  ///< of what an earlier process judged, this comes next
    std::optional<Pending> pending_;
    std::deque<clickhouse::ReadMinute> week_ago_;  ///< the minutes around the one a week before
    std::optional<SteadyTime> failing_since_;
    std::optional<SteadyTime> unrecorded_since_;
    SteadyTime retry_at_{};
    Backoff backoff_;
    SteadyTime pruned_{};
    bool has_more_to_prune_ = false;
    Counter& minutes_corrected_;
    Counter& minutes_empty_;
    Counter& minutes_partial_;
    Counter& failures_;
    Gauge& read_seconds_;
    Gauge& lag_seconds_;
    Gauge& is_up_;
};

}  // namespace cam::app
