#include <random>

#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

class SavedStateTest : public DecoderTest {
protected:
    /// One exporter with templates, options and rates of both protocols.
    void learn_everything() {
        decode(
            netflow9({}, {netflow9_template(256, kSmall), netflow9_options(257, {{1, 4}}, {{48, 1}, {34, 4}}),
                          set(257, WireBytes{}.u32(1).u8(7).u32(1000))}));
        decode(ipfix(
            {}, {ipfix_template(300, {{1, 8}, {82, kOpen}, {1, 4, 29305}}),
                 ipfix_options(301, {{149, 4}}, {{160, 8}}), set(301, WireBytes{}.u32(1).u64(123'456'789))}));
        decode(netflow5({}, {Netflow5Record{}}));
    }
    [[nodiscard]] Decoder::SavedState saved() {
        const auto changed = decoder_.take_changed(10);
        EXPECT_EQ(changed.size(), 1U);
        return changed.empty() ? Decoder::SavedState{exporter(1), {}} : changed.front();
    }
    KeepingSink other_sink_;
    Decoder other_{{}, other_sink_};
};

TEST_F(SavedStateTest, ARestoredDecoderDecodesWithoutWaitingForTemplates) {
    learn_everything();
    ASSERT_TRUE(other_.restore(saved(), now_));
    EXPECT_EQ(other_.template_count(), 4U);
    const auto send = [&](const WireBytes& datagram) {
        return other_.decode(exporter(1), datagram.span(), WallTime{}, now_);
    };
    EXPECT_EQ(send(netflow9({}, {set(256, small(1, 2, 3))})).flow_records, 1U);
    EXPECT_EQ(other_sink_.kept.back().sampling.n(), 1000U);
    EXPECT_EQ(other_sink_.kept.back().sampling_source, SamplingSource::kOptions);
    EXPECT_EQ(send(ipfix({}, {set(300, WireBytes{}.u64(5).u8(0).u32(9))})).flow_records, 1U);
    EXPECT_EQ(other_sink_.kept.back().bytes, 5U);
    EXPECT_TRUE(other_.take_changed(10).empty()) << "nothing is new";
}

TEST_F(SavedStateTest, OnlyWhatChangedIsTakenAndOnlyOnce) {
    learn_everything();
    EXPECT_EQ(decoder_.take_changed(10).size(), 1U);
    EXPECT_TRUE(decoder_.take_changed(10).empty());
    decode(netflow9({.sequence = 1}, {netflow9_template(256, kSmall)}));
    EXPECT_TRUE(decoder_.take_changed(10).empty()) << "a refresh is no change";
    decode(netflow9({.sequence = 2}, {netflow9_template(256, {{1, 4}})}));
    EXPECT_EQ(decoder_.take_changed(10).size(), 1U);
    decode(ipfix({}, {ipfix_withdrawal(300)}));
    EXPECT_EQ(decoder_.take_changed(10).size(), 1U);
}

TEST_F(SavedStateTest, NoMoreThanAskedForAreTakenAtOnce) {
    for (std::uint32_t i = 1; i <= 5; ++i) {
        decode(netflow9({}, {netflow9_template(256, kSmall), set(256, small(1, 2, 3))}), exporter(i));
    }
    EXPECT_EQ(decoder_.take_changed(3).size(), 3U);
    EXPECT_EQ(decoder_.take_changed(3).size(), 2U);
    EXPECT_EQ(decoder_.take_changed(3).size(), 0U);
}

TEST_F(SavedStateTest, WhoNeverSentAFlowIsNotWrittenDownUnlessPinned) {
    decode(netflow9({}, {netflow9_template(256, kSmall)}));
    EXPECT_TRUE(decoder_.take_changed(10).empty());
    const std::vector<ExporterKey> routers{exporter(1)};
    decoder_.pin(routers);
    EXPECT_EQ(decoder_.take_changed(10).size(), 1U);
}

TEST_F(SavedStateTest, Cve2019_1010057EveryDamagedByteAndEveryCutIsRefused) {
    learn_everything();
    const Decoder::SavedState good = saved();
    for (std::size_t i = 0; i < good.bytes.size(); ++i) {
        Decoder::SavedState bad = good;
        bad.bytes[i] = static_cast<char>(bad.bytes[i] ^ 0x40);
        EXPECT_FALSE(other_.restore(bad, now_)) << i;
        bad.bytes = good.bytes.substr(0, i);
        EXPECT_FALSE(other_.restore(bad, now_)) << i;
    }
    Decoder::SavedState longer = good;
    longer.bytes.push_back('\0');
    EXPECT_FALSE(other_.restore(longer, now_));
    EXPECT_TRUE(other_.exporters().empty()) << "nothing was taken over";
    EXPECT_TRUE(other_.restore(good, now_));
    EXPECT_FALSE(other_.restore(good, now_)) << "it is known already";
}

TEST_F(SavedStateTest, MoreThanTheBoundsIsRefused) {
    learn_everything();
    Decoder::Options options;
    options.templates_per_exporter = 3;
    Decoder small_one(options, other_sink_);
    EXPECT_FALSE(small_one.restore(saved(), now_));
    EXPECT_EQ(small_one.template_count(), 0U);
}

}  // namespace
}  // namespace cam::decode
