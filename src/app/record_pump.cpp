#include "app/record_pump.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRound{200};
/// After so long without a loss it is over.
constexpr std::chrono::minutes kCalm{5};
constexpr int kMostTakenAtOnce = 256;  // batches of a mebibyte, between two writes
constexpr const char* kRowsHelp =
    "Flow records of the own collector on their way to ClickHouse, by what became of them";

}  // namespace

RecordPump::RecordPump(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(options),
      backoff_({.first = milliseconds{500}, .most = seconds{15}}),
      rows_written_(parts_.metrics.counter("cam_clickhouse_rows_total", kRowsHelp, {{"result", "written"}})),
      rows_dropped_(parts_.metrics.counter("cam_clickhouse_rows_total", kRowsHelp, {{"result", "dropped"}})),
      rows_rejected_(
          parts_.metrics.counter("cam_clickhouse_rows_total", kRowsHelp, {{"result", "rejected"}})),
      batches_(parts_.metrics.counter("cam_clickhouse_batches_total",
                                      "Batches of flow records that ClickHouse has acknowledged")),
      sent_bytes_(parts_.metrics.counter("cam_clickhouse_sent_bytes_total",
                                         "Compressed bytes of the batches that ClickHouse has acknowledged")),
      failures_(parts_.metrics.counter("cam_clickhouse_failures_total",
                                       "Calls to ClickHouse that failed, by what they were for",
                                       {{"part", "writer"}})),
      rows_waiting_(parts_.metrics.gauge("cam_clickhouse_waiting_rows",
                                         "Flow records that wait for ClickHouse in the writer's buffer")),
      bytes_waiting_(parts_.metrics.gauge("cam_clickhouse_waiting_bytes",
                                          "Room that waiting flow records take, compressed and not yet")) {}

void RecordPump::run(const std::stop_token& stop) {
    std::exception_ptr failure;  // written before `broken`
    std::atomic<bool> broken = false;
    {
        const std::jthread batches([&](const std::stop_token& end) {
            ::pthread_setname_np(::pthread_self(), "cam-batches");
            try {
                while (!end.stop_requested()) {
                    parts_.batches_beat();
                    take_over(kRound, end);
                }
            } catch (...) {
                failure = std::current_exception();
                broken = true;
            }
        });
        while (!stop.stop_requested() && !broken) {
            parts_.beat();
            pause(stop);
            send(stop);
        }
    }
    if (failure) std::rethrow_exception(failure);
}

void RecordPump::step(milliseconds longest, const std::stop_token& stop) {
    take_over(longest, stop);
    send(stop);
}

/// A round at most: until a batch is ready, or until the next attempt if the last one failed.
void RecordPump::pause(const std::stop_token& stop) {
    const SteadyTime now = parts_.clock.steady();
    if (now < retry_at_) {
        parts_.clock.sleep_until(std::min<SteadyTime>(retry_at_, now + kRound), stop);
    } else {
        parts_.writer.wait(kRound, stop);
    }
}

void RecordPump::send(const std::stop_token& stop) {
    if (parts_.clock.steady() >= retry_at_) write(stop);
    note_counts();
    tell_losses();
    note_calm();
}

void RecordPump::take_over(milliseconds longest, const std::stop_token& stop) {
    for (int count = 0; count < kMostTakenAtOnce; ++count) {
        auto batch = parts_.queue.take(count == 0 ? longest : milliseconds{0}, stop);
        if (!batch) break;
        parts_.writer.add(std::move(*batch), parts_.clock.steady());
        if (parts_.writer.due() <= parts_.clock.steady()) break;
    }
    parts_.writer.close_old_batch(parts_.clock.steady());
}

/// True if there may be more to write at once.
bool RecordPump::write(const std::stop_token& stop) {
    const SteadyTime now = parts_.clock.steady();
    if (parts_.writer.due() > now) return false;
    const std::uint64_t before = parts_.writer.counts().batches_written;
    const Status written = parts_.writer.write(now, stop);
    if (written) {
        // `cam-batches` may have taken what was due: then nothing was sent, which is no success.
        if (parts_.writer.counts().batches_written == before) return false;
        note_success();
        return true;
    }
    if (written.error().code != ErrorCode::kCancelled) note_failure(written.error());
    return false;
}

void RecordPump::note_success() {
    failing_since_.reset();
    retry_at_ = {};
    backoff_.reset();
    has_written_ = true;
}

/// All is well once something was written, and nothing was lost for a while.
void RecordPump::note_calm() {
    if (!has_written_ || failing_since_) return;
    if (lost_at_ && parts_.clock.steady() - *lost_at_ < kCalm) return;  // it may go on
    lost_at_.reset();
    parts_.conditions.clear(Condition::kClickHouseWriter, "Flow records are written to ClickHouse again",
                            &parts_.remembered);
}

void RecordPump::note_failure(const Error& why) {
    const SteadyTime now = parts_.clock.steady();
    retry_at_ = now + backoff_.next();
    if (!failing_since_) {
        failing_since_ = now;
        parts_.log->warn("flow records cannot be written, tried again reason={}", quote(why.detail));
    }
    if (now - *failing_since_ < options_.patience || lost_at_) return;  // a loss is told already
    parts_.conditions.raise(
        Condition::kClickHouseWriter,
        {.state = "unwritable",
         .headline = "Flow records cannot be written to ClickHouse",
         .details = {why.detail, "They wait in memory, as many as there is room for; the oldest go first."},
         .tell = Tell::kLogAndSoc},
        &parts_.remembered);
    parts_.queued();
}

void RecordPump::note_counts() {
    const clickhouse::RecordWriterCounts now = parts_.writer.counts();
    const std::uint64_t queue_drops = parts_.queue.rows_dropped();
    rows_written_.add(now.rows_written - noted_.rows_written);
    rows_dropped_.add(now.rows_dropped - noted_.rows_dropped + (queue_drops - noted_queue_drops_));
    rows_rejected_.add(now.rows_rejected - noted_.rows_rejected);
    batches_.add(now.batches_written - noted_.batches_written);
    sent_bytes_.add(now.bytes_sent - noted_.bytes_sent);
    failures_.add(now.failures - noted_.failures);
    rows_waiting_.set(static_cast<double>(now.rows_waiting));
    bytes_waiting_.set(static_cast<double>(now.bytes_waiting + parts_.queue.bytes()));
    noted_ = now;
    noted_queue_drops_ = queue_drops;
}

/// Once for as long as it goes on.
void RecordPump::tell_losses() {
    const std::uint64_t lost = noted_.rows_dropped + noted_.rows_rejected + noted_queue_drops_;
    if (lost == lost_) return;
    if (!lost_at_) {
        parts_.log->error("flow records lost on the way to ClickHouse dropped={} rejected={}",
                          noted_.rows_dropped + noted_queue_drops_, noted_.rows_rejected);
    }
    lost_ = lost;
    lost_at_ = parts_.clock.steady();
    parts_.conditions.raise(
        Condition::kClickHouseWriter,
        {.state = "losing",
         .headline = "Flow records are lost on the way to ClickHouse",
         .details = {fmt::format("{} so far; cam_clickhouse_rows_total counts them", lost),
                     "Traffic is more than what is judged until this ends."},
         .tell = Tell::kLogAndSoc},
        &parts_.remembered);
    parts_.queued();
}

void RecordPump::finish() {
    const SteadyTime deadline = parts_.clock.steady() + options_.farewell;
    std::stop_source cut;
    const auto left = [&] { return deadline - parts_.clock.steady(); };
    while (auto batch = parts_.queue.take(milliseconds{0}, {})) {
        parts_.writer.add(std::move(*batch), parts_.clock.steady());
    }
    parts_.writer.close_batch();
    {
        // A call that hangs is cut when the time is over.
        const std::jthread timer([&](const std::stop_token& done) {
            const SystemClock clock;
            if (SystemClock{}.sleep_until(clock.steady() + std::max<milliseconds>(left(), milliseconds{0}),
                                          done))
                cut.request_stop();
        });
        while (left() > milliseconds{0} && parts_.writer.counts().rows_waiting > 0) {
            if (write(cut.get_token())) continue;
            if (parts_.writer.counts().rows_waiting == 0) break;
            parts_.clock.sleep_until(
                std::min(deadline, std::max(retry_at_, parts_.clock.steady() + milliseconds{50})), {});
        }
    }
    note_counts();
    const std::uint64_t lost = parts_.writer.counts().rows_waiting;
    if (lost == 0) return;
    rows_dropped_.add(lost);
    parts_.log->error("flow records dropped, the process ends before ClickHouse takes them rows={}", lost);
}

}  // namespace cam::app
