#include "cam/clickhouse/record_writer.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <spdlog/fmt/fmt.h>

#include "cam/net/compression.h"
#include "clickhouse/record_block.h"

namespace cam::clickhouse {
namespace {

struct Batch {
    std::string bytes;  // compressed
    std::size_t rows = 0;
    std::string token;
    std::string columns;
};

/// Tells the batches of this process from those of every other one.
std::string random_name() {
    std::random_device device;
    std::string out;
    for (int i = 0; i < 4; ++i) out += fmt::format("{:08x}", device());
    return out;
}

}  // namespace

struct RecordWriter::State {
    Client& client;
    Options options;
    const std::string process = random_name();
    std::uint64_t next_number = 0;  // of whoever closes
    std::mutex closing;             // one thread closes at a time; taken before `mutex`
    mutable std::mutex mutex;       // for all below
    std::condition_variable_any closed_one;
    std::vector<EncodedRecords> open;
    std::size_t open_rows = 0;
    std::size_t open_bytes = 0;
    SteadyTime opened{};
    std::deque<Batch> closed;
    std::size_t rows_on_the_way = 0;
    std::size_t bytes_on_the_way = 0;  // of what is closed or sent just now
    RecordWriterCounts counts{};

    State(Client& to, Options how) : client(to), options(how) {}

    [[nodiscard]] std::size_t bytes_waiting() const {
        std::size_t sum = open_bytes + bytes_on_the_way;
        for (const Batch& batch : closed) sum += batch.bytes.size();
        return sum;
    }

    [[nodiscard]] bool is_due(SteadyTime now) const {
        return open_rows > 0 && now >= opened + options.batch_age;
    }

    /// Nothing else waits to be sent, and the open batch is old enough.
    [[nodiscard]] bool is_wanted(SteadyTime now) const { return closed.empty() && is_due(now); }

    Result<Batch> batch_of(std::vector<EncodedRecords> parts, std::size_t rows) {
        RecordBlock block = block_of(parts);
        parts = {};  // their memory is needed
        Result<std::string> compressed = net::compress_zstd(block.bytes);
        if (!compressed) return compressed.error();
        return Batch{.bytes = std::move(compressed).value(),
                     .rows = rows,
                     .token = fmt::format("{}-{}", process, next_number++),
                     .columns = std::move(block.columns)};
    }

    /// The open batch is sorted and compressed, without the lock on what others look at.
    void close() {
        const std::lock_guard one_at_a_time{closing};
        std::unique_lock lock{mutex};
        if (open_rows == 0) return;
        std::vector<EncodedRecords> parts = std::exchange(open, {});
        const std::size_t rows = std::exchange(open_rows, 0);
        const std::size_t bytes = std::exchange(open_bytes, 0);
        rows_on_the_way += rows;
        bytes_on_the_way += bytes;
        lock.unlock();
        Result<Batch> batch = batch_of(std::move(parts), rows);
        lock.lock();
        rows_on_the_way -= rows;
        bytes_on_the_way -= bytes;
        if (batch) {
            closed.push_back(std::move(batch).value());
        } else {  // no memory
            counts.rows_dropped += rows;
        }
        while (closed.size() > 1 && bytes_waiting() > options.buffer_bytes) {
            counts.rows_dropped += closed.front().rows;
            closed.pop_front();
        }
        closed_one.notify_all();
    }

    /// The oldest batch, which stays counted as waiting.
    std::optional<Batch> take_oldest() {
        const std::lock_guard lock{mutex};
        if (closed.empty()) return std::nullopt;
        Batch batch = std::move(closed.front());
        closed.pop_front();
        rows_on_the_way += batch.rows;
        bytes_on_the_way += batch.bytes.size();
        return batch;
    }

