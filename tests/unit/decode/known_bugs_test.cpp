// What broke other collectors of NetFlow and IPFIX, each by the name under which it is known.

#include <random>

#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

class KnownBugsTest : public DecoderTest {
protected:
    /// Whatever came before: a good template and its record are decoded.
    void expect_alive() {
        const DecodeReport report =
            decode(netflow9({}, {netflow9_template(999, kSmall), set(999, small(1, 2, 3))}));
        EXPECT_EQ(report.flow_records, 1U);
        EXPECT_EQ(only().bytes, 2U);
    }
};

TEST_F(KnownBugsTest, Cve2024_56073ATemplateOfNoLengthIsRefused) {
    for (const Fields& fields : {Fields{}, Fields{{1, 0}}, Fields{{1, 0}, {2, 0}, {82, 0}}}) {
        const DecodeReport report = decode9({netflow9_template(256, fields), set(256, small(1, 2, 3))});
        EXPECT_EQ(dropped(report, DropReason::kBadTemplate), 1U);
        EXPECT_EQ(report.flow_records, 0U);
        EXPECT_EQ(decoder_.template_count(), 0U);
    }
    const DecodeReport options =
        decode9({netflow9_options(257, {{1, 0}}, {{34, 0}}), set(257, small(1, 2, 3))});
    EXPECT_EQ(dropped(options, DropReason::kBadTemplate), 1U);
    EXPECT_EQ(options.options_records, 0U);
    expect_alive();
}

TEST_F(KnownBugsTest, Cve2026_48683ADataSetEndsWhereItsLengthSays) {
    decode9({netflow9_template(256, kSmall)});
    const DecodeReport report =
        decode9({set_of_length(256, 4 + 11, WireBytes{}.fill(11, 9)), set(256, small(1, 2, 3))});
    EXPECT_EQ(report.flow_records, 1U) << "eleven bytes are no record of twelve";
    EXPECT_EQ(only().bytes, 2U);
    const DecodeReport beyond = decode9({set_of_length(256, 400, small(1, 2, 3))});
    EXPECT_EQ(beyond.flow_records, 0U);
    EXPECT_EQ(dropped(beyond, DropReason::kMalformed), 1U);
}

TEST_F(KnownBugsTest, Cve2026_48684TheScopesOfAnOptionsTemplateLieInsideItsSet) {
    const auto options = [](std::uint16_t scope_bytes, std::uint16_t option_bytes) {
        return set(1, WireBytes{}.u16(256).u16(scope_bytes).u16(option_bytes).u16(1).u16(4).u16(34).u16(4));
    };
    EXPECT_EQ(decode9({options(4, 4)}).options_templates, 1U);
    for (const auto& [scope, option] :
         {std::pair{65532, 4}, {4, 65532}, {65532, 65532}, {3, 4}, {4, 5}, {12, 4}}) {
        const DecodeReport report =
            decode9({options(static_cast<std::uint16_t>(scope), static_cast<std::uint16_t>(option))});
        EXPECT_EQ(report.options_templates, 0U) << scope << ' ' << option;
        EXPECT_EQ(dropped(report, DropReason::kBadTemplate), 1U) << scope << ' ' << option;
    }
    expect_alive();
}

TEST_F(KnownBugsTest, Cve2026_48689ARecordThatFillsTheLargestDatagramIsRead) {
    decode(netflow9({}, {netflow9_template(256, {{82, 65000}, {1, 4}})}));
    EXPECT_EQ(decode(netflow9({.sequence = 1}, {set(256, WireBytes{}.fill(65000, 1).u32(7))})).flow_records,
              1U);
    EXPECT_EQ(only().bytes, 7U);
}

TEST_F(KnownBugsTest, GhsaPh88ATemplateReplacedInOneDatagramDecodesWhatFollowsIt) {
    const DecodeReport report = decode9({netflow9_template(256, kSmall), set(256, small(1, 2, 3)),
                                         netflow9_template(256, {{1, 4}}), set(256, WireBytes{}.u32(50))});
    EXPECT_EQ(report.flow_records, 2U);
    EXPECT_EQ(report.bytes, 52U);
}

TEST_F(KnownBugsTest, Fastnetmon1029ASetOfNoLengthEndsTheDatagram) {
    decode9({netflow9_template(256, kSmall)});
    for (const std::uint16_t length : std::initializer_list<std::uint16_t>{0, 1, 2, 3}) {
        const DecodeReport report =
            decode9({set(256, small(1, 2, 3)), set_of_length(256, length, small(1, 2, 3))});
        EXPECT_EQ(report.flow_records, 1U) << length;
        EXPECT_EQ(dropped(report, DropReason::kMalformed), 1U) << length;
    }
}

