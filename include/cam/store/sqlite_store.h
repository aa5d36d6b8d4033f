#pragma once

#include <chrono>
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
#include "cam/model/attack.h"
#include "cam/model/delivery.h"
#include "cam/model/message.h"
#include "cam/model/mitigation_event.h"
#include "cam/model/reports.h"
#include "cam/model/stored_event.h"

namespace cam::store {

enum class Access {
    kReadWrite,  ///< creates and migrates
    /// Never writes a byte, not even beside the file; an older schema is read as it is. For a process that
    /// only reads: where one thread writes, all threads open for writing.
    kReadOnly,
};

/// What came of a claim.
struct ClaimReport {
    std::vector<std::size_t> fresh;  ///< positions of the events that were new
    std::uint64_t duplicates = 0;
    std::uint64_t queued = 0;  ///< messages put into the outbox
};

/// A message that waits in the outbox.
struct QueuedMessage {
    std::int64_t id = 0;
    Message message;
    WallTime queued_at;
    std::uint32_t attempts = 0;
};

struct OutboxState {
    std::uint64_t waiting = 0;
    std::optional<WallTime> oldest;
    std::optional<WallTime> last_delivered = {};
};

/// An attack's events by minute.
struct AttackMinutes {
    std::vector<DroppedMinute> minutes;  ///< those with events, oldest first
    std::uint64_t elsewhere = 0;         ///< events whose target lies outside of the prefix
    std::uint64_t undated = 0;           ///< events whose datetime cannot be read
};

/// The one SQLite file (WAL, synchronous=FULL): events, outbox, poll progress, remembered state.
/// docs/database.md holds the schema. One thread at a time: open one per thread. Other processes may use the
/// file at the same time.
class SqliteStore {
public:
    struct Options {
        std::string path;
        Access access = Access::kReadWrite;
        /// How long a call waits for another process' lock before kBusy.
        std::chrono::milliseconds busy{20'000};
    };
    /// Creates, or migrates an older file in one transaction. kNewer: made by a newer program. kCorrupt,
    /// kReadOnly, kFull, kBusy as named. The missing parent folder is made (one level). kNotFound only with
    /// kReadOnly.
    static Result<std::unique_ptr<SqliteStore>> open(const Options& options);
    ~SqliteStore();

    // --- mitigation events ---
    /// Writes down, in one transaction or not at all: the events that are new, the messages that `compose`
    /// makes of the new ones (called once, with their positions, while the transaction is open; not called if
    /// none is new), and that everything before `covered_to` is claimed. An event is a duplicate if its hash,
    /// or the first 32 digits of it, is in the table. `now` becomes notified_at.
    Result<ClaimReport> claim(
        std::span<const MitigationEvent> events, WallTime covered_to, WallTime now,
        const std::function<std::vector<Message>(const std::vector<std::size_t>&)>& compose);
    /// For each event whether it is in the table already. Writes nothing.
    Result<std::vector<bool>> seen(std::span<const MitigationEvent> events);
    /// Up to where events are claimed; nullopt before the first claim. kInvalid: somebody wrote what is no
    /// time; the next claim writes over it.
    Result<std::optional<WallTime>> claimed_to();
    Result<std::vector<StoredEvent>> events(const EventQuery& query);
    /// The same with the cursor of what follows; kInvalid: the event that the cursor means is gone.
    Result<EventPage> event_page(const EventQuery& query);
    /// kNotFound.
    Result<EventDetail> event(std::int64_t id);

    // --- attacks: events put together as the messages do ---
    /// How many events one look at attacks reads at most, the newest; older ones are left out and the answer
    /// says so. Bounds time and memory.
    static constexpr std::uint32_t kMostGrouped = 250'000;
    /// kInvalid: the event that the cursor means is gone.
    Result<AttackPage> attacks(const AttackQuery& query);
    /// All of its events, whenever they were. kNotFound.
    Result<AttackDetail> attack(std::string_view attack_id);
    /// kInvalid: no step, or more than AttackTimeline::kMostSteps.
    Result<AttackTimeline> attack_timeline(const TimelineQuery& query);
    /// What was dropped on the way to `prefix`, if given. kNotFound.
    Result<AttackMinutes> attack_minutes(std::string_view attack_id, const std::optional<Prefix>& prefix);
    /// From attack_events where the webhook receiver keeps it, else from our own table.
    Result<AttackHistory> attack_history(WallTime now);

    // --- outbox ---
    Result<std::int64_t> enqueue(const Message& message, WallTime now);
    /// The oldest message that waits.
    Result<std::optional<QueuedMessage>> next_message();
    Status mark_delivered(std::int64_t id, WallTime now, std::int64_t telegram_message_id);
    /// The attempt failed; the message stays first in the line.
    Status mark_failed(std::int64_t id, WallTime now, std::string_view why);
    /// Telegram will never take this text: it leaves the line but stays in the table with the reason.
    Status mark_refused(std::int64_t id, WallTime now, std::string_view why);
    Result<OutboxState> outbox();
    /// Waiting, delivered and refused messages, newest first.
    Result<DeliveryPage> deliveries(const DeliveryQuery& query);
    /// When messages were delivered since `since`, oldest first (for pacing over restarts and processes).
    Result<std::vector<WallTime>> deliveries_since(WallTime since);
    /// Forgets delivered messages older than `before`, a bounded number per call; returns how many went.
    Result<std::uint64_t> prune_delivered(WallTime before);

    // --- remembered state ---
    /// A small fact that must survive a restart, such as `condition.cloudflare`.
    Result<std::optional<std::string>> remembered(std::string_view key);
    Status remember(std::string_view key, std::string_view value);
    Status forget(std::string_view key);
    /// remember() and enqueue() in one transaction, but only if the key's value differs from `value` now;
    /// true if it did. An empty `value` forgets the key.
    Result<bool> change(std::string_view key, std::string_view value, const std::optional<Message>& message,
                        WallTime now);

    /// PRAGMA quick_check; kCorrupt with the first finding.
    Status quick_check();
    /// Moves what the `-wal` file holds into the database and cuts it to nothing. kBusy: others are at work.
    Status empty_wal();

private:
    struct State;
    explicit SqliteStore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace cam::store
