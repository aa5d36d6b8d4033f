// What exporters from Debian sent about known traffic (tests/data/flows), read to known sums.

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "app/datagram_finder.h"
#include "cam/decode/decoder.h"

namespace cam::app {
namespace {

constexpr const char* kFolder = CAM_TEST_DATA "/flows/";

struct Known {
    const char* file;
    ExportProtocol protocol;
    std::uint64_t datagrams;
    std::uint64_t records;
    std::uint64_t packets;
    std::uint64_t bytes;
    std::uint64_t templates;
    std::uint64_t lost = 0;  ///< by the exporter's own numbering
};

constexpr std::array kKnown{
    Known{"softflowd-v5", ExportProtocol::kNetflow5, 2, 44, 2'714, 1'232'598, 0},
    Known{"softflowd-v9", ExportProtocol::kNetflow9, 3, 65, 2'995, 1'278'384, 4},
    // Its sequence number counts the message's own records, too (RFC 7011 3.1: those before it), so messages
    // of different sizes look like a loss. tshark says the same.
    Known{"softflowd-ipfix", ExportProtocol::kIpfix, 3, 65, 2'995, 1'278'384, 4, 18},
    Known{"pmacctd-v5", ExportProtocol::kNetflow5, 2, 44, 2'714, 1'232'598, 0},
    Known{"pmacctd-v9", ExportProtocol::kNetflow9, 11, 65, 2'995, 1'278'384, 4},
    Known{"pmacctd-ipfix", ExportProtocol::kIpfix, 10, 65, 2'995, 1'278'384, 4},
    Known{"pmacctd-sflow5", ExportProtocol::kSflow5, 8, 53, 53, 14'768, 0},
    Known{"openvswitch-netflow", ExportProtocol::kNetflow5, 2, 44, 2'714, 1'232'598 + 14 * 2'714, 0},
    Known{"openvswitch-sflow", ExportProtocol::kSflow5, 8, 52, 52, 14'710, 0},
    Known{"openvswitch-ipfix", ExportProtocol::kIpfix, 40, 20, 770, 219'450, 88}};

class Keeping final : public decode::FlowSink {
public:
    void take(const ExporterKey&, std::span<const FlowRecord> more) override {
        records.insert(records.end(), more.begin(), more.end());
    }
    std::vector<FlowRecord> records;
};

struct Read {
    std::vector<FlowRecord> records;
    std::uint64_t datagrams = 0;
    std::uint64_t of_protocol = 0;
    std::uint64_t templates = 0;
    std::uint64_t without_template = 0;
    std::uint64_t dropped = 0;
    std::uint64_t lost = 0;
};

Read read(const Known& known) {
    Read out;
    Keeping sink;
    decode::Decoder decoder({}, sink);
    auto file = CaptureFile::open(std::string(kFolder) + known.file + ".pcap");
    EXPECT_TRUE(file) << (file ? "" : file.error().detail);
    DatagramFinder finder;
    while (file) {
        const auto frame = file->next();
        EXPECT_TRUE(frame) << (frame ? "" : frame.error().detail);
        if (!frame || !*frame) break;
        const auto datagram = finder.find(**frame);
        if (!datagram) continue;
        const auto report =
            decoder.decode(ExporterKey{datagram->source}, datagram->payload, (*frame)->time, {});
        ++out.datagrams;
        out.of_protocol += report.protocol == known.protocol ? 1 : 0;
        out.templates += report.templates;
        out.without_template += report.sets_without_template;
        out.lost += report.lost_datagrams + report.lost_records;
        for (const std::uint64_t one : report.dropped) out.dropped += one;
    }
    out.records = std::move(sink.records);
    return out;
}

class RealCapturesTest : public testing::TestWithParam<Known> {};

TEST_P(RealCapturesTest, IsReadToTheKnownSums) {
    const Known& known = GetParam();
    const Read found = read(known);
    EXPECT_EQ(found.datagrams, known.datagrams);
    EXPECT_EQ(found.of_protocol, known.datagrams);
    EXPECT_EQ(found.templates, known.templates);
    EXPECT_EQ(found.without_template, 0U);
    EXPECT_EQ(found.dropped, 0U);
    EXPECT_EQ(found.lost, known.lost);
    EXPECT_EQ(found.records.size(), known.records);
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    for (const FlowRecord& record : found.records) {
        packets += record.packets;
        bytes += record.bytes;
        EXPECT_EQ(record.sampling, SamplingRate::every());
    }
    EXPECT_EQ(packets, known.packets);
    EXPECT_EQ(bytes, known.bytes);
}

TEST_P(RealCapturesTest, HoldsTheFlowsThatWereSent) {
    const Read found = read(GetParam());
    // 103.118.76.N sent 7 N packets of 68 + 31 N bytes from port 53 to 185.54.82.4:443.
    std::set<std::uint8_t> senders;
    for (const FlowRecord& record : found.records) {
        const std::string source = record.source.text();
        if (!source.starts_with("103.118.76.")) continue;
        const auto n = static_cast<std::uint64_t>(std::stoul(source.substr(11)));
        senders.insert(static_cast<std::uint8_t>(n));
        EXPECT_EQ(record.destination.text(), "185.54.82.4");
        EXPECT_EQ(record.source_port, 53);
        EXPECT_EQ(record.destination_port, 443);
        EXPECT_EQ(record.protocol, 17);
        const bool is_sample = GetParam().protocol == ExportProtocol::kSflow5;
        EXPECT_EQ(record.packets, is_sample ? 1U : 7 * n) << source;
        const std::uint64_t size = record.bytes / record.packets;
        EXPECT_TRUE(size == 68 + 31 * n || size == 68 + 31 * n + (is_sample ? 18 : 14))
            << source << " " << size;
    }
    EXPECT_GE(senders.size(), 4U);
}

INSTANTIATE_TEST_SUITE_P(EachExporter, RealCapturesTest, testing::ValuesIn(kKnown), [](const auto& test) {
    std::string name = test.param.file;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(RealCapturesFolderTest, EveryCaptureOfTheFolderIsRead) {
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
        if (entry.path().extension() == ".pcap") files.insert(entry.path().stem().string());
    }
    std::set<std::string> known;
    for (const Known& one : kKnown) known.insert(one.file);
    EXPECT_EQ(files, known);
}

}  // namespace
}  // namespace cam::app
