// Properties that hold whatever comes: a seeded generator mangles datagrams of one exporter while another
// sends good ones.

#include <random>

#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

class MangledDatagramsTest : public DecoderTest {
protected:
    WireBytes good() {
        const std::uint32_t sequence = number() % 1000;
        switch (number() % 4) {
            case 0:
                return netflow5({.sequence = sequence}, std::vector<Netflow5Record>(1 + number() % 30));
            case 1:
                return netflow9({.sequence = sequence}, {netflow9_template(256, kSmall),
                                                         netflow9_options(257, {{1, 4}}, {{48, 1}, {34, 4}}),
                                                         set(257, WireBytes{}.u32(1).u8(7).u32(1000)),
                                                         set(256, small(1, 2, 3).add(small(4, 5, 6)))});
            case 2:
                return ipfix({.sequence = sequence},
                             {ipfix_template(256, {{371, kOpen}, {1, 8}, {2, 4, 29305}}),
                              set(256, WireBytes{}.u8(2).u16(9).u64(100).u32(1)), ipfix_withdrawal(256)});
            default:
                return WireBytes{}
                    .u32(5)
                    .u32(1)
                    .u32(0xc0000201)
                    .u32(0)
                    .u32(sequence)
                    .u32(9)
                    .u32(1)
                    .u32(1)
                    .u32(12)
                    .fill(12);
        }
    }
    WireBytes mangled() {
        WireBytes datagram = good();
        std::vector<std::uint8_t>& bytes = datagram.vector();
        for (std::uint32_t i = 1 + number() % 8; i > 0; --i) {
            const std::size_t at = 2 + number() % (bytes.size() - 2);  // the version stays
            bytes[at] =
                number() % 2 == 0 ? static_cast<std::uint8_t>(number()) : static_cast<std::uint8_t>(-1);
        }
        if (number() % 4 == 0) bytes.resize(2 + number() % (bytes.size() - 1));
        return datagram;
    }
    std::uint32_t number() { return static_cast<std::uint32_t>(random_()); }
    std::mt19937 random_{20'260'119};
};

TEST_F(MangledDatagramsTest, NeighboursAreUnharmedAndTheCountsAddUp) {
    decode(netflow9({}, {netflow9_template(256, kSmall)}), exporter(2));
    std::uint64_t records = 0;
    std::uint64_t datagrams = 0;
    std::array<std::uint64_t, kDropReasonCount> dropped_in_all{};
    for (std::uint32_t round = 1; round <= 20'000; ++round) {
        now_ += std::chrono::milliseconds{20};
        const DecodeReport report = decode(mangled());
        EXPECT_LE(report.flow_records, Decoder::Options{}.records_per_datagram);
        EXPECT_GE(report.sets_without_template, report.sets_held);
        records += report.flow_records;
        datagrams += report.protocol ? 1 : 0;
        for (std::size_t i = 0; i < kDropReasonCount; ++i) dropped_in_all[i] += report.dropped[i];
        if (round % 8 != 0) continue;
        const DecodeReport neighbour =
            decode(netflow9({.sequence = round / 8}, {set(256, small(0xc6336407, round, 1))}), exporter(2));
        ASSERT_EQ(neighbour.flow_records, 1U);
        ASSERT_EQ(only().bytes, round);
        ASSERT_EQ(neighbour.lost_datagrams, 0U);
    }
    const ExporterReport report = report_of();
    EXPECT_EQ(report.flow_records, records);
    EXPECT_EQ(report.datagrams, datagrams);
    EXPECT_GT(records, 10'000U);
    EXPECT_GT(dropped_in_all[static_cast<std::size_t>(DropReason::kMalformed)], 100U);
    EXPECT_GT(dropped_in_all[static_cast<std::size_t>(DropReason::kBadTemplate)], 100U);
}

TEST_F(MangledDatagramsTest, EveryCutOfADatagramIsDecodedAsFarAsItIsWhole) {
    for (int i = 0; i < 200; ++i) {
        const WireBytes whole = good();
        const std::uint64_t all = decode(whole, exporter(3)).flow_records;
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_LE(decode(whole.cut(size), exporter(4)).flow_records, all + 1) << size;
        }
    }
}

}  // namespace
}  // namespace cam::decode
