#include <bit>
#include <limits>

#include "unit/decode/decoder_fixture.h"

namespace cam::decode {
namespace {

using namespace test;

class SamplingTest : public DecoderTest {
protected:
    void expect_rate(std::uint32_t n, SamplingSource source) const {
        EXPECT_EQ(only().sampling.n(), n);
        EXPECT_EQ(only().sampling_source, source);
    }
    /// One record of these fields, by v9.
    void decode_record(const Fields& fields, const WireBytes& body) {
        decode9({netflow9_template(256, fields), set(256, body)});
    }
    void tell(const Fields& scopes, const Fields& options, const WireBytes& body) {
        const DecodeReport report = decode9({netflow9_options(300, scopes, options), set(300, body)});
        EXPECT_EQ(report.options_templates, 1U);
        EXPECT_GE(report.options_records, 1U);
    }
};

TEST_F(SamplingTest, ARecordMayTellItsRateInManyWays) {
    decode_record({{34, 4}}, WireBytes{}.u32(100));
    expect_rate(100, SamplingSource::kRecord);
    decode_record({{50, 4}}, WireBytes{}.u32(200));
    expect_rate(200, SamplingSource::kRecord);
    decode_record({{306, 4}, {305, 4}}, WireBytes{}.u32(999).u32(1));
    expect_rate(1000, SamplingSource::kRecord);
    decode_record({{305, 4}}, WireBytes{}.u32(64));
    expect_rate(64, SamplingSource::kRecord);
    decode_record({{309, 4}, {310, 4}}, WireBytes{}.u32(10).u32(5000));
    expect_rate(500, SamplingSource::kRecord);
    decode_record({{311, 8}}, WireBytes{}.u64(std::bit_cast<std::uint64_t>(0.001)));
    expect_rate(1000, SamplingSource::kRecord);
    decode_record({{311, 4}}, WireBytes{}.u32(std::bit_cast<std::uint32_t>(0.0005F)));
    expect_rate(2000, SamplingSource::kRecord);
}

TEST_F(SamplingTest, ARateThatIsNoWholeNumberIsTheNearest) {
    decode_record({{309, 4}, {310, 4}}, WireBytes{}.u32(2).u32(3));
    expect_rate(2, SamplingSource::kRecord);
    decode_record({{305, 4}, {306, 4}}, WireBytes{}.u32(10).u32(19'985));  // 1 in 1999.5
    expect_rate(2000, SamplingSource::kRecord);
    decode_record({{305, 4}, {306, 4}}, WireBytes{}.u32(3).u32(4));
    expect_rate(2, SamplingSource::kRecord);
    decode_record({{309, 8}, {310, 8}}, WireBytes{}.u64(std::numeric_limits<std::uint64_t>::max()).u64(1));
    expect_rate(1, SamplingSource::kNone);
}

TEST_F(SamplingTest, AProbabilityInOptionsMayHaveFourBytes) {
    tell({{1, 4}}, {{311, 4}}, WireBytes{}.u32(1).u32(std::bit_cast<std::uint32_t>(0.001F)));
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1000, SamplingSource::kOptions);
}

TEST_F(SamplingTest, ARateOfZeroIsNotToldAndTheNextSourceCounts) {
    tell({{1, 4}}, {{34, 4}}, WireBytes{}.u32(1).u32(512));
    decode_record({{34, 4}}, WireBytes{}.u32(0));
    expect_rate(512, SamplingSource::kOptions);
    tell({{1, 4}}, {{34, 4}}, WireBytes{}.u32(1).u32(0));
    decode_record({{34, 4}}, WireBytes{}.u32(0));
    expect_rate(512, SamplingSource::kOptions);
    decode_record({{305, 4}, {306, 4}}, WireBytes{}.u32(0).u32(9));
    expect_rate(512, SamplingSource::kOptions);
    decode_record({{309, 4}, {310, 4}}, WireBytes{}.u32(0).u32(9));
    expect_rate(512, SamplingSource::kOptions);
    for (const double absurd : {0.0, -1.0, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
        decode_record({{311, 8}}, WireBytes{}.u64(std::bit_cast<std::uint64_t>(absurd)));
        expect_rate(512, SamplingSource::kOptions);
    }
}

TEST_F(SamplingTest, OptionsOfSamplersCountForTheRecordsThatNameThem) {
    tell({{1, 4}}, {{48, 1}, {49, 1}, {50, 4}},
         WireBytes{}.u32(1).u8(7).u8(2).u32(1000).u32(1).u8(8).u8(2).u32(2000));
    decode_record({{48, 2}, {1, 4}}, WireBytes{}.u16(8).u32(1));
    expect_rate(2000, SamplingSource::kOptions);
    decode_record({{302, 4}, {1, 4}}, WireBytes{}.u32(7).u32(1));
    expect_rate(1000, SamplingSource::kOptions);
    decode_record({{48, 2}, {1, 4}}, WireBytes{}.u16(0).u32(1));
    expect_rate(1, SamplingSource::kNone);
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1, SamplingSource::kNone);  // of two samplers, neither
}

TEST_F(SamplingTest, TheOnlySamplerCountsForRecordsThatNameNone) {
    tell({{1, 4}}, {{48, 1}, {34, 4}}, WireBytes{}.u32(1).u8(7).u32(1000));
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1000, SamplingSource::kOptions);
    decode_record({{48, 4}}, WireBytes{}.u32(3));
    expect_rate(1, SamplingSource::kNone);
}

TEST_F(SamplingTest, OptionsOfInterfacesCountForWhatCameIn) {
    tell({{2, 4}}, {{34, 4}}, WireBytes{}.u32(11).u32(100).u32(12).u32(400));  // v9's scope of interfaces
    decode9({netflow9_template(256, {{10, 4}}), set(256, WireBytes{}.u32(12).u32(11).u32(13))});
    ASSERT_EQ(kept().size(), 3U);
    EXPECT_EQ(kept().at(0).sampling.n(), 400U);
    EXPECT_EQ(kept().at(1).sampling.n(), 100U);
    EXPECT_EQ(kept().at(2).sampling_source, SamplingSource::kNone);
}

TEST_F(SamplingTest, OptionsThatNameSamplerAndInterfaceCountForRecordsThatNameEither) {
    tell({{2, 4}}, {{48, 1}, {50, 4}}, WireBytes{}.u32(11).u8(1).u32(1000).u32(12).u8(2).u32(200));
    decode_record({{10, 4}, {1, 4}}, WireBytes{}.u32(12).u32(1));
    expect_rate(200, SamplingSource::kOptions);
    decode_record({{48, 2}, {1, 4}}, WireBytes{}.u16(1).u32(1));
    expect_rate(1000, SamplingSource::kOptions);
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1, SamplingSource::kNone);
}

TEST_F(SamplingTest, TheOnlySamplerCountsThoughItsInterfacesAreNamed) {
    tell({{2, 4}}, {{48, 1}, {50, 4}}, WireBytes{}.u32(11).u8(1).u32(1000).u32(12).u8(1).u32(1000));
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1000, SamplingSource::kOptions);
}

