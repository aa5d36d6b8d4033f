#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/model/alert.h"
#include "cam/model/exporter.h"
#include "cam/model/message.h"
#include "cam/model/rule.h"
#include "cam/model/traffic.h"
#include "cam/model/traffic_series.h"
#include "cam/store/sqlite_store.h"

namespace cam::store {

/// What the rules said of one minute, or of a change of the rules.
struct Judgement {
    /// The minute that was judged; none: between minutes, because rules were changed.
    std::optional<MinuteTime> minute;
    std::vector<Alert> ended;    ///< with ended_at, end_reason, peak and current
    std::vector<Alert> started;  ///< ids are made by record()
    std::vector<Alert> updated;  ///< peak and current count
    /// Started and ended since, found out only now; ids are made by record(). One of a rule, target and start
    /// that is stored already is left out.
    std::vector<Alert> missed{};
};

/// What came of a judgement. Only `started` and `ended` are to be told.
struct RecordReport {
    std::vector<Alert> started;  ///< new, missed ones too; with their ids
    std::vector<Alert> ended;    ///< were active until now, or were missed
    /// Started by an earlier judgement and active already: as stored, with their ids. Not to be told again.
    std::vector<Alert> kept;
    std::uint64_t queued = 0;  ///< messages put into the outbox
    bool repeated = false;     ///< the minute was recorded before: nothing was written
};

/// A minute's traffic as the collector hands it over.
struct MinuteTraffic {
    MinuteTime minute;
    WallTime from;  ///< the part of the minute that was collected
    WallTime to;
    std::span<const PrefixMinute> prefixes;  ///< those with traffic, each once
    std::span<const Contributor> contributors;
};

struct WriteReport {
    std::uint64_t prefixes = 0;
    std::uint64_t contributors = 0;
    std::uint64_t contributors_left_out = 0;  ///< beyond the bound: the smallest
};

/// How much of a minute is read.
enum class MinuteDetail : std::uint8_t {
    kTotals,   ///< TrafficClass::kAll; the other classes are zero
    kClasses,  ///< all classes
};

/// What is older than this goes.
struct Retention {
    std::chrono::hours minutes{30 * 24};
    std::chrono::hours contributors{7 * 24};
    std::chrono::hours ended_alerts{2 * 365 * 24};
    std::chrono::hours decoder_state{30 * 24};  ///< since the exporter was saved or seen
    std::uint32_t decoder_states = 8192;        ///< the latest that stay
};

struct PruneReport {
    std::uint64_t minutes = 0;  ///< rows, as all of these
    std::uint64_t contributors = 0;
    std::uint64_t alerts = 0;
    std::uint64_t decoder_states = 0;
    bool more = false;  ///< there is more to prune: call again
};

/// Templates and sampling of one exporter, as the decoder wrote them.
struct DecoderState {
    ExporterKey exporter;
    std::string bytes;
};

/// The flow monitor's part of the one SQLite file: routers, rules, alerts, minutes of traffic, decoder state.
/// docs/database.md holds the schema. Counts above 2^63-1 are stored as 2^63-1. Every call fails with kBusy,
/// kFull, kCorrupt, kReadOnly as named by the file, and then has changed nothing. One thread at a time: open
/// one per thread. Other connections, of SqliteStore too, and other processes may use the file at the same
/// time.
class FlowStore {
public:
    using Options = SqliteStore::Options;
    /// As SqliteStore::open. A read-only store of an older file finds nothing.
    static Result<std::unique_ptr<FlowStore>> open(const Options& options);
    ~FlowStore();

    // --- routers and rules ---
    /// Another number after every change of routers and rules, by whomever. One look-up; for polling.
    Result<std::int64_t> generation();

    /// In the order in which they were made.
    Result<std::vector<Router>> routers();
    /// kNotFound.
    Result<Router> router(std::string_view id);
    /// Makes the id and both times. kExists: another router has the address.
    Result<Router> create_router(const Router& router, WallTime now);
    /// Replaces what the router `router.id` is, but for its id and created_at. kNotFound; kExists: another
    /// router has the address.
    Result<Router> update_router(const Router& router, WallTime now);
    /// kNotFound.
    Status remove_router(std::string_view id);

    /// In the order in which they were made. kCorrupt names a rule that somebody else wrote wrong.
    Result<std::vector<Rule>> rules();
    /// kNotFound.
    Result<Rule> rule(std::string_view id);
    /// Makes the id and both times.
    Result<Rule> create_rule(const Rule& rule, WallTime now);
    /// Replaces what the rule `rule.id` is, but for its id and created_at. kNotFound.
    Result<Rule> update_rule(const Rule& rule, WallTime now);
    /// kNotFound. Its alerts stay.
    Status remove_rule(std::string_view id);

    // --- alerts ---
    /// Writes down, in one transaction or not at all: which alerts ended, started and changed, the messages
    /// that `compose` makes of that (called once, while the transaction is open; it may read from the store;
    /// not called if nothing started or ended), and that everything up to and with the minute is judged. An
    /// alert starts only if no alert of the same rule and target is active; it ends only once. A minute at or
    /// before judged_to() is not recorded again, unless judged_to() lies after `now` (the clock was wrong).
    Result<RecordReport> record(const Judgement& judgement, WallTime now,
                                const std::function<std::vector<Message>(const RecordReport&)>& compose);
    /// The last minute that was judged; nullopt before the first.
    Result<std::optional<MinuteTime>> judged_to();
    /// Newest first.
    Result<std::vector<Alert>> alerts(const AlertQuery& query);
    /// All of them, newest first.
    Result<std::vector<Alert>> active_alerts();

    // --- minutes of traffic ---
    /// Contributors beyond this number, over all prefixes of a minute, are left out.
    static constexpr std::size_t kContributorsPerMinute = 10'000;
    /// Writes the minute in one transaction. What is stored of it already, by a process before a restart, is
    /// added to. Prefixes must be of the minute.
    Result<WriteReport> write_minute(const MinuteTraffic& traffic);
    /// Hands over the collected minutes from `from` until before `to`, oldest first, also those without
    /// traffic. The traffic is valid during the call only; in `take` the store may be used.
    Status read_minutes(
        MinuteTime from, MinuteTime to, MinuteDetail detail,
        const std::function<void(const CollectedMinute&, std::span<const PrefixMinute>)>& take);
    /// The traffic of one minute; nullopt if it was not collected.
    Result<std::optional<std::vector<PrefixMinute>>> minute(MinuteTime minute, MinuteDetail detail);
    /// Which minutes from `from` until before `to` were collected, oldest first.
    Result<std::vector<CollectedMinute>> collected_minutes(MinuteTime from, MinuteTime to);
    /// A chart's points from `from` until before `to`, each of `step`, the last perhaps shorter. kInvalid:
    /// no step, or more than 10,000 points.
    Result<std::vector<TrafficPoint>> series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                             std::chrono::minutes step);
    /// What the traffic from `from` until before `to` was made of, summed: per facet the `most` largest by
    /// bytes. `minute` of each is `from`.
    Result<std::vector<Contributor>> contributors(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                  std::size_t most);

    // --- decoder state ---
    Status save_decoder_state(std::span<const DecoderState> states, WallTime now);
    /// These exporters still send, so their state stays.
    Status keep_decoder_state(std::span<const ExporterKey> seen, WallTime now);
    /// All of them, the latest first.
    Result<std::vector<DecoderState>> decoder_state();

    /// Deletes what is too old, a bounded number of rows per call, in short transactions.
    Result<PruneReport> prune(const Retention& retention, WallTime now);

private:
    struct State;
    explicit FlowStore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::store
