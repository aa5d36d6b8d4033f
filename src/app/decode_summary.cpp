#include "app/decode_summary.h"

#include <limits>

#include <nlohmann/json.hpp>

namespace cam::app {
namespace {

using nlohmann::ordered_json;

void add_saturating(std::uint64_t& sum, std::uint64_t more) {
    if (__builtin_add_overflow(sum, more, &sum)) sum = std::numeric_limits<std::uint64_t>::max();
}

const char* name(decode::SamplingScope scope) {
    switch (scope) {
        case decode::SamplingScope::kDomain:
            return "domain";
        case decode::SamplingScope::kSampler:
            return "sampler";
        case decode::SamplingScope::kInterface:
            return "interface";
        case decode::SamplingScope::kSource:
            return "source";
    }
    return "domain";
}

/// Only the reasons that occurred.
ordered_json drops(const std::array<std::uint64_t, decode::kDropReasonCount>& dropped) {
    ordered_json out = ordered_json::object();
    for (std::size_t i = 0; i < dropped.size(); ++i) {
        if (dropped[i] > 0) out[decode::name(static_cast<decode::DropReason>(i))] = dropped[i];
    }
    return out;
}

ordered_json exporter_json(const decode::ExporterReport& report) {
    ordered_json sampling = ordered_json::array();
    for (const auto& one : report.sampling) {
        sampling.push_back({{"version", cam::name(one.protocol)},
                            {"domain", one.domain},
                            {"scope", name(one.scope)},
                            {"id", one.sampler},
                            {"rate", one.rate.n()},
                            {"source", cam::name(one.source)}});
    }
    return {{"exporter", report.exporter.text()},
            {"datagrams", report.datagrams},
            {"flow_records", report.flow_records},
            {"templates", report.templates},
            {"options_templates", report.options_templates},
            {"lost_datagrams", report.lost_datagrams},
            {"lost_records", report.lost_records},
            {"dropped", drops(report.dropped)},
            {"sampling", std::move(sampling)}};
}

}  // namespace

void DecodeSummary::add(const decode::DecodeReport& report) {
    if (report.protocol) ++by_version_[static_cast<std::size_t>(*report.protocol)];
    add_saturating(total_.bytes, report.bytes);
    add_saturating(total_.packets, report.packets);
    total_.flow_records += report.flow_records;
    total_.templates += report.templates;
    total_.options_templates += report.options_templates;
    total_.options_records += report.options_records;
    total_.counter_samples += report.counter_samples;
    total_.discarded_packets += report.discarded_packets;
    total_.sets_without_template += report.sets_without_template;
    total_.sets_held += report.sets_held;
    total_.records_from_held += report.records_from_held;
    for (std::size_t i = 0; i < total_.dropped.size(); ++i) total_.dropped[i] += report.dropped[i];
}

void DecodeSummary::add(std::span<const FlowRecord> records) {
    for (const FlowRecord& record : records) {
        add_saturating(estimated_bytes_, record.sampling.estimate(record.bytes));
        add_saturating(estimated_packets_, record.sampling.estimate(record.packets));
    }
}

std::string DecodeSummary::json(const DatagramFinder& finder, const decode::Decoder& decoder) const {
    ordered_json by_version = ordered_json::object();
    for (std::size_t i = 0; i < by_version_.size(); ++i) {
        if (by_version_[i] > 0) by_version[cam::name(static_cast<ExportProtocol>(i))] = by_version_[i];
    }
    std::size_t templates = 0;
    std::size_t options_templates = 0;
    std::uint64_t lost_datagrams = 0;
    std::uint64_t lost_records = 0;
    ordered_json exporters = ordered_json::array();
    for (const decode::ExporterReport& report : decoder.exporters()) {
        templates += report.templates;
        options_templates += report.options_templates;
        lost_datagrams += report.lost_datagrams;
        lost_records += report.lost_records;
        exporters.push_back(exporter_json(report));
    }
    const auto dropped = [this](decode::DropReason reason) {
        return total_.dropped[static_cast<std::size_t>(reason)];
    };
    const DatagramFinder::Counts& found = finder.counts();
    const ordered_json out{
        {"datagrams", found.datagrams},
        {"by_version", std::move(by_version)},
        {"flow_records", total_.flow_records},
        {"flow_records_in_order", total_.flow_records - total_.records_from_held},
        {"flow_records_deferred", total_.records_from_held},
        {"bytes", total_.bytes},
        {"packets", total_.packets},
        {"estimated_bytes", estimated_bytes_},
        {"estimated_packets", estimated_packets_},
        {"templates", templates},
        {"options_templates", options_templates},
        {"template_records", total_.templates},
        {"options_template_records", total_.options_templates},
        {"options_records", total_.options_records},
        {"counter_samples", total_.counter_samples},
        {"discarded_packets", total_.discarded_packets},
        {"sets_without_template", total_.sets_without_template},
        {"sets_held", total_.sets_held},
        {"malformed", dropped(decode::DropReason::kMalformed)},
        {"dropped", drops(total_.dropped)},
        {"lost_datagrams", lost_datagrams},
        {"lost_records", lost_records},
        {"frames", found.frames},
        {"fragments", found.fragments},
        {"fragments_unfinished", finder.unfinished()},
        {"cut_datagrams", found.cut},
        {"exporters", std::move(exporters)},
    };
    return out.dump() + "\n";
}

}  // namespace cam::app
