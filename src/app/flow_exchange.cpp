#include "app/flow_exchange.h"

#include <iterator>
#include <utility>

namespace cam::app {

void FlowExchange::publish(FlowPlan plan) {
    const std::lock_guard lock(mutex_);
    std::swap(plan_, plan);  // what it replaces is freed after the lock
}

FlowPlan FlowExchange::plan() const {
    const std::lock_guard lock(mutex_);
    return plan_;
}

void FlowExchange::hand_over(WorkerMinute minute) {
    {
        const std::lock_guard lock(mutex_);
        minutes_.push_back(std::move(minute));
    }
    come_.notify_all();
}

void FlowExchange::hand_over(std::vector<decode::Decoder::SavedState> states) {
    const std::lock_guard lock(mutex_);
    states_.insert(states_.end(), std::make_move_iterator(states.begin()),
                   std::make_move_iterator(states.end()));
}

void FlowExchange::show(std::size_t worker, std::vector<decode::ExporterReport> exporters) {
    const std::lock_guard lock(mutex_);
    if (exporters_.size() <= worker) exporters_.resize(worker + 1);
    std::swap(exporters_[worker], exporters);
}

std::vector<WorkerMinute> FlowExchange::take_minutes() {
    const std::lock_guard lock(mutex_);
    return std::exchange(minutes_, {});
}

std::vector<decode::Decoder::SavedState> FlowExchange::take_states() {
    const std::lock_guard lock(mutex_);
    return std::exchange(states_, {});
}

std::vector<decode::ExporterReport> FlowExchange::exporters() const {
    const std::lock_guard lock(mutex_);
    std::vector<decode::ExporterReport> all;
    for (const auto& of_worker : exporters_) all.insert(all.end(), of_worker.begin(), of_worker.end());
    return all;
}

void FlowExchange::wait(std::chrono::milliseconds longest, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    come_.wait_for(lock, stop, longest, [&] { return !minutes_.empty(); });
}

}  // namespace cam::app
