#include "cam/clickhouse/record_writer.h"

#include <deque>
#include <random>

#include <spdlog/fmt/fmt.h>

#include "cam/net/compression.h"

namespace cam::clickhouse {
namespace {

struct Batch {
    std::string bytes;  // compressed
    std::size_t rows = 0;
    std::string token;
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
    std::string process = random_name();
    std::uint64_t next_number = 0;
    EncodedRecords open{};
    SteadyTime opened{};
    std::deque<Batch> closed{};
    RecordWriterCounts counts{};

    [[nodiscard]] std::size_t bytes_waiting() const {
        std::size_t sum = open.bytes.size();
        for (const Batch& batch : closed) sum += batch.bytes.size();
        return sum;
    }

    void close() {
        if (open.rows == 0) return;
        Result<std::string> compressed = net::compress_zstd(open.bytes);
        if (compressed) {
            closed.push_back(
                {std::move(compressed).value(), open.rows, fmt::format("{}-{}", process, next_number++)});
        } else {  // no memory
            counts.rows_dropped += open.rows;
        }
        open.bytes.clear();  // keeps its memory for the next batch
        open.rows = 0;
        while (closed.size() > 1 && bytes_waiting() > options.buffer_bytes) {
            counts.rows_dropped += closed.front().rows;
            closed.pop_front();
        }
    }

    Query insert_of(const Batch& batch, std::stop_token stop) const {
        Query query;
        query.text =
            fmt::format("INSERT INTO {}.raw ({}) FORMAT Native", client.database(), record_columns());
        query.settings = {
            {"insert_deduplication_token", batch.token},
            {"deduplicate_blocks_in_dependent_materialized_views", "1"},
            {"insert_deduplicate", "1"},
            {"async_insert", "0"},                   // the answer means that the rows are stored
            {"distributed_foreground_insert", "1"},  // on every shard
            {"max_insert_block_size", "1048576"},    // a batch is one block, whatever the profile says
            {"min_insert_block_size_bytes", "0"},
            {"min_insert_block_size_rows", "1048576"},
        };
        query.data = batch.bytes;
        query.data_encoding = "zstd";
        query.total = options.total;
        query.stop = std::move(stop);
        return query;
    }
};

RecordWriter::RecordWriter(Client& client, Options options)
    : state_(std::make_unique<State>(State{client, options})) {}
RecordWriter::~RecordWriter() = default;

void RecordWriter::add(EncodedRecords records, SteadyTime now) {
    State& state = *state_;
    if (records.rows == 0) return;
    state.counts.rows_added += records.rows;
    if (state.open.rows + records.rows > state.options.batch_rows) state.close();
    if (state.open.rows == 0) {
        state.opened = now;
        state.open.bytes.swap(records.bytes);
        state.open.rows = records.rows;
    } else {
        state.open.bytes += records.bytes;
        state.open.rows += records.rows;
    }
    if (state.open.rows >= state.options.batch_rows || state.open.bytes.size() >= state.options.batch_bytes) {
        state.close();
    }
}

SteadyTime RecordWriter::due() const {
    if (!state_->closed.empty()) return SteadyTime::min();
    if (state_->open.rows == 0) return SteadyTime::max();
    return state_->opened + state_->options.batch_age;
}

void RecordWriter::close_batch() {
    state_->close();
}

Status RecordWriter::write(SteadyTime now, std::stop_token stop) {
    State& state = *state_;
    if (state.closed.empty() && state.open.rows > 0 && now >= due()) state.close();
    if (state.closed.empty()) return Done{};
    const Batch& batch = state.closed.front();
    const Result<std::string> answer = state.client.run(state.insert_of(batch, std::move(stop)));
    if (!answer) {
        ++state.counts.failures;
        if (answer.error().code == ErrorCode::kInvalid) {
            state.counts.rows_rejected += batch.rows;
            state.closed.pop_front();
        }
        return answer.error();
    }
    state.counts.rows_written += batch.rows;
    state.counts.bytes_sent += batch.bytes.size();
    ++state.counts.batches_written;
    state.closed.pop_front();
    return Done{};
}

RecordWriterCounts RecordWriter::counts() const {
    RecordWriterCounts counts = state_->counts;
    counts.bytes_waiting = state_->bytes_waiting();
    counts.rows_waiting = state_->open.rows;
    for (const Batch& batch : state_->closed) counts.rows_waiting += batch.rows;
    return counts;
}

}  // namespace cam::clickhouse