TEST_F(SamplingTest, TheOnlySamplerCountsHoweverManyOfItsInterfacesAreNamed) {
    constexpr std::uint32_t kInterfaces = 200;
    WireBytes rates;
    for (std::uint32_t i = 1; i <= kInterfaces; ++i) rates.u32(i).u8(1).u32(1000);
    tell({{2, 4}}, {{48, 1}, {50, 4}}, rates);
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1000, SamplingSource::kOptions);
    decode_record({{10, 4}, {1, 4}}, WireBytes{}.u32(0).u32(1));
    expect_rate(1000, SamplingSource::kOptions);  // an interface that is not listed
    tell({{2, 4}}, {{50, 4}}, WireBytes{}.u32(150).u32(50));
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1, SamplingSource::kNone);  // one interface says otherwise
    tell({{2, 4}}, {{50, 4}}, WireBytes{}.u32(150).u32(1000));
    decode_record({{1, 4}}, WireBytes{}.u32(1));
    expect_rate(1000, SamplingSource::kOptions);
}

TEST_F(SamplingTest, AScopeOfV9IsNotTheElementOfItsNumber) {
    tell({{1, 4}, {5, 2}}, {{34, 4}}, WireBytes{}.u32(99).u16(1).u32(100));
    EXPECT_EQ(report_of().sampling.at(0).scope, SamplingScope::kDomain);
}

