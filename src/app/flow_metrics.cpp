#include "app/flow_metrics.h"

#include <string>

namespace cam::app {

FlowMetrics::FlowMetrics(MetricRegistry& registry)
    : kernel_drops_(
          &registry.counter("cam_flow_kernel_drops_total",
                            "Datagrams that the kernel dropped because a socket's buffer was full")),
      lost_datagrams_(&registry.counter(
          "cam_flow_lost_datagrams_total",
          "Datagrams missing from the sequence of exporters that count datagrams (NetFlow v9, sFlow)")),
      lost_records_(&registry.counter(
          "cam_flow_lost_records_total",
          "Flow records missing from the sequence of exporters that count records (NetFlow v5, IPFIX)")),
      late_datagrams_(&registry.counter("cam_flow_late_datagrams_total",
                                        "Datagrams counted as lost that came late after all")),
      late_records_(&registry.counter("cam_flow_late_records_total",
                                      "Flow records counted as lost that came late after all")),
      options_records_(&registry.counter("cam_flow_options_records_total", "Options data records decoded")),
      counter_samples_(&registry.counter("cam_flow_interface_samples_total",
                                         "sFlow counter samples seen (of interfaces; not used)")),
      sets_held_(&registry.counter("cam_flow_sets_held_total", "Data sets held back for their template")),
      unwatched_records_(&registry.counter("cam_flow_unwatched_records_total",
                                           "Flow records whose destination is in no rule's prefix")) {
    for (std::size_t i = 0; i < kExportProtocolCount; ++i) {
        const MetricRegistry::Labels labels{{"protocol", name(static_cast<ExportProtocol>(i))}};
        protocols_[i] = {
            &registry.counter("cam_flow_datagrams_total", "Datagrams received and recognised", labels),
            &registry.counter("cam_flow_bytes_total", "Bytes of the datagrams received", labels),
            &registry.counter("cam_flow_records_total", "Flow records decoded", labels)};
    }
    for (std::size_t i = 0; i < decode::kDropReasonCount; ++i) {
        dropped_[i] = &registry.counter("cam_flow_dropped_total",
                                        "Datagrams, sets, templates and records not decoded, by reason",
                                        {{"reason", name(static_cast<decode::DropReason>(i))}});
    }
}

void FlowMetrics::note(const decode::DecodeReport& report, std::size_t datagram_bytes) {
    if (report.protocol) {
        const ByProtocol& protocol = protocols_[static_cast<std::size_t>(*report.protocol)];
        protocol.datagrams->add();
        protocol.bytes->add(datagram_bytes);
        if (report.flow_records > 0) protocol.records->add(report.flow_records);
    }
    const auto add = [](Counter* counter, std::uint64_t more) {
        if (more > 0) counter->add(more);
    };
    for (std::size_t i = 0; i < dropped_.size(); ++i) add(dropped_[i], report.dropped[i]);
    add(lost_datagrams_, report.lost_datagrams);
    add(lost_records_, report.lost_records);
    add(late_datagrams_, report.late_datagrams);
    add(late_records_, report.late_records);
    add(options_records_, report.options_records);
    add(counter_samples_, report.counter_samples);
    add(sets_held_, report.sets_held);
}

ExporterMetrics::ExporterMetrics(MetricRegistry& registry)
    : exporters_(&registry.gauge("cam_flow_exporters", "Exporters that are known")),
      templates_(&registry.gauge("cam_flow_templates", "Templates of all exporters")) {
    for (std::size_t i = 0; i < by_sampling_.size(); ++i) {
        by_sampling_[i] = &registry.gauge("cam_flow_sampling_exporters",
                                          "Exporters by where a sampling rate in use comes from",
                                          {{"source", name(static_cast<SamplingSource>(i))}});
    }
}

void ExporterMetrics::show(const std::vector<decode::ExporterReport>& exporters) {
    std::size_t templates = 0;
    std::array<std::size_t, kSamplingSourceCount> by_sampling{};
    for (const decode::ExporterReport& one : exporters) {
        templates += one.templates + one.options_templates;
        std::array<bool, kSamplingSourceCount> uses{};
        for (const auto& sampling : one.sampling) uses[static_cast<std::size_t>(sampling.source)] = true;
        for (std::size_t i = 0; i < uses.size(); ++i) by_sampling[i] += uses[i] ? 1 : 0;
    }
    exporters_->set(static_cast<double>(exporters.size()));
    templates_->set(static_cast<double>(templates));
    for (std::size_t i = 0; i < by_sampling.size(); ++i) {
        by_sampling_[i]->set(static_cast<double>(by_sampling[i]));
    }
}

}  // namespace cam::app
