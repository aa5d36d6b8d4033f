#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/conditions.h"
#include "app/exporter_watch.h"
#include "app/flow_exchange.h"
#include "app/minute_judge.h"
#include "app/rule_sets.h"
#include "cam/api/event_board.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/enrich/geo_databases.h"
#include "cam/notify/render.h"
#include "cam/store/flow_store.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Adds up what the workers counted, writes each minute down, judges it by the rules and queues what the SOC
/// must know, strictly one minute after the other: what cannot be written is tried again, and the next minute
/// waits. Owned by the thread that evaluates.
class FlowJudge {
public:
    struct Parts {
        store::FlowStore& store;
        store::SqliteStore& remembered;  ///< for conditions
        FlowExchange& exchange;
        const enrich::GeoDatabases& geo;
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        notify::RenderOptions render;
        std::function<void()> queued;       ///< called when messages went into the outbox
        api::EventBoard* events = nullptr;  ///< told of minutes and alerts, if there is one
    };
    struct Options {
        std::size_t workers = 1;
        /// How long after its end a minute waits for a worker that has not handed over its part.
        std::chrono::seconds latest_part{15};
        /// Minutes that wait for the database; beyond, the oldest go, counted and told.
        std::size_t waiting_minutes = 15;
        store::Retention retention{};
    };
    FlowJudge(Parts parts, Options options);

    /// What is to be counted, by the rules and routers that are stored.
    static Result<FlowPlan> plan(store::FlowStore& store);
    /// Takes up where the last process stopped: active alerts go on, and the past is read from the database.
    Status begin();
    /// One round: follows changed rules, takes over minutes, judges and writes, cleans up. To be called about
    /// once a second.
    void step();
    /// The workers have ended: writes what they handed over last, if the database lets it.
    void end();

private:
    struct Gathered {
        std::vector<WorkerMinute> parts;
    };
    /// A minute on its way into the database.
    struct Current {
        store::MinuteTraffic span{};
        aggregate::CountedMinute counted;
        std::vector<Contributor> contributors;
        std::int64_t generation = 0;
        bool is_whole = false;
        bool is_written = false;
        bool is_judged = false;
        store::Judgement judgement;
    };

    void follow_rules();
    bool apply_rules(std::int64_t generation, MinuteTime from);
    void warm_up(MinuteTime before);
    void gather();
    [[nodiscard]] std::optional<Current> next_minute(bool all);
    Current merged(MinuteTime minute, Gathered gathered) const;
    void judge(Current& minute);
    Status write(Current& minute);
    void work(bool all);
    void note_failure(const Error& why);
    void keep_states();
    void prune();

    Parts parts_;
    Options options_;
    MinuteJudge judge_;
    std::deque<RuleSet> rule_sets_;  ///< the first is in force, the others wait for their first whole minute
    std::map<MinuteTime, Gathered> gathered_;
    std::optional<MinuteTime> done_;  ///< the last minute taken from gathered_
    std::optional<Current> current_;
    std::optional<SteadyTime> failing_since_;
    std::vector<store::DecoderState> states_;
    ExporterWatch watch_;
    SteadyTime published_{};
    SteadyTime pruned_{};
    bool has_more_to_prune_ = false;
    Counter& minutes_partial_;
    Counter& minutes_dropped_;
};

}  // namespace cam::app
