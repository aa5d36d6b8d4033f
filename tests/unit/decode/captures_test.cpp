// Every capture of the folder that the environment variable CAM_CAPTURES names, against what independent
// decoders said of it. The folder holds captures.json, the files it names, and oracle/<capture>.json and
// .tsv.

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cam/decode/decoder.h"
#include "unit/decode/capture_folder.h"
#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;
using nlohmann::json;
namespace fs = std::filesystem;

/// What a capture gave.
struct Decoded {
    std::vector<FlowRecord> records;
    std::map<std::string, std::uint64_t> datagrams;
    std::map<std::string, std::uint64_t> options_records;
    std::map<std::string, std::uint64_t> from_held;
    DecodeReport sum;
    std::vector<ExporterReport> exporters;
};

Decoded decode_all(const std::vector<CapturedDatagram>& datagrams) {
    KeepingSink sink;
    Decoder decoder({}, sink);
    Decoded out;
    SteadyTime now{};
    for (const CapturedDatagram& datagram : datagrams) {
        now += std::chrono::milliseconds{10};
        const DecodeReport report = decoder.decode(datagram.exporter, datagram.payload, WallTime{}, now);
        if (!report.protocol) continue;
        const std::string version = name(*report.protocol);
        ++out.datagrams[version];
        out.options_records[version] += report.options_records;
        out.from_held[version] += report.records_from_held;
        out.sum.bytes += report.bytes;
        out.sum.packets += report.packets;
        out.sum.templates += report.templates;
        out.sum.options_templates += report.options_templates;
        out.sum.sets_without_template += report.sets_without_template;
        out.sum.counter_samples += report.counter_samples;
        for (std::size_t i = 0; i < kDropReasonCount; ++i) out.sum.dropped[i] += report.dropped[i];
    }
    out.records = std::move(sink.kept);
    out.exporters = decoder.exporters();
    return out;
}

std::string field(const FlowRecord& record, FlowField which, std::uint64_t value) {
    return record.has(which) ? std::to_string(value) : "-";
}

/// As a line of oracle/<capture>.records_in_order.tsv.
std::string line_of(const FlowRecord& r) {
    std::string line = name(r.export_protocol);
    line += '\t' + (r.has(FlowField::kSource) ? r.source.text() : "-");
    line += '\t' + (r.has(FlowField::kDestination) ? r.destination.text() : "-");
    line += '\t' + field(r, FlowField::kSourcePort, r.source_port);
    line += '\t' + field(r, FlowField::kDestinationPort, r.destination_port);
    line += '\t' + field(r, FlowField::kProtocol, r.protocol);
    line += '\t' + field(r, FlowField::kBytes, r.bytes);
    line += '\t' + field(r, FlowField::kPackets, r.packets);
    line += '\t' + field(r, FlowField::kInputInterface, r.input_interface);
    line += '\t' + field(r, FlowField::kOutputInterface, r.output_interface);
    line += '\t' + field(r, FlowField::kSourceAs, r.source_as);
    line += '\t' + field(r, FlowField::kDestinationAs, r.destination_as);
    line += '\t' + field(r, FlowField::kTos, r.tos);
    line += '\t' + field(r, FlowField::kTcpFlags, r.tcp_flags);
    return line;
}

std::uint64_t count_of(const std::map<std::string, std::uint64_t>& counts, const std::string& version) {
    const auto found = counts.find(version);
    return found == counts.end() ? 0 : found->second;
}

bool is_sflow(const FlowRecord& record) {
    return record.export_protocol == ExportProtocol::kSflow5;
}

std::uint64_t records_of(const Decoded& decoded, const std::string& version) {
    std::uint64_t sum = 0;
    for (const FlowRecord& record : decoded.records) sum += version == name(record.export_protocol) ? 1 : 0;
    return sum;
}

/// The agreed value of a figure; nullopt if the oracle has none.
std::optional<json> agreed(const json& oracle, const std::string& figure) {
    const json& figures = oracle.at("figures");
    if (!figures.contains(figure) || figures.at(figure).at("agreed") != true) return std::nullopt;
    return figures.at(figure).at("value");
}

void expect_figure(const json& oracle, const std::string& figure, const json& ours) {
    const auto want = agreed(oracle, figure);
    if (want) {
        EXPECT_EQ(ours, *want) << figure;
    }
}

