// From a capture file to its UDP datagrams: CaptureFile and DatagramFinder.

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "app/datagram_finder.h"
#include "fakes/app/capture_writer.h"
#include "fakes/base/temp_folder.h"
#include "unit/decode/packets.h"

namespace cam::app {
namespace {

using namespace decode::test;

struct Found {
    std::vector<std::string> payloads;
    std::vector<std::string> sources;
    DatagramFinder::Counts counts;
    std::uint64_t unfinished = 0;
    std::string error;
};

class CaptureTest : public testing::Test {
protected:
    [[nodiscard]] std::string path() const { return folder_.file("flows.pcap"); }
    Found read(const CaptureWriter& capture, std::size_t missing = 0) {
        capture.write(path(), missing);
        return read_file();
    }
    Found read_file() {
        Found found;
        Result<CaptureFile> file = CaptureFile::open(path());
        if (!file) {
            found.error = file.error().detail;
            return found;
        }
        DatagramFinder finder;
        for (;;) {
            const auto frame = file->next();
            if (!frame) found.error = frame.error().detail;
            if (!frame || !frame.value()) break;
            if (const auto datagram = finder.find(*frame.value())) {
                found.payloads.emplace_back(datagram->payload.begin(), datagram->payload.end());
                found.sources.push_back(datagram->source.text());
            }
        }
        found.counts = finder.counts();
        found.unfinished = finder.unfinished();
        return found;
    }
    static WireBytes udp_of(const std::string& text) {
        WireBytes out = WireBytes{}.u16(40000).u16(2055).u16(8 + text.size()).u16(0);
        for (const char c : text) out.u8(static_cast<unsigned char>(c));
        return out;
    }