    void note(Batch batch, const Result<std::string>& answer) {
        const std::lock_guard lock{mutex};
        rows_on_the_way -= batch.rows;
        bytes_on_the_way -= batch.bytes.size();
        if (answer) {
            counts.rows_written += batch.rows;
            counts.bytes_sent += batch.bytes.size();
            ++counts.batches_written;
            return;
        }
        ++counts.failures;
        if (answer.error().code == ErrorCode::kInvalid) {
            counts.rows_rejected += batch.rows;
        } else {
            closed.push_front(std::move(batch));
        }
    }

    Query insert_of(const Batch& batch, std::stop_token stop) const {
        Query query;
        query.text = fmt::format("INSERT INTO {}.raw ({}) FORMAT Native", client.database(), batch.columns);
        query.settings = {
            {"insert_deduplication_token", batch.token},
            {"deduplicate_blocks_in_dependent_materialized_views", "1"},
            {"insert_deduplicate", "1"},
            {"async_insert", "0"},                   // the answer means that the rows are stored
            {"distributed_foreground_insert", "1"},  // on every shard
            {"max_insert_block_size", "1048576"},    // a batch is one block, whatever the profile says
            {"min_insert_block_size_bytes", "0"},
            {"min_insert_block_size_rows", "1048576"},
            {"optimize_on_insert", "0"},  // the views have summed: nothing is left to collapse
        };
        query.data = batch.bytes;
        query.data_encoding = "zstd";
        query.total = options.total;
        query.stop = std::move(stop);
        return query;
    }
};

RecordWriter::RecordWriter(Client& client, Options options)
    : state_(std::make_unique<State>(client, options)) {}
RecordWriter::~RecordWriter() = default;

void RecordWriter::add(EncodedRecords records, SteadyTime now) {
    State& state = *state_;
    if (records.rows == 0) return;
    const auto is_full = [&state](std::size_t more) {
        const std::lock_guard lock{state.mutex};
        return state.open_rows > 0 && (state.open_rows + more > state.options.batch_rows ||
                                       state.open_bytes >= state.options.batch_bytes);
    };
    if (is_full(records.rows)) state.close();
    {
        const std::lock_guard lock{state.mutex};
        if (state.open_rows == 0) state.opened = now;
        state.counts.rows_added += records.rows;
        state.open_rows += records.rows;
        state.open_bytes += records.bytes.size();
        state.open.push_back(std::move(records));
    }
    if (is_full(1)) state.close();
}

SteadyTime RecordWriter::due() const {
    const std::lock_guard lock{state_->mutex};
    if (!state_->closed.empty()) return SteadyTime::min();
    if (state_->open_rows == 0) return SteadyTime::max();
    return state_->opened + state_->options.batch_age;
}

void RecordWriter::close_batch() {
    state_->close();
}

void RecordWriter::close_old_batch(SteadyTime now) {
    {
        const std::lock_guard lock{state_->mutex};
        if (!state_->is_wanted(now)) return;
    }
    state_->close();
}

void RecordWriter::wait(std::chrono::milliseconds longest, const std::stop_token& stop) {
    std::unique_lock lock{state_->mutex};
    state_->closed_one.wait_for(lock, stop, longest, [this] { return !state_->closed.empty(); });
}

Status RecordWriter::write(SteadyTime now, std::stop_token stop) {
    State& state = *state_;
    close_old_batch(now);
    std::optional<Batch> batch = state.take_oldest();
    if (!batch) return Done{};
    const Result<std::string> answer = state.client.run(state.insert_of(*batch, std::move(stop)));
    state.note(*std::move(batch), answer);
    if (!answer) return answer.error();
    return Done{};
}

RecordWriterCounts RecordWriter::counts() const {
    const std::lock_guard lock{state_->mutex};
    RecordWriterCounts counts = state_->counts;
    counts.bytes_waiting = state_->bytes_waiting();
    counts.rows_waiting = state_->open_rows + state_->rows_on_the_way;
    for (const Batch& batch : state_->closed) counts.rows_waiting += batch.rows;
    return counts;
}

}  // namespace cam::clickhouse
