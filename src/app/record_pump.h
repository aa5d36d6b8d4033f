#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "app/conditions.h"
#include "app/record_queue.h"
#include "cam/base/backoff.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/clickhouse/record_writer.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Moves records from the queue into ClickHouse: retried with growing waits, acknowledged before they are
/// forgotten; what the bounded buffer cannot keep is counted and told. Owned by `cam-records`, which sends;
/// while it waits for the server, a thread of run(), `cam-batches`, makes the next batch.
class RecordPump {
public:
    struct Parts {
        RecordQueue& queue;
        clickhouse::RecordWriter& writer;
        store::SqliteStore& remembered;  ///< for conditions
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        std::function<void()> queued;
        std::function<void()> beat;
        std::function<void()> batches_beat;  ///< of `cam-batches`, called there
    };
    struct Options {
        /// After so long without success the SOC is told.
        std::chrono::seconds patience{60};
        /// For what waits when the process ends.
        std::chrono::milliseconds farewell{3'000};
    };
    RecordPump(Parts parts, Options options);

    /// Until stopped. Then nothing is lost yet: see finish().
    void run(const std::stop_token& stop);
    /// The workers have ended: writes what waits, as far as the time allows, and says what was lost.
    void finish();
    /// One round of run(): takes what came, waiting at most `longest` for it, and writes a batch if one is
    /// due.
    void step(std::chrono::milliseconds longest, const std::stop_token& stop);

private:
    void take_over(std::chrono::milliseconds longest, const std::stop_token& stop);
    void pause(const std::stop_token& stop);
    void send(const std::stop_token& stop);
    bool write(const std::stop_token& stop);
    void note_success();
    void note_calm();
    void note_failure(const Error& why);
    void note_counts();
    void tell_losses();

    Parts parts_;
    Options options_;
    Backoff backoff_;
    SteadyTime retry_at_{};
    std::optional<SteadyTime> failing_since_;
    bool has_written_ = false;
    std::uint64_t lost_ = 0;
    std::optional<SteadyTime> lost_at_;
    clickhouse::RecordWriterCounts noted_{};
    std::uint64_t noted_queue_drops_ = 0;
    Counter& rows_written_;
    Counter& rows_dropped_;
    Counter& rows_rejected_;
    Counter& batches_;
    Counter& sent_bytes_;
    Counter& failures_;
    Gauge& rows_waiting_;
    Gauge& bytes_waiting_;
};

}  // namespace cam::app
