// `decode FILE` as its users run it (contract, section 1): no settings file, pcap in, JSON lines or a summary
// out.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/app/capture_writer.h"
#include "fakes/base/temp_folder.h"
#include "integration/process.h"
#include "unit/decode/packets.h"
#include "unit/decode/sflow_datagrams.h"

namespace cam::test {
namespace {

using namespace decode::test;
using app::CaptureWriter;
using nlohmann::json;

class DecodeTest : public testing::Test {
protected:
    Finished decode(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "decode");
        return run({.arguments = std::move(arguments), .folder = folder_.path(), .environment = {}});
    }
    json summary() {
        const Finished done = decode({path(), "--summary"});
        EXPECT_EQ(done.status, 0) << done.err;
        EXPECT_EQ(done.err, "");
        return json::parse(done.out);
    }
    std::vector<json> records() {
        const Finished done = decode({path()});
        EXPECT_EQ(done.status, 0) << done.err;
        std::vector<json> out;
        std::istringstream lines(done.out);
        for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
        return out;
    }
    [[nodiscard]] std::string path() const { return folder_.file("flows.pcap"); }
    /// A frame of a UDP datagram from 192.0.2.1, to whatever port.
    static WireBytes frame_of(const WireBytes& payload, std::uint16_t port = 6343) {
        const WireBytes udp = WireBytes{}.u16(40000).u16(port).u16(8 + payload.size()).u16(0).add(payload);
        return ethernet(0x0800, ipv4({}, udp));
    }
    static WireBytes sflow(std::uint32_t sequence = 1) {
        const WireBytes record = raw_header({}, ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(2))));
        return sflow_datagram({.sequence = sequence},
                              {flow_sample({.rate = 512}, {record}), counter_sample()});
    }
    static WireBytes netflow5() {
        WireBytes out =
            WireBytes{}.u16(5).u16(1).u32(60'000).u32(1'700'000'000).u32(0).u32(9).u16(0x0102).u16(0x4064);
        out.add({198, 51, 100, 1, 203, 0, 113, 9, 0, 0, 0, 0})
            .u16(7)
            .u16(8)
            .u32(10)
            .u32(15'000)
            .u32(1000)
            .u32(2000);
        return out.u16(1234).u16(80).u8(0).u8(0x12).u8(6).u8(0).u16(64500).u16(64501).u8(24).u8(22).u16(0);
    }
    static WireBytes v9_template() {
        return WireBytes{}
            .u16(9)
            .u16(1)
            .u32(1000)
            .u32(1'700'000'000)
            .u32(2)
            .u32(77)
            .u16(0)
            .u16(20)
            .u16(256)
            .u16(3)
            .u16(8)
            .u16(4)
            .u16(1)
            .u16(4)
            .u16(2)
            .u16(4);
    }
    static WireBytes v9_data() {
        return WireBytes{}
            .u16(9)
            .u16(1)
            .u32(1000)
            .u32(1'700'000'000)
            .u32(1)
            .u32(77)
            .u16(256)
            .u16(16)
            .add({198, 51, 100, 1})
            .u32(4000)
            .u32(4);
    }

    TempFolder folder_;
};

TEST_F(DecodeTest, PrintsAnObjectForEachRecordWithoutASettingsFile) {
    CaptureWriter{}.frame(frame_of(sflow())).frame(frame_of(netflow5(), 12345)).write(path());
    const std::vector<json> lines = records();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0]["exporter"], "192.0.2.1");
    EXPECT_EQ(lines[0]["version"], "sflow5");
    EXPECT_EQ(lines[0]["bytes"], 1518) << "one packet of its frame length";
    EXPECT_EQ(lines[0]["packets"], 1);
    EXPECT_EQ(lines[0]["sampling_rate"], 512);
    EXPECT_EQ(lines[0]["sampling_source"], "sflow_sample");
    EXPECT_EQ(lines[0]["dst_addr"], "198.51.100.7");
    EXPECT_EQ(lines[0]["dst_port"], 443);
    EXPECT_TRUE(lines[0]["flow_start"].is_null());
    EXPECT_EQ(lines[1]["version"], "v5") << "whatever the port";
    EXPECT_EQ(lines[1]["src_addr"], "198.51.100.1");
    EXPECT_EQ(lines[1]["bytes"], 15'000) << "as observed, before sampling";
    EXPECT_EQ(lines[1]["packets"], 10);
    EXPECT_EQ(lines[1]["sampling_rate"], 100);
    EXPECT_EQ(lines[1]["sampling_source"], "header");
    EXPECT_EQ(lines[1]["in_if"], 7);
    EXPECT_EQ(lines[1]["dst_as"], 64501);
    EXPECT_EQ(lines[1]["received"], "2023-11-14T22:13:20.250Z");
}

TEST_F(DecodeTest, SumsUpWhatACaptureHolds) {
    CaptureWriter{}
        .frame(frame_of(sflow(1)))
        .frame(frame_of(sflow(4)))
        .frame(frame_of(netflow5()))
        .frame(frame_of(WireBytes{}.u16(77).fill(30), 53))
        .frame(ethernet(0x0806, WireBytes{}.fill(46)))
        .frame(frame_of(sflow(5).cut(60)))
        .write(path());
    const json total = summary();
    EXPECT_EQ(total["datagrams"], 5);
    EXPECT_EQ(total["by_version"], (json{{"sflow5", 3}, {"v5", 1}}));
    EXPECT_EQ(total["flow_records"], 3);
    EXPECT_EQ(total["bytes"], 2 * 1518 + 15'000);
    EXPECT_EQ(total["packets"], 12);
    EXPECT_EQ(total["estimated_bytes"], 2 * 1518 * 512 + 15'000 * 100);
    EXPECT_EQ(total["counter_samples"], 2);
    EXPECT_EQ(total["lost_datagrams"], 2);
    EXPECT_EQ(total["malformed"], 1);
    EXPECT_EQ(total["dropped"], (json{{"malformed", 1}, {"unknown_version", 1}}));
    EXPECT_EQ(total["frames"], 6);
    ASSERT_EQ(total["exporters"].size(), 1U);
    EXPECT_EQ(total["exporters"][0]["exporter"], "192.0.2.1");
    EXPECT_EQ(total["exporters"][0]["flow_records"], 3);
    const auto& sampling = total["exporters"][0]["sampling"];
    EXPECT_NE(std::find_if(sampling.begin(), sampling.end(),
                           [](const json& one) {
                               return one["scope"] == "source" && one["id"] == 3 && one["rate"] == 512;
                           }),
              sampling.end())
        << sampling;
}

TEST_F(DecodeTest, DataThatComesBeforeItsTemplateIsDecodedAndSaidToBe) {
    CaptureWriter{}.frame(frame_of(v9_data())).frame(frame_of(v9_template())).write(path());
    const json total = summary();
    EXPECT_EQ(total["flow_records"], 1);
    EXPECT_EQ(total["flow_records_in_order"], 0);
    EXPECT_EQ(total["flow_records_deferred"], 1);
    EXPECT_EQ(total["sets_without_template"], 1);
    EXPECT_EQ(total["templates"], 1);
    EXPECT_EQ(total["bytes"], 4000);
    ASSERT_EQ(records().size(), 1U);
    EXPECT_EQ(records()[0]["domain"], 77);
}

TEST_F(DecodeTest, ReadsStandardInput) {
    CaptureWriter{}.frame(frame_of(sflow())).write(path());
    const Finished done = run({.arguments = {"-c", "exec " CAM_BINARY " decode - --summary < flows.pcap"},
                               .folder = folder_.path(),
                               .environment = {},
                               .program = "/bin/sh"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(json::parse(done.out)["flow_records"], 1);
}

TEST_F(DecodeTest, StopsInSilenceWhenItsReaderHasSeenEnough) {
    CaptureWriter capture;
    for (std::uint32_t i = 0; i < 5000; ++i) capture.frame(frame_of(sflow(i)));
    capture.write(path());
    const Finished done =
        run({.arguments = {"-c", "{ " CAM_BINARY " decode flows.pcap; echo status $? >&2; } | head -n 1"},
             .folder = folder_.path(),
             .environment = {},
             .program = "/bin/sh"});
    EXPECT_EQ(done.err, "status 0\n");
    EXPECT_EQ(json::parse(done.out)["version"], "sflow5");
}

TEST_F(DecodeTest, AFullDiskIsSaid) {
    CaptureWriter{}.frame(frame_of(sflow())).write(path());
    const Finished done = run({.arguments = {"-c", "exec " CAM_BINARY " decode flows.pcap > /dev/full"},
                               .folder = folder_.path(),
                               .environment = {},
                               .program = "/bin/sh"});
    EXPECT_EQ(done.status, 1);
    EXPECT_NE(done.err.find("cannot write to standard output"), std::string::npos) << done.err;
}

TEST_F(DecodeTest, AnUnreadableFileIsOneLineAndExitOne) {
    folder_.write("flows.pcap", "no capture at all, but long enough for a header");
    for (const std::string& name : {path(), folder_.file("missing.pcap"), std::string{"."}}) {
        const Finished done = decode({name});
        EXPECT_EQ(done.status, 1) << name;
        EXPECT_EQ(done.out, "");
        EXPECT_EQ(done.err.find('\n'), done.err.size() - 1) << done.err;
        EXPECT_NE(done.err.find(name), std::string::npos) << done.err;
    }
}

TEST_F(DecodeTest, ACaptureThatBreaksOffGivesWhatItHoldsAndExitOne) {
    CaptureWriter{}.frame(frame_of(sflow(1))).frame(frame_of(sflow(2))).write(path(), 3);
    const Finished done = decode({path(), "--summary"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(json::parse(done.out)["flow_records"], 1);
    EXPECT_NE(done.err.find("to its end"), std::string::npos) << done.err;
}

TEST_F(DecodeTest, DatagramsThatAreCutAreSaidOnStandardError) {
    CaptureWriter{}.frame(frame_of(sflow()), 1, 100).write(path());
    const Finished done = decode({path(), "--summary"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(json::parse(done.out)["cut_datagrams"], 1);
    EXPECT_NE(done.err.find("1 datagrams are cut"), std::string::npos) << done.err;
}

TEST_F(DecodeTest, WrongUseIsExitTwo) {
    EXPECT_EQ(decode({}).status, 2);
    EXPECT_EQ(decode({"a", "b"}).status, 2);
}

/// CAM_CAPTURES names a folder of real exporters' captures with oracle/<capture>.json beside them.
TEST_F(DecodeTest, AgreesWithOtherDecodersOnRealSflowCaptures) {
    const char* const folder = std::getenv("CAM_CAPTURES");
    if (folder == nullptr) GTEST_SKIP() << "CAM_CAPTURES is not set: no real captures were decoded";
    const std::filesystem::path captures{folder};
    const json about = json::parse(read_text(captures / "captures.json"))["captures"];
    std::size_t compared = 0;
    for (const char* name :
         {"tcpdump_sflow_30", "tcpdump_sflow_expanded", "tcpdump_sflow_v6", "nxthdr_sflow"}) {
        const std::filesystem::path file = captures / about[name]["files"][0].get<std::string>();
        ASSERT_TRUE(std::filesystem::exists(file)) << file;
        const json figures =
            json::parse(read_text(captures / "oracle" / (std::string{name} + ".json")))["figures"];
        const Finished done = decode({file, "--summary"});
        ASSERT_EQ(done.status, 0) << done.err;
        const json total = json::parse(done.out);
        const auto value = [&](const char* figure) -> std::uint64_t {
            return figures.contains(figure) ? figures[figure]["value"].get<std::uint64_t>() : 0;
        };
        EXPECT_EQ(total["by_version"], figures["datagrams"]["value"]) << name;
        EXPECT_EQ(total["exporters"].size(), value("exporters")) << name;
        EXPECT_EQ(total["flow_records"], value("sflow.flow_samples") + value("flow_records.v5.in_order"))
            << name;
        EXPECT_EQ(total["counter_samples"], value("sflow.counter_samples")) << name;
        if (value("sflow.raw_header_frame_octets") > 0) {
            EXPECT_EQ(total["bytes"], value("sflow.raw_header_frame_octets")) << name;
            EXPECT_EQ(total["estimated_bytes"], value("sflow.raw_header_frame_octets_x_rate")) << name;
            EXPECT_EQ(total["estimated_packets"], value("sflow.estimated_packets")) << name;
        }
        EXPECT_EQ(total["dropped"], json::object()) << name;
        ++compared;
    }
    EXPECT_EQ(compared, 4U);
}

}  // namespace
}  // namespace cam::test
