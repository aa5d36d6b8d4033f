#include "app/flow_worker.h"

#include <algorithm>
#include <utility>

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds kReportEvery{5};
constexpr std::size_t kStatesAtOnce = 64;
/// Records do not wait longer for more of their kind while nothing comes.
constexpr milliseconds kOutletWait{200};
/// A clock that is turned back by more than this is believed; by less, the open minute just lasts longer.
constexpr minutes kBackwards{2};
/// A minute that was closed so late, or in which both clocks differ by so much, is not a minute's traffic:
/// the machine's time was set, or this thread hung.
constexpr seconds kUnsteady{5};

}  // namespace

FlowWorker::FlowWorker(Parts parts)
    : parts_(std::move(parts)),
      plan_(parts_.exchange.plan()),
      counter_({}, plan_.counting),
      counting_(counter_, parts_.outlet.get()),
      decoder_({}, counting_),
      minute_(minute_of(parts_.clock.wall())),
      from_(parts_.clock.wall()),
      opened_(parts_.clock.steady()) {
    decoder_.pin(plan_.routers);
}

void FlowWorker::restore(const std::vector<decode::Decoder::SavedState>& states) {
    const SteadyTime now = parts_.clock.steady();
    for (const auto& state : states) decoder_.restore(state, now);
}

Status FlowWorker::run(const std::stop_token& stop) {
    const std::stop_callback wake_up(stop, [this] { wake(); });
    Status status{Done{}};
    while (!stop.stop_requested() && status) {
        parts_.heartbeat.beat();
        const WallTime now = parts_.clock.wall();
        const milliseconds longest = parts_.outlet ? kOutletWait : milliseconds{1'000};
        status = step(std::clamp<milliseconds>(minute_ + minutes{1} - now, milliseconds{1}, longest));
    }
    close(std::min<WallTime>(parts_.clock.wall(), minute_ + minutes{1}));
    if (parts_.outlet) parts_.outlet->flush();
    parts_.exchange.hand_over(decoder_.take_changed(SIZE_MAX));
    note_kernel_drops();
    parts_.heartbeat.rest();
    return status;
}

Status FlowWorker::step(milliseconds longest) {
    follow_clock(parts_.clock.wall());
    const auto received =
        parts_.receiver->receive(longest, [this](std::span<const net::Datagram> batch) { take(batch); });
    if (!received) return received.error();
    follow_clock(parts_.clock.wall());
    if (parts_.outlet) parts_.outlet->tick(parts_.clock.steady());
    report(parts_.clock.steady());
    return Done{};
}

void FlowWorker::take(std::span<const net::Datagram> batch) {
    const WallTime now = parts_.clock.wall();
    const SteadyTime steady = parts_.clock.steady();
    follow_clock(now);
    counting_.received_at(now);
    for (const net::Datagram& datagram : batch) {
        const auto found = decoder_.decode(ExporterKey{datagram.source}, datagram.payload, now, steady);
        parts_.metrics.note(found, datagram.payload.size());
    }
}

void FlowWorker::follow_clock(WallTime now) {
    const MinuteTime minute = minute_of(now);
    if (minute == minute_) return;
    if (minute < minute_ && minute_ - now < kBackwards) return;
    const SteadyTime steady = parts_.clock.steady();
    const milliseconds set_by = (now - from_) - (steady - opened_);
    const bool is_next = minute == minute_ + minutes{1} && now - minute <= kUnsteady;
    // Otherwise nobody knows how much of the minutes in between was received, and when.
    close(is_next && std::chrono::abs(set_by) <= kUnsteady ? WallTime{minute} : from_);
    minute_ = minute;
    from_ = is_next ? WallTime{minute} : now;
    opened_ = steady - (now - from_);
}

void FlowWorker::close(WallTime until) {
    FlowPlan next = parts_.exchange.plan();
    WorkerMinute closed{.worker = parts_.number,
                        .counted = counter_.close(minute_, next.counting),
                        .from = from_,
                        .to = until,
                        .generation = plan_.generation};
    if (next.generation != plan_.generation) decoder_.pin(next.routers);
    plan_ = std::move(next);
    if (parts_.outlet) return;
    parts_.metrics.note_unwatched(closed.counted.records_without_prefix);
    parts_.exchange.hand_over(std::move(closed));
}

void FlowWorker::note_kernel_drops() {
    const std::uint64_t drops = parts_.receiver->kernel_drops();
    parts_.metrics.note_kernel_drops(drops - std::exchange(kernel_drops_, drops));
}

void FlowWorker::report(SteadyTime now) {
    if (now - reported_ < kReportEvery) return;
    reported_ = now;
    note_kernel_drops();
    parts_.exchange.show(parts_.number, decoder_.exporters());
    auto states = decoder_.take_changed(kStatesAtOnce);
    if (!states.empty()) parts_.exchange.hand_over(std::move(states));
}

}  // namespace cam::app
