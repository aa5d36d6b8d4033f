#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <vector>

#include "app/flow_exchange.h"
#include "app/flow_metrics.h"
#include "app/heartbeat.h"
#include "app/record_outlet.h"
#include "cam/aggregate/minute_counter.h"
#include "cam/base/clock.h"
#include "cam/decode/decoder.h"
#include "cam/net/udp_receiver.h"

namespace cam::app {

/// Receives, decodes and counts on one thread, with nothing shared but the exchange: the kernel keeps an
/// exporter on one worker, so its templates and sampling rates live here alone. With an outlet it counts
/// nothing: the records are counted where they go to. Owned by its thread.
class FlowWorker {
public:
    struct Parts {
        std::size_t number;
        std::unique_ptr<net::UdpReceiver> receiver;
        FlowExchange& exchange;
        Clock& clock;
        FlowMetrics metrics;
        Heartbeat& heartbeat;
        /// Where the records go instead of being counted here; none: they are counted.
        std::unique_ptr<RecordOutlet> outlet = nullptr;
    };
    explicit FlowWorker(Parts parts);

    /// Templates and sampling of earlier processes; before `run`.
    void restore(const std::vector<decode::Decoder::SavedState>& states);
    /// Until stopped; then hands over the minute that is open, and what the decoder has learned.
    Status run(const std::stop_token& stop);
    /// Ends a wait. Safe from any thread.
    void wake() { parts_.receiver->wake(); }

    /// One round of the loop: opens and closes minutes as the clock says and takes the datagrams that wait,
    /// for at most `longest`.
    Status step(std::chrono::milliseconds longest);

private:
    /// From the decoder to the counter, or to the outlet.
    class Counting final : public decode::FlowSink {
    public:
        Counting(aggregate::MinuteCounter& counter, RecordOutlet* outlet)
            : counter_(counter), outlet_(outlet) {}
        void take(const ExporterKey& exporter, std::span<const FlowRecord> records) override {
            if (outlet_ == nullptr) return counter_.count(exporter, records);
            outlet_->take(exporter, received_, records);
        }
        void received_at(WallTime time) { received_ = time; }

    private:
        aggregate::MinuteCounter& counter_;
        RecordOutlet* outlet_;
        WallTime received_;
    };

    void take(std::span<const net::Datagram> batch);
    void follow_clock(WallTime now);
    void close(WallTime until);
    void note_kernel_drops();
    void report(SteadyTime now);

    Parts parts_;
    FlowPlan plan_;
    aggregate::MinuteCounter counter_;
    Counting counting_;
    decode::Decoder decoder_;
    MinuteTime minute_;  ///< the open one
    WallTime from_;
    SteadyTime opened_;  ///< when it was `from_`
    std::uint64_t kernel_drops_ = 0;
    SteadyTime reported_{};
};

}  // namespace cam::app
