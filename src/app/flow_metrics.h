#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cam/base/metrics.h"
#include "cam/decode/decoder.h"
#include "cam/model/exporter.h"
#include "cam/model/sampling_rate.h"

namespace cam::app {

/// What the flow workers count, for /metrics. Copies count into the same numbers. Safe from any thread.
class FlowMetrics {
public:
    /// `registry` must outlive it.
    explicit FlowMetrics(MetricRegistry& registry);

    void note(const decode::DecodeReport& report, std::size_t datagram_bytes);
    void note_kernel_drops(std::uint64_t more) { kernel_drops_->add(more); }
    void note_unwatched(std::uint64_t records) { unwatched_records_->add(records); }

private:
    struct ByProtocol {
        Counter* datagrams;
        Counter* bytes;
        Counter* records;
    };
    std::array<ByProtocol, kExportProtocolCount> protocols_{};
    std::array<Counter*, decode::kDropReasonCount> dropped_{};
    Counter* kernel_drops_;
    Counter* lost_datagrams_;
    Counter* lost_records_;
    Counter* late_datagrams_;
    Counter* late_records_;
    Counter* options_records_;
    Counter* counter_samples_;
    Counter* sets_held_;
    Counter* unwatched_records_;
};

/// What is known of the exporters, for /metrics. One thread at a time.
class ExporterMetrics {
public:
    /// `registry` must outlive it.
    explicit ExporterMetrics(MetricRegistry& registry);
    void show(const std::vector<decode::ExporterReport>& exporters);

private:
    Gauge* exporters_;
    Gauge* templates_;
    std::array<Gauge*, kSamplingSourceCount> by_sampling_{};
};

}  // namespace cam::app