TEST_F(KnownBugsTest, Goflow2_330TemplatesStayWhileOthersChurn) {
    decode(netflow9({}, {netflow9_template(256, kSmall)}), exporter(1));
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const auto id = static_cast<std::uint16_t>(256 + i);
        decode(netflow9({}, {netflow9_template(id, {{1, 4}})}), exporter(2));
    }
    EXPECT_EQ(decode(netflow9({.sequence = 1}, {set(256, small(1, 2, 3))}), exporter(1)).flow_records, 1U);
    EXPECT_EQ(decoder_.template_count(), 1U + 1024U);
}

TEST_F(KnownBugsTest, Pmacct934AFieldOfTheWrongLengthIsAbsent) {
    const DecodeReport report =
        decode9({netflow9_template(256, {{8, 64}, {27, 4}, {1, 9}, {56, 64}, {12, 4}}),
                 set(256, WireBytes{}.fill(64, 0xff).u32(1).fill(9, 0xff).fill(64, 0xff).u32(7))});
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(only().fields, FlowFields{FlowField::kDestination});
    EXPECT_EQ(only().destination, address("0.0.0.7"));
}

TEST_F(KnownBugsTest, Pmacct923AReplacedTemplateIsSavedOnce) {
    for (std::uint16_t width = 1; width <= 8; ++width) {
        decode9({netflow9_template(256, Fields(width, {1, width})), set(256, WireBytes{}.fill(64, 1))});
    }
    const auto saved = decoder_.take_changed(10);
    ASSERT_EQ(saved.size(), 1U);
    Decoder other({}, sink_);
    EXPECT_TRUE(other.restore(saved.front(), now_));
    EXPECT_EQ(other.template_count(), 1U);
}

TEST_F(KnownBugsTest, Pmacct100VariableLengthFieldsNeverReadBehindTheirSet) {
    decode(ipfix({}, {ipfix_template(256, {{371, kOpen}, {1, 4}})}));
    for (unsigned length = 0; length < 256; ++length) {
        const DecodeReport report =
            decode(ipfix({}, {set(256, WireBytes{}.u8(length).u8(1).u8(2).u8(3).u32(4))}));
        EXPECT_LE(report.flow_records, 2U) << length;
        EXPECT_EQ(dropped(report, DropReason::kBudget), 0U);
    }
    EXPECT_EQ(dropped(decode(ipfix({}, {set(256, WireBytes{}.u8(255).u16(65535).u8(1).u32(4))})),
                      DropReason::kMalformed),
              1U);
}

TEST_F(KnownBugsTest, Cve2019_14459AWithdrawalNeedsNothingBehindItsHead) {
    decode(ipfix({}, {ipfix_template(256, kSmall)}));
    const DecodeReport report = decode(ipfix(
        {},
        {set_of_length(2, 8, WireBytes{}.u16(256).u16(0)), set_of_length(3, 8, WireBytes{}.u16(256).u16(0)),
         set_of_length(2, 6, WireBytes{}.u16(257)), set_of_length(2, 4, {}), set_of_length(3, 4, {})}));
    EXPECT_EQ(decoder_.template_count(), 0U);
    EXPECT_EQ(report.templates, 0U);
    EXPECT_EQ(dropped(report, DropReason::kBadTemplate), 1U) << "an id alone";
    expect_alive();
}

TEST_F(KnownBugsTest, Nfdump179AnOptionsTemplateReplacedByADataTemplateIsForgotten) {
    decode(ipfix({}, {ipfix_options(256, {{149, 4}}, {{34, 4}}), set(256, WireBytes{}.u32(1).u32(10))}));
    const DecodeReport report = decode(ipfix({}, {ipfix_template(256, kSmall), set(256, small(1, 2, 3))}));
    EXPECT_EQ(report.flow_records, 1U);
    EXPECT_EQ(report.options_records, 0U);
    EXPECT_EQ(decoder_.template_count(), 1U);
}

TEST_F(KnownBugsTest, Nfdump179LengthsThatAddUpBeyondADatagramAreRefused) {
    for (const std::uint16_t length : std::initializer_list<std::uint16_t>{65534, 32768, 21846}) {
        const DecodeReport report =
            decode9({netflow9_template(256, {{82, length}, {83, length}, {84, length}, {1, 4}}),
                     netflow9_options(257, {{1, length}}, {{83, length}, {84, length}}),
                     set(256, small(1, 2, 3)), set(257, small(1, 2, 3))});
        EXPECT_EQ(dropped(report, DropReason::kBadTemplate), 2U) << length;
        EXPECT_EQ(report.flow_records, 0U);
    }
}

