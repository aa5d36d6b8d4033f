#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/guarded.h"
#include "cam/base/log.h"
#include "cam/model/message.h"
#include "cam/model/monitor_status.h"
#include "cam/notify/render.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// What can be wrong for longer than a moment. Also the key under which it is remembered.
enum class Condition {
    kCloudflare,
    kDatabase,
    kTelegram,
    kGeoIp,
    kPreferences,
    kApiListener,
    kLogFile,
    kClock,
    kTruncated,
    kProgress,
    kFlowListener,
    kFlowStore,
    kFlowExporters,
    kFlowSilence,
    kClickHouse,
    kClickHouseWriter,
    kKafkaProducer,
    kSecondJudge,
};
inline constexpr std::size_t kConditionCount = 18;
[[nodiscard]] const char* name(Condition condition);

/// Who hears of it.
enum class Tell { kLog, kLogAndSoc };

struct Trouble {
    std::string state;     ///< what kind of trouble; another kind is a change and told again
    std::string headline;  ///< one line for the SOC
    std::vector<std::string> details;
    Tell tell = Tell::kLog;
};

/// A message that no database could take.
struct UnqueuedMessage {
    Message message;
    std::optional<Condition> trouble;  ///< what it tells of; nullopt: that something is well again
};

/// Keeps what is wrong now and reports each change of state once: in the log, and to the SOC where it must
/// act, over restarts too. Safe from any thread.
class Conditions {
public:
    /// What was told past the database is kept in mind by an empty file beside `database`, since making one
    /// mostly works where nothing can be written: `….told-database`. Empty: it is not kept in mind.
    Conditions(Clock& clock, Logger log, notify::RenderOptions render, std::string database = {})
        : clock_(clock), log_(std::move(log)), render_(std::move(render)), database_(std::move(database)) {}

    /// `store` is the calling thread's; nullptr, or a store that cannot write: the SOC is told past the
    /// database.
    void raise(Condition condition, const Trouble& trouble, store::SqliteStore* store);
    /// It is well again (or was all the time: then nothing happens). `headline` is told if the trouble was.
    void clear(Condition condition, std::string_view headline, store::SqliteStore* store);

    /// One line per thing that is wrong now.
    [[nodiscard]] std::vector<std::string> problems() const;
    /// The same with what is known of each.
    [[nodiscard]] std::vector<RaisedCondition> raised() const;
    [[nodiscard]] bool wrong(Condition condition) const;
    /// Messages that could not be queued in the database, oldest first; the caller takes them over.
    [[nodiscard]] std::deque<UnqueuedMessage> take_unqueued();
    /// Gives back what could not be sent, in the same order, before what came meanwhile.
    void put_back(std::deque<UnqueuedMessage> messages);
    /// The SOC has it: the next process need not tell it again.
    void sent(const UnqueuedMessage& message);

private:
    struct State {
        bool known = false;  ///< false: this process does not know yet whether an earlier one told trouble
        std::string state;   ///< empty: well
        std::string headline;
        bool unqueued = false;  ///< the trouble was told past the database
        std::vector<std::string> details = {};
        WallTime since{};  ///< of this trouble, whatever its state became since
    };
    void queue_past_database(UnqueuedMessage message);
    void tell_trouble(Condition condition, const Trouble& trouble, store::SqliteStore* store,
                      bool first_word);
    void tell_end(Condition condition, std::string_view headline, store::SqliteStore* store,
                  bool past_database);
    [[nodiscard]] std::string marker(Condition condition) const;
    [[nodiscard]] bool is_marked(Condition condition) const;

    Clock& clock_;
    Logger log_;
    notify::RenderOptions render_;
    std::string database_;
    Guarded<std::array<State, kConditionCount>> states_;
    Guarded<std::deque<UnqueuedMessage>> unqueued_;
};

}  // namespace cam::app
