#include "app/record_queue.h"

#include <utility>

namespace cam::app {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{1024} * 1024;
constexpr std::chrono::milliseconds kBatchAge{200};

}  // namespace

void RecordQueue::put(clickhouse::EncodedRecords batch) {
    if (batch.rows == 0) return;
    std::deque<clickhouse::EncodedRecords> dropped;  // freed after the lock
    {
        const std::lock_guard lock(mutex_);
        bytes_ += batch.bytes.size();
        batches_.push_back(std::move(batch));
        while (bytes_ > most_bytes_ && batches_.size() > 1) {
            bytes_ -= batches_.front().bytes.size();
            rows_dropped_ += batches_.front().rows;
            dropped.push_back(std::move(batches_.front()));
            batches_.pop_front();
        }
    }
    come_.notify_one();
}

std::optional<clickhouse::EncodedRecords> RecordQueue::take(std::chrono::milliseconds longest,
                                                            const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    come_.wait_for(lock, stop, longest, [this] { return !batches_.empty(); });
    if (batches_.empty()) return std::nullopt;
    clickhouse::EncodedRecords batch = std::move(batches_.front());
    batches_.pop_front();
    bytes_ -= batch.bytes.size();
    return batch;
}

std::uint64_t RecordQueue::rows_dropped() const {
    const std::lock_guard lock(mutex_);
    return rows_dropped_;
}

std::size_t RecordQueue::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

QueueOutlet::QueueOutlet(RecordQueue& queue, const std::string& collector)
    : queue_(queue), encoder_(collector) {}

void QueueOutlet::take(const ExporterKey& exporter, WallTime received, std::span<const FlowRecord> records) {
    encoder_.add(exporter, received, records);
    if (encoder_.bytes() >= kBatchBytes) flush();
}

void QueueOutlet::tick(SteadyTime now) {
    if (encoder_.rows() == 0) return;
    if (!oldest_) oldest_ = now;
    if (now - *oldest_ >= kBatchAge) flush();
}

void QueueOutlet::flush() {
    oldest_.reset();
    if (encoder_.rows() > 0) queue_.put(encoder_.take());
}

}  // namespace cam::app
