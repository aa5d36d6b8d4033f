#include "unit/decode/decoder_fixture.h"
#include "unit/decode/sflow_datagrams.h"

namespace cam::decode {
namespace {

using namespace test;
using std::chrono::seconds;

Decoder::Options few() {
    Decoder::Options options;
    options.exporters = 4;
    options.templates_per_exporter = 3;
    options.fields_per_template = 8;
    options.records_per_datagram = 100;
    options.held_sets_per_exporter = 2;
    options.held_bytes_per_exporter = 64;
    options.held_bytes = 100;
    return options;
}

/// Small bounds, to be reached.
class DecoderLimitsTest : public DecoderTest {
protected:
    DecoderLimitsTest() : DecoderTest(few()) {}
    DecodeReport send_flow(const ExporterKey& from) { return decode(netflow5({}, {Netflow5Record{}}), from); }
    DecodeReport send_nothing(const ExporterKey& from) { return decode(netflow9({}, {}), from); }
    [[nodiscard]] bool knows(const ExporterKey& key) const {
        const auto all = decoder_.exporters();
        return std::any_of(all.begin(), all.end(), [&key](const auto& one) { return one.exporter == key; });
    }
};

TEST_F(DecoderLimitsTest, RecordsBeyondTheBudgetOfADatagramAreCountedAndNotDecoded) {
    WireBytes body;
    for (std::uint32_t i = 0; i < 130; ++i) body.add(small(i, 1, 1));
    const DecodeReport report = decode9({netflow9_template(256, kSmall), set(256, body)});
    EXPECT_EQ(report.flow_records, 100U);
    EXPECT_EQ(report.bytes, 100U);
    EXPECT_EQ(dropped(report, DropReason::kBudget), 30U);
    EXPECT_EQ(decode9({set(256, small(1, 1, 1))}).flow_records, 1U) << "the next datagram has its own";
}

TEST_F(DecoderLimitsTest, VariableRecordsBeyondTheBudgetAreCountedToo) {
    WireBytes body;
    for (std::uint32_t i = 0; i < 130; ++i) body.u8(1).u8(i);
    const DecodeReport report = decode(ipfix({}, {ipfix_template(256, {{82, kOpen}}), set(256, body)}));
    EXPECT_EQ(report.flow_records, 100U);
    EXPECT_EQ(dropped(report, DropReason::kBudget), 30U);
    EXPECT_EQ(decode(ipfix({.sequence = 130}, {})).lost_records, 0U) << "the sequence counts them all";
}

TEST_F(DecoderLimitsTest, ANewTemplateBeyondTheShareIsRefusedUntilAnOldOneIsIdle) {
    for (const std::uint16_t id : std::initializer_list<std::uint16_t>{256, 257, 258})
        decode9({netflow9_template(id, kSmall)});
    EXPECT_EQ(dropped(decode9({netflow9_template(259, kSmall)}), DropReason::kTemplateLimit), 1U);
    EXPECT_EQ(decode9({netflow9_template(256, kSmall)}).templates, 1U) << "a refresh needs no room";
    EXPECT_EQ(decode9({netflow9_template(257, {{1, 4}})}).templates, 1U) << "nor does a change";
    now_ += seconds{1000};
    decode9({set(256, small(1, 1, 1)), netflow9_template(257, {{1, 4}})});
    now_ += seconds{801};  // only 258 was not used for half an hour
    EXPECT_EQ(decode9({netflow9_template(259, kSmall)}).templates, 1U);
    EXPECT_EQ(decoder_.template_count(), 3U);
    EXPECT_EQ(decode9({set(258, small(1, 1, 1))}).sets_without_template, 1U);
    EXPECT_EQ(decode9({set(256, small(1, 1, 1))}).flow_records, 1U);
}

TEST_F(DecoderLimitsTest, ATemplateOfTooManyFieldsIsRefusedAndItsNeighbourIsNot) {
    const DecodeReport report =
        decode9({set(0, template_record(256, Fields(9, {7, 2})).add(template_record(257, kSmall))),
                 set(257, small(1, 2, 3))});
    EXPECT_EQ(dropped(report, DropReason::kBadTemplate), 1U);
    EXPECT_EQ(report.templates, 1U);
    EXPECT_EQ(report.flow_records, 1U);
}

TEST_F(DecoderLimitsTest, WhatIsRefusedIsNotDecodedByTheOldLayout) {
    decode9({netflow9_template(256, kSmall)});
    decode9({netflow9_template(256, Fields(9, {7, 2}))});
    EXPECT_EQ(decode9({set(256, small(1, 2, 3))}).sets_without_template, 1U);
    EXPECT_EQ(kept().size(), 0U);
}

TEST_F(DecoderLimitsTest, HeldSetsAreBoundedForEachExporterAndForAll) {
    const WireBytes data = set(256, WireBytes{}.fill(24, 1));
    const DecodeReport report = decode9({data, data, data});
    EXPECT_EQ(report.sets_without_template, 3U);
    EXPECT_EQ(report.sets_held, 2U);
    EXPECT_EQ(dropped(report, DropReason::kNoTemplate), 1U);
    EXPECT_EQ(decode(netflow9({}, {set(256, WireBytes{}.fill(68, 1))}), exporter(2)).sets_held, 0U);
    EXPECT_EQ(decode(netflow9({}, {set(256, WireBytes{}.fill(52, 1))}), exporter(2)).sets_held, 1U);
    EXPECT_EQ(decode(netflow9({}, {data}), exporter(3)).sets_held, 0U) << "100 bytes in all";
}

TEST_F(DecoderLimitsTest, StrangersThatNeverSentAFlowGiveWayFirst) {
    send_nothing(exporter(1));
    send_flow(exporter(2));
    for (std::uint32_t i = 3; i < 1000; ++i) send_nothing(exporter(i));
    EXPECT_EQ(decoder_.exporters().size(), 4U);
    EXPECT_TRUE(knows(exporter(2)));
    EXPECT_TRUE(knows(exporter(999)));
    EXPECT_FALSE(knows(exporter(1)));
}

TEST_F(DecoderLimitsTest, NobodyTakesTheRoomOfExportersThatAreDecoding) {
    for (std::uint32_t i = 1; i <= 4; ++i) send_flow(exporter(i));
    const DecodeReport refused = send_flow(exporter(5));
    EXPECT_EQ(dropped(refused, DropReason::kExporterLimit), 1U);
    EXPECT_EQ(refused.flow_records, 0U);
    now_ += seconds{299};
    for (std::uint32_t i = 2; i <= 4; ++i) send_flow(exporter(i));
    EXPECT_EQ(send_flow(exporter(5)).flow_records, 0U);
    now_ += seconds{1};  // the first has been silent for five minutes
    const DecodeReport taken = send_flow(exporter(5));
    EXPECT_EQ(taken.flow_records, 1U);
    EXPECT_EQ(taken.evicted_exporters, 1U);
    EXPECT_FALSE(knows(exporter(1)));
    EXPECT_TRUE(knows(exporter(2)));
}

TEST_F(DecoderLimitsTest, APinnedExporterNeverGivesWayAndAlwaysFindsRoom) {
    const std::vector<ExporterKey> routers{exporter(1), exporter(500)};
    decode(netflow9({}, {netflow9_template(256, kSmall)}), exporter(1));
    decoder_.pin(routers);
    now_ += seconds{100'000};
    for (std::uint32_t i = 2; i < 100; ++i) send_flow(exporter(i));
    EXPECT_EQ(decode(netflow9({.sequence = 1}, {set(256, small(1, 2, 3))}), exporter(1)).flow_records, 1U);
    EXPECT_EQ(send_flow(exporter(500)).flow_records, 1U);
    EXPECT_EQ(decoder_.exporters().size(), 6U);
}

TEST_F(DecoderLimitsTest, WhatAnExporterHeldIsCountedWhenItGivesWay) {
    decode9({set(256, small(1, 2, 3))});
    std::uint64_t lost = 0;
    for (std::uint32_t i = 2; i <= 6; ++i)
        lost += dropped(send_nothing(exporter(i)), DropReason::kNoTemplate);
    EXPECT_EQ(lost, 1U);
    EXPECT_EQ(decode(netflow9({}, {set(256, WireBytes{}.fill(60, 1))}), exporter(6)).sets_held, 1U)
        << "and its room is free again";
}

TEST(DecoderStormTest, TemplatesOfStrangersAreBoundedTogetherAndThoseOfDecodersStay) {
    Decoder::Options options;
    options.stranger_bytes = 64 * 1024;
    KeepingSink sink;
    Decoder decoder(options, sink);
    const auto send = [&](const ExporterKey& from, const WireBytes& datagram) {
        return decoder.decode(from, datagram.span(), WallTime{}, SteadyTime{seconds{10}});
    };
    send(exporter(1), netflow9({}, {netflow9_template(256, kSmall), set(256, small(1, 2, 3))}));
    std::uint64_t evicted = 0;
    for (std::uint32_t i = 2; i < 2000; ++i) {
        for (std::uint16_t id = 256; id < 260; ++id) {
            evicted += send(exporter(i), netflow9({}, {netflow9_template(id, Fields(40, {1, 4}))}))
                           .evicted_exporters;
        }
    }
    EXPECT_GT(evicted, 1000U);
    EXPECT_LT(decoder.template_count(), 700U);
    EXPECT_EQ(send(exporter(1), netflow9({.sequence = 1}, {set(256, small(1, 2, 3))})).flow_records, 1U);
}

TEST(DecoderStormTest, DomainsAndDataSourcesOfStrangersAreBoundedTogetherAndThoseOfARouterAreNot) {
    constexpr std::uint32_t kStrangers = 200;
    Decoder::Options options;
    options.stranger_bytes = 256 * 1024;
    KeepingSink sink;
    Decoder decoder(options, sink);
    const std::array routers{exporter(1)};
    decoder.pin(routers);
    std::uint32_t sequence = 0;
    const auto send_all = [&](const ExporterKey& from, std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto engine = static_cast<std::uint16_t>(i);
            const auto now = SteadyTime{seconds{10}};
            decoder.decode(from, netflow5({.engine = engine}, {Netflow5Record{}}).span(), WallTime{}, now);
            const WireBytes sample = flow_sample({.source_index = i + 1}, {});
            decoder.decode(from, sflow_datagram({.sub_agent = 1, .sequence = ++sequence}, {sample}).span(),
                           WallTime{}, now);
        }
    };
    for (std::uint32_t i = 2; i < 2 + kStrangers; ++i) send_all(exporter(i), 200);
    send_all(exporter(1), 300);
    std::size_t strangers_rows = 0;
    std::size_t routers_rows = 0;
    std::size_t strangers = 0;
    for (const ExporterReport& report : decoder.exporters()) {
        const bool is_router = report.exporter == routers[0];
        (is_router ? routers_rows : strangers_rows) += report.sampling.size();
        strangers += is_router ? 0 : 1;
    }
    EXPECT_EQ(routers_rows, 300U + 64U);
    EXPECT_EQ(strangers, kStrangers) << "all that decode stay, with less that is watched";
    // One domain and a few data sources each, and what the budget has room for.
    const std::size_t most = kStrangers * 8 + options.stranger_bytes / sizeof(ExporterReport::Sampling);
    EXPECT_LT(strangers_rows, most);
    EXPECT_GT(strangers_rows, kStrangers);
}

}  // namespace
}  // namespace cam::decode
