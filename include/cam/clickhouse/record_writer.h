#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/clickhouse/client.h"
#include "cam/clickhouse/record_encoder.h"

namespace cam::clickhouse {

/// What became of the rows so far. rows_added = rows_written + rows_dropped + rows_rejected + rows_waiting.
struct RecordWriterCounts {
    std::uint64_t rows_added = 0;
    std::uint64_t rows_written = 0;   ///< the server said yes
    std::uint64_t rows_dropped = 0;   ///< the buffer was full: the oldest went
    std::uint64_t rows_rejected = 0;  ///< the server said that these rows can never be inserted
    std::uint64_t rows_waiting = 0;
    std::uint64_t bytes_waiting = 0;  ///< as they are kept: closed batches are compressed
    std::uint64_t bytes_sent = 0;     ///< of acknowledged batches, compressed
    std::uint64_t batches_written = 0;
    std::uint64_t failures = 0;  ///< attempts that did not succeed
};

/// Inserts encoded records into `raw` in batches. A batch is sorted as the table is and compressed once,
/// sent, kept until the server acknowledges it, and sent again unchanged under the same deduplication token
/// after a failure: an answer that was lost counts nothing twice. One batch is on the way at a time, the
/// oldest. The buffer is bounded; when full the oldest batch is dropped and counted. It neither waits nor
/// retries by itself, the caller calls write() again (with a backoff after a failure). Safe from any thread:
/// one that adds makes the next batch while another one writes.
class RecordWriter {
public:
    struct Options {
        std::size_t batch_rows = 400'000;  ///< below what the server takes as one block (about a million)
        std::size_t batch_bytes = std::size_t{96} * 1024 * 1024;  ///< before compression
        std::chrono::milliseconds batch_age{1'000};  ///< the oldest row of a batch waits no longer
        std::size_t buffer_bytes = std::size_t{512} * 1024 * 1024;
        std::chrono::milliseconds total{60'000};  ///< of one insert
    };
    /// `client` outlives the writer.
    RecordWriter(Client& client, Options options);
    ~RecordWriter();

    /// Takes the rows over. Never blocks on the server; sorts and compresses a batch when it is full.
    void add(EncodedRecords records, SteadyTime now);
    /// When write() next has something to do: in the past if a batch is ready; SteadyTime::max() if nothing
    /// waits.
    [[nodiscard]] SteadyTime due() const;
    /// Closes the open batch if it is old enough and no other one waits to be sent: while the server is busy
    /// it grows.
    void close_old_batch(SteadyTime now);
    /// Until a batch can be sent, `longest` has passed or a stop is asked for.
    void wait(std::chrono::milliseconds longest, const std::stop_token& stop);
    /// Sends one batch, the oldest, if one is ready; blocks for at most Options::total. An error as of
    /// Client::run: the batch is kept and comes first again, but for kInvalid: it is given up and counted as
    /// rejected.
    Status write(SteadyTime now, std::stop_token stop);
    /// Closes the open batch, so that write() sends all that waits whatever its age.
    void close_batch();
    [[nodiscard]] RecordWriterCounts counts() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::clickhouse