class CapturesTest : public testing::Test {
protected:
    void SetUp() override {
        const char* const folder = std::getenv("CAM_CAPTURES");
        if (folder == nullptr || *folder == '\0') {
            GTEST_SKIP() << "CAM_CAPTURES names no folder of captures: nothing of this test was run";
        }
        folder_ = folder;
        std::ifstream file(folder_ / "captures.json");
        ASSERT_TRUE(file) << "no captures.json in " << folder_;
        const json index = json::parse(file);
        for (const auto& [key, value] : index.at("captures").items()) {
            for (const json& path : value.at("files")) {
                for (CapturedDatagram& one : read_capture(folder_ / path.get<std::string>())) {
                    captures_[key].push_back(std::move(one));
                }
            }
        }
        ASSERT_FALSE(captures_.empty());
    }
    [[nodiscard]] json oracle(const std::string& capture) const {
        std::ifstream file(folder_ / "oracle" / (capture + ".json"));
        EXPECT_TRUE(file) << "no oracle of " << capture;
        return json::parse(file);
    }
    [[nodiscard]] std::optional<std::vector<std::string>> oracle_lines(const std::string& capture) const {
        std::ifstream file(folder_ / "oracle" / (capture + ".records_in_order.tsv"));
        if (!file) return std::nullopt;
        std::vector<std::string> lines;
        std::string line;
        std::getline(file, line);  // names of the columns
        while (std::getline(file, line)) lines.push_back(line);
        return lines;
    }

    fs::path folder_;
    std::map<std::string, std::vector<CapturedDatagram>> captures_;
};

void expect_counts(const json& oracle, const Decoded& decoded) {
    for (const std::string version : {"v5", "v9", "ipfix"}) {
        const std::uint64_t held = count_of(decoded.from_held, version);
        expect_figure(oracle, "flow_records." + version + ".in_order", records_of(decoded, version) - held);
        expect_figure(oracle, "flow_records." + version + ".deferred", held);
        expect_figure(oracle, "options_records." + version + ".in_order",
                      count_of(decoded.options_records, version));
    }
    if (const auto want = agreed(oracle, "datagrams")) {
        for (const auto& [version, count] : want->items()) {
            EXPECT_EQ(count_of(decoded.datagrams, version), count.get<std::uint64_t>()) << version;
        }
    }
    expect_figure(oracle, "exporters", decoded.exporters.size());
}

void expect_templates(const json& oracle, const Decoded& decoded) {
    std::size_t data = 0;
    std::size_t options = 0;
    for (const ExporterReport& exporter : decoded.exporters) {
        data += exporter.templates;
        options += exporter.options_templates;
    }
    expect_figure(oracle, "templates.data", data);
    expect_figure(oracle, "templates.options", options);
    expect_figure(oracle, "template_records_seen.data", decoded.sum.templates);
    expect_figure(oracle, "template_records_seen.options", decoded.sum.options_templates);
    expect_figure(oracle, "sets_without_template_at_arrival", decoded.sum.sets_without_template);
}

/// Bytes and packets of flows, as their delta counters tell.
void expect_volume(const json& oracle, const Decoded& decoded) {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
    std::uint64_t other_bytes = 0;
    for (const FlowRecord& record : decoded.records) {
        if (is_sflow(record)) continue;
        if (record.has(FlowField::kBytes)) bytes += record.bytes;
        if (record.has(FlowField::kPackets)) packets += record.packets;
        if (record.has(FlowField::kOtherBytes)) other_bytes += record.bytes;
    }
    const bool has_deferred = agreed(oracle, "octets.delta.with_deferred").has_value();
    const std::string which = has_deferred ? ".with_deferred" : ".in_order";
    expect_figure(oracle, "octets.delta" + which, bytes);
    expect_figure(oracle, "packets.delta" + which, packets);
    // What counting goes by where a record has no delta counter.
    expect_figure(oracle, "octets.total.in_order", other_bytes);
    expect_figure(oracle, "octets.initiator.in_order", other_bytes);
}

/// The histogram and the ranges, of captures whose records all came in order.
void expect_contents(const json& oracle, const Decoded& decoded) {
    std::map<std::string, std::uint64_t> protocols;
    std::set<std::uint16_t> sources;
    std::set<std::uint16_t> destinations;
    for (const FlowRecord& record : decoded.records) {
        if (is_sflow(record)) continue;
        if (record.has(FlowField::kProtocol)) ++protocols[std::to_string(record.protocol)];
        if (record.has(FlowField::kSourcePort)) sources.insert(record.source_port);
        if (record.has(FlowField::kDestinationPort)) destinations.insert(record.destination_port);
    }
    // The figure counts each occurrence of an element, we the first of a record.
    if (oracle.at("notes").at("repeated_elements_by_template").empty()) {
        expect_figure(oracle, "ip_protocol_histogram.in_order", json(protocols));
    }
    const auto range = [](const std::set<std::uint16_t>& ports) {
        return ports.empty() ? json{nullptr, nullptr} : json{*ports.begin(), *ports.rbegin()};
    };
    expect_figure(oracle, "src_port_min_max.in_order", range(sources));
    expect_figure(oracle, "dst_port_min_max.in_order", range(destinations));
}