    TempFolder folder_;
};

TEST_F(CaptureTest, FindsTheDatagramsOfEveryLinkTypeThatIsRead) {
    const WireBytes packet = ipv4({}, udp_of("hello"));
    struct Case {
        std::uint32_t link_type;
        WireBytes frame;
    };
    const std::vector<Case> cases{
        {1, ethernet(0x0800, packet)},
        {1, ethernet(0x0800, packet, {0x88a8'0001, 0x8100'0002})},
        {0, WireBytes{2, 0, 0, 0}.add(packet)},
        {108, WireBytes{0, 0, 0, 2}.add(packet)},
        {9, WireBytes{0xff, 3, 0, 0x21}.add(packet)},
        {101, packet},
        {228, packet},
        {113, WireBytes{}.fill(14).u16(0x0800).add(packet)},
        {276, WireBytes{}.u16(0x0800).fill(18).add(packet)},
        {276, WireBytes{}.u16(0x8100).fill(18).u16(7).u16(0x0800).add(packet)},
        {276, WireBytes{}.u16(0x8847).fill(18).u32(16U << 12U).u32(17U << 12U | 0x100U).add(packet)},
        {276, WireBytes{}.u16(0x8864).fill(18).u32(0x11000001).u16(2).u16(0x0021).add(packet)},
    };
    for (const Case& one : cases) {
        const Found found = read(CaptureWriter{one.link_type}.frame(one.frame));
        EXPECT_EQ(found.error, "") << one.link_type;
        EXPECT_EQ(found.payloads, std::vector<std::string>{"hello"}) << one.link_type;
        EXPECT_EQ(found.sources, std::vector<std::string>{"192.0.2.1"}) << one.link_type;
    }
    const Found six = read(CaptureWriter{229}.frame(ipv6({}, udp_of("hello"))));
    EXPECT_EQ(six.sources, std::vector<std::string>{"2001:db8::1"});
}

TEST_F(CaptureTest, LeavesOutWhatIsNoUdpAndThePaddingOfFrames) {
    const Found found = read(CaptureWriter{}
                                 .frame(ethernet(0x0806, WireBytes{}.fill(46)))
                                 .frame(ethernet(0x0800, ipv4({.protocol = 6}, tcp_segment(2))))
                                 .frame(WireBytes{1, 2, 3})
                                 .frame(ethernet(0x0800, ipv4({}, udp_of("a"))).fill(17)));
    EXPECT_EQ(found.payloads, std::vector<std::string>{"a"});
    EXPECT_EQ(found.counts.frames, 4U);
    EXPECT_EQ(found.counts.datagrams, 1U);
    EXPECT_EQ(found.counts.cut, 0U);
}

TEST_F(CaptureTest, PutsFragmentedDatagramsTogether) {
    const WireBytes whole = udp_of("0123456789abcdefghij");  // 28 bytes
    const WireBytes first = whole.cut(16);
    WireBytes rest;
    for (const std::uint8_t byte : whole.span().subspan(16)) rest.u8(byte);
    const Found four = read(CaptureWriter{}
                                .frame(ethernet(0x0800, ipv4({.fragment = 2}, rest)))
                                .frame(ethernet(0x0800, ipv4({.fragment = 0x2000}, first))));
    EXPECT_EQ(four.payloads, std::vector<std::string>{"0123456789abcdefghij"});
    EXPECT_EQ(four.counts.fragments, 2U);
    EXPECT_EQ(four.unfinished, 0U);
    const auto part = [](std::uint16_t offset_and_more, const WireBytes& bytes) {
        return ethernet(0x86dd,
                        ipv6({.next_header = 44}, WireBytes{17, 0}.u16(offset_and_more).u32(9).add(bytes)));
    };
    const Found six = read(CaptureWriter{}.frame(part(1, first)).frame(part(2 << 3, rest)));
    EXPECT_EQ(six.payloads, std::vector<std::string>{"0123456789abcdefghij"});
    const Found lone = read(CaptureWriter{}.frame(part(1, first)));
    EXPECT_TRUE(lone.payloads.empty());
    EXPECT_EQ(lone.unfinished, 1U);
}

TEST_F(CaptureTest, ADatagramThatIsCutIsCountedAndLeftOut) {
    const WireBytes frame = ethernet(0x0800, ipv4({}, udp_of(std::string(200, 'x'))));
    const Found found = read(CaptureWriter{}.frame(frame, 1, 96).frame(frame));
    EXPECT_EQ(found.counts.cut, 1U);
    EXPECT_EQ(found.counts.datagrams, 1U);
}

TEST_F(CaptureTest, ReadsPcapngToo) {
    WireBytes bytes;  // section header, interface description, enhanced packet
    bytes.u32(0x0a0d0d0a).u32(28).u32(0x1a2b3c4d).u16(1).u16(0).u32(0xffffffff).u32(0xffffffff).u32(28);
    bytes.u32(1).u32(20).u16(1).u16(0).u32(0).u32(20);
    WireBytes frame = ethernet(0x0800, ipv4({}, udp_of("next")));
    const std::size_t size = frame.size();
    frame.pad();
    bytes.u32(6)
        .u32(32 + frame.size())
        .u32(0)
        .u32(0)
        .u32(0)
        .u32(size)
        .u32(size)
        .add(frame)
        .u32(32 + frame.size());
    std::ofstream file(path(), std::ios::binary);
    for (const std::uint8_t byte : bytes.span()) file.put(static_cast<char>(byte));
    file.close();
    const Found found = read_file();
    EXPECT_EQ(found.error, "");
    EXPECT_EQ(found.payloads, std::vector<std::string>{"next"});
}

TEST_F(CaptureTest, AFileThatEndsInAFrameGivesWhatIsBeforeAndSaysSo) {
    const WireBytes frame = ethernet(0x0800, ipv4({}, udp_of("a")));
    const Found found = read(CaptureWriter{}.frame(frame).frame(frame), 5);
    EXPECT_EQ(found.payloads.size(), 1U);
    EXPECT_NE(found.error.find("flows.pcap"), std::string::npos) << found.error;
    EXPECT_NE(found.error.find("to its end"), std::string::npos) << found.error;
}

TEST_F(CaptureTest, WhatIsNoCaptureIsRefusedInOneLineThatNamesIt) {
    const auto refused = [&](const std::string& expected) {
        const Found found = read_file();
        EXPECT_NE(found.error.find("flows.pcap"), std::string::npos) << found.error;
        EXPECT_NE(found.error.find(expected), std::string::npos) << found.error;
        EXPECT_EQ(found.error.find('\n'), std::string::npos) << found.error;
    };
    refused("No such file");
    std::ofstream(path()) << "this is no capture, and it is longer than a header";
    refused("expected pcap or pcapng");
    std::ofstream(path()) << "";
    refused("expected pcap or pcapng");
    CaptureWriter{105}.write(path());
    refused("link type 105");
    std::filesystem::remove(path());
    std::filesystem::create_directory(path());
    refused("");
}

}  // namespace
}  // namespace cam::app