TEST_F(KnownBugsTest, Nfdump179EmptyListsMakeProgress) {
    const DecodeReport report =
        decode(ipfix({}, {ipfix_template(256, {{293, kOpen}}), set(256, WireBytes{}.fill(4000))}));
    EXPECT_EQ(report.flow_records, 4000U);
}

TEST_F(KnownBugsTest, Vflow94TheSameIdInTwoDomainsIsTwoTemplates) {
    decode(ipfix({.domain = 1}, {ipfix_template(256, {{1, 4}})}));
    decode(ipfix({.domain = 2}, {ipfix_template(256, {{2, 4}})}));
    decode(ipfix({.domain = 1}, {set(256, WireBytes{}.u32(5))}));
    EXPECT_EQ(only().bytes, 5U);
    EXPECT_EQ(only().packets, 0U);
}

TEST_F(KnownBugsTest, Telegraf14370NumbersOfNoBytesAreAbsent) {
    decode9({netflow9_template(256, {{1, 0}, {7, 0}, {34, 0}, {12, 4}}), set(256, WireBytes{}.u32(7))});
    EXPECT_EQ(only().fields, FlowFields{FlowField::kDestination});
    EXPECT_EQ(only().bytes, 0U);
    EXPECT_EQ(only().sampling_source, SamplingSource::kNone);
}

TEST_F(KnownBugsTest, NetflowParser56FieldsOfNoWidthDoNotLoop) {
    decode9({netflow9_template(256, {{1, 0}, {82, 1}})});
    const DecodeReport report = decode9({set(256, WireBytes{}.fill(40'000, 1))});
    EXPECT_EQ(report.flow_records, 16'384U);
    EXPECT_EQ(dropped(report, DropReason::kBudget), 40'000U - 16'384U);
}

TEST_F(KnownBugsTest, Cve2014_6424ACutTemplateIsNotUsed) {
    const WireBytes whole = template_record(256, kSmall);
    for (std::size_t size = 1; size < whole.size(); ++size) {
        const DecodeReport report =
            decode9({set_of_length(0, static_cast<std::uint16_t>(4 + size), whole.cut(size))});
        EXPECT_EQ(report.templates, 0U) << size;
        EXPECT_LE(dropped(report), 1U);
    }
    EXPECT_EQ(decoder_.template_count(), 0U);
    expect_alive();
}

TEST_F(KnownBugsTest, Filebeat13821AnIdleTemplateTakesNoOtherWithIt) {
    decode9({netflow9_template(256, kSmall), netflow9_template(257, kSmall)});
    now_ += std::chrono::hours{5};
    decode9({set(256, small(1, 2, 3)), netflow9_template(258, kSmall)});
    EXPECT_EQ(decode9({set(256, small(1, 2, 3)), set(257, small(1, 2, 3))}).flow_records, 2U);
}

TEST_F(KnownBugsTest, Filebeat13821SequencesOfDomainsAreNotMixedUp) {
    for (std::uint32_t i = 0; i < 10; ++i) {
        EXPECT_EQ(decode(netflow9({.sequence = 100 + i, .source_id = 1}, {})).lost_datagrams, 0U);
        EXPECT_EQ(decode(netflow9({.sequence = 90'000 + i, .source_id = 2}, {})).lost_datagrams, 0U);
        EXPECT_EQ(decode(ipfix({.sequence = 7, .domain = 1}, {})).lost_records, 0U);
    }
}

TEST_F(KnownBugsTest, Cve2022_2529ASmallDatagramCannotGrowMemory) {
    // 65,535 fields are promised, 65,535 records, 65,535 scopes: nothing is set aside for any of them.
    for (const WireBytes& promise :
         {set(0, WireBytes{}.u16(256).u16(65535)), set(1, WireBytes{}.u16(256).u16(65532).u16(65532))}) {
        const DecodeReport report = decode9({promise});
        EXPECT_EQ(dropped(report, DropReason::kBadTemplate), 1U);
    }
    EXPECT_EQ(dropped(decode(netflow5({.more = 65535}, {})), DropReason::kMalformed), 1U);
    EXPECT_EQ(dropped(decode(ipfix({}, {set(3, WireBytes{}.u16(256).u16(65535).u16(65535))})),
                      DropReason::kBadTemplate),
              1U);
    EXPECT_EQ(decoder_.template_count(), 0U);
}

}  // namespace
}  // namespace cam::decode
