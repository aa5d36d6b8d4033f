#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "app/record_outlet.h"
#include "cam/clickhouse/record_encoder.h"

namespace cam::app {

/// Batches of encoded records on their way from the flow workers to the thread that writes. Bounded: when
/// full, the oldest batch goes and its rows are counted. One lock per batch, none per record. Safe from any
/// thread.
class RecordQueue {
public:
    explicit RecordQueue(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    void put(clickhouse::EncodedRecords batch);
    /// The oldest batch, waiting for one until `longest` has passed or a stop is asked for.
    std::optional<clickhouse::EncodedRecords> take(std::chrono::milliseconds longest,
                                                   const std::stop_token& stop);
    [[nodiscard]] std::uint64_t rows_dropped() const;
    [[nodiscard]] std::size_t bytes() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable_any come_;
    std::deque<clickhouse::EncodedRecords> batches_;
    std::size_t bytes_ = 0;
    std::size_t most_bytes_;
    std::uint64_t rows_dropped_ = 0;
};

/// Encodes a worker's records and hands them to the queue in batches of a mebibyte, or after 200 ms. Owned
/// by the worker's thread.
class QueueOutlet final : public RecordOutlet {
public:
    /// `queue` outlives it. `collector` names the worker among all sources; see RecordEncoder.
    QueueOutlet(RecordQueue& queue, const std::string& collector);
    void take(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records) override;
    void tick(SteadyTime now) override;
    void flush() override;

private:
    RecordQueue& queue_;
    clickhouse::RecordEncoder encoder_;
    std::optional<SteadyTime> oldest_;  ///< when tick() first saw the open batch
};

}  // namespace cam::app