TEST_F(SamplingTest, OptionsOfTheSelectorAndOfADomainCountInIpfix) {
    decode(ipfix({.domain = 5}, {ipfix_options(300, {{302, 8}}, {{304, 2}, {305, 4}, {306, 4}}),
                                 set(300, WireBytes{}.u64(21).u16(1).u32(1).u32(255)),
                                 ipfix_template(256, {{302, 4}}), set(256, WireBytes{}.u32(21))}));
    expect_rate(256, SamplingSource::kOptions);
    decode(ipfix({.domain = 1},
                 {ipfix_options(301, {{149, 4}}, {{34, 4}}), set(301, WireBytes{}.u32(6).u32(77))}));
    decode(ipfix({.domain = 6}, {ipfix_template(256, {{1, 4}}), set(256, WireBytes{}.u32(1))}));
    expect_rate(77, SamplingSource::kOptions);
    decode(ipfix({.domain = 1}, {ipfix_template(256, {{1, 4}}), set(256, WireBytes{}.u32(1))}));
    expect_rate(1, SamplingSource::kNone);
}

TEST_F(SamplingTest, ADomainThatToldNothingGoesByDomainZero) {
    decode(netflow9({.source_id = 0},
                    {netflow9_options(300, {{1, 4}}, {{34, 4}}), set(300, WireBytes{}.u32(1).u32(50))}));
    decode(netflow9({.source_id = 9}, {netflow9_template(256, {{1, 4}}), set(256, WireBytes{}.u32(1))}));
    expect_rate(50, SamplingSource::kOptions);
    decode(netflow9({.source_id = 9},
                    {netflow9_options(300, {{1, 4}}, {{34, 4}}), set(300, WireBytes{}.u32(1).u32(60))}));
    decode(netflow9({.source_id = 9}, {set(256, WireBytes{}.u32(1))}));
    expect_rate(60, SamplingSource::kOptions);
}

TEST_F(SamplingTest, OptionsOfOneExporterDoNotCountForAnother) {
    tell({{1, 4}}, {{34, 4}}, WireBytes{}.u32(1).u32(512));
    decode(netflow9({}, {netflow9_template(256, {{1, 4}}), set(256, WireBytes{}.u32(1))}), exporter(2));
    expect_rate(1, SamplingSource::kNone);
}

TEST_F(SamplingTest, TheRateInUseIsReportedWithItsSource) {
    tell({{1, 4}}, {{48, 1}, {34, 4}}, WireBytes{}.u32(1).u8(7).u32(1000));
    decode_record({{34, 4}}, WireBytes{}.u32(64));
    const std::vector<ExporterReport::Sampling> rows = report_of().sampling;
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows.at(0).scope, SamplingScope::kDomain);
    EXPECT_EQ(rows.at(0).rate.n(), 64U);
    EXPECT_EQ(rows.at(0).source, SamplingSource::kRecord);
    EXPECT_EQ(rows.at(1).scope, SamplingScope::kSampler);
    EXPECT_EQ(rows.at(1).sampler, 7U);
    EXPECT_EQ(rows.at(1).source, SamplingSource::kOptions);
}

}  // namespace
}  // namespace cam::decode