/// Each rate that options data announced, by the element it came in ("34:1000"), is in the exporter's report.
void expect_sampling(const json& oracle, const Decoded& decoded) {
    std::set<std::pair<std::uint32_t, SamplingSource>> told;
    for (const ExporterReport& exporter : decoded.exporters) {
        for (const auto& row : exporter.sampling) told.emplace(row.rate.n(), row.source);
    }
    if (const auto want = agreed(oracle, "sampling_announced")) {
        for (const auto& [announced, unused] : want->items()) {
            const bool is_rate = announced.starts_with("34:") || announced.starts_with("50:");
            const std::uint32_t rate =
                static_cast<std::uint32_t>(std::stoul(announced.substr(announced.find(':') + 1)));
            EXPECT_TRUE(!is_rate || told.contains({rate, SamplingSource::kOptions})) << announced;
        }
    }
    if (const auto want = agreed(oracle, "v5_sampling_header_raw")) {
        for (const json& raw : *want) {
            const std::uint32_t rate = raw.get<std::uint32_t>() & 0x3fffU;
            EXPECT_TRUE(rate == 0 || told.contains({rate, SamplingSource::kHeader})) << rate;
        }
    }
}

void expect_sflow(const json& oracle, const Decoded& decoded) {
    expect_figure(oracle, "sflow.flow_samples", records_of(decoded, "sflow5"));
    expect_figure(oracle, "sflow.counter_samples", decoded.sum.counter_samples);
    std::uint64_t estimated = 0;
    std::uint64_t octets = 0;
    for (const FlowRecord& record : decoded.records) {
        if (!is_sflow(record)) continue;
        estimated += record.sampling.estimate(record.packets);
        octets += record.bytes;
    }
    expect_figure(oracle, "sflow.estimated_packets", estimated);
    // Of samples with a raw header (format 1 of enterprise 0); others tell a length in another place.
    const auto formats = agreed(oracle, "sflow.flow_record_formats");
    if (formats && formats->contains("0:1")) expect_figure(oracle, "sflow.raw_header_frame_octets", octets);
}

TEST_F(CapturesTest, EveryFigureThatDecodersAgreeOnIsOurs) {
    for (const auto& [capture, datagrams] : captures_) {
        SCOPED_TRACE(capture);
        const json truth = oracle(capture);
        const Decoded decoded = decode_all(datagrams);
        expect_counts(truth, decoded);
        expect_templates(truth, decoded);
        expect_volume(truth, decoded);
        expect_sampling(truth, decoded);
        expect_sflow(truth, decoded);
        if (!agreed(truth, "octets.delta.with_deferred")) expect_contents(truth, decoded);
        EXPECT_EQ(decoded.sum.dropped, (std::array<std::uint64_t, kDropReasonCount>{}));
    }
}

TEST_F(CapturesTest, EveryRecordIsTheOneThatOthersDecode) {
    std::size_t compared = 0;
    for (const auto& [capture, datagrams] : captures_) {
        const auto want = oracle_lines(capture);
        if (!want) continue;
        SCOPED_TRACE(capture);
        const Decoded decoded = decode_all(datagrams);
        std::multiset<std::string> ours;
        std::uint64_t held = 0;
        for (const auto& [version, count] : decoded.from_held) held += count;
        for (const FlowRecord& record : decoded.records) {
            if (!is_sflow(record)) ours.insert(line_of(record));
        }
        EXPECT_EQ(ours.size(), want->size() + held);
        for (const std::string& line : *want) {
            const auto found = ours.find(line);
            EXPECT_NE(found, ours.end()) << line;
            if (found != ours.end()) ours.erase(found);
            ++compared;
        }
        EXPECT_EQ(ours.size(), held);
        if (held == 0 && !ours.empty()) ADD_FAILURE() << "not with the others: " << *ours.begin();
    }
    EXPECT_GT(compared, 1000U);
}

}  // namespace
}  // namespace cam::decode
