#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "cam/model/exporter.h"

namespace cam::app {

/// The minute that a time lies in.
[[nodiscard]] inline MinuteTime minute_of(WallTime time) {
    return std::chrono::floor<std::chrono::minutes>(time);
}

/// What is counted, and of which state of rules and routers it was made.
struct FlowPlan {
    std::shared_ptr<const aggregate::CountingPlan> counting;  // shared by the workers until their minute ends
    std::int64_t generation = 0;
    std::vector<ExporterKey> routers;
};

/// What one worker counted in one minute.
struct WorkerMinute {
    std::size_t worker = 0;
    aggregate::CountedMinute counted;
    WallTime from;  ///< the part of the minute in which the worker received
    WallTime to;
    std::int64_t generation = 0;  ///< of the plan it counted by
};

/// Where the flow workers and the judge of minutes meet: plans one way, minutes and decoder state the other.
/// Safe from any thread.
class FlowExchange {
public:
    explicit FlowExchange(FlowPlan plan) : plan_(std::move(plan)) {}

    /// Workers take it when they open their next minute.
    void publish(FlowPlan plan);
    [[nodiscard]] FlowPlan plan() const;

    void hand_over(WorkerMinute minute);
    void hand_over(std::vector<decode::Decoder::SavedState> states);
    /// What the workers see of each exporter now.
    void show(std::size_t worker, std::vector<decode::ExporterReport> exporters);

    /// Everything handed over since the last call, oldest first.
    std::vector<WorkerMinute> take_minutes();
    std::vector<decode::Decoder::SavedState> take_states();
    [[nodiscard]] std::vector<decode::ExporterReport> exporters() const;
    /// Until a minute is handed over, a stop, or `longest` has passed.
    void wait(std::chrono::milliseconds longest, const std::stop_token& stop);

private:
    mutable std::mutex mutex_;
    std::condition_variable_any come_;
    FlowPlan plan_;
    std::vector<WorkerMinute> minutes_;
    std::vector<decode::Decoder::SavedState> states_;
    std::vector<std::vector<decode::ExporterReport>> exporters_;  ///< by worker
};

}  // namespace cam::app
