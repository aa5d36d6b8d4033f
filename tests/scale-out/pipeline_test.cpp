#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include <spdlog/fmt/fmt.h>

#include "cam/aggregate/minute_counter.h"
#include "cam/clickhouse/minute_reader.h"
#include "cam/clickhouse/plan_writer.h"
#include "cam/clickhouse/record_writer.h"
#include "cam/clickhouse/schema.h"
#include "fakes/model/flow_records.h"
#include "scale-out/engine.h"

namespace cam::clickhouse {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::prefix;

constexpr MinuteTime kMinute{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27} + 10h};
constexpr WallTime kNow{kMinute + 12s};

Router router(const std::string& at, std::uint32_t sampling) {
    return {.id = "1", .name = "it's\ta \\ router", .address = address(at), .default_sampling = sampling};
}

/// Flow records of all kinds, the same for the same seed.
std::vector<FlowRecord> records_of(std::uint32_t seed, std::size_t count) {
    std::mt19937 random{seed};
    const auto below = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % most; };
    std::vector<FlowRecord> out;
    for (std::size_t i = 0; i < count; ++i) {
        FlowRecord record;
        record.fields = {FlowField::kSource,          FlowField::kDestination, FlowField::kProtocol,
                         FlowField::kBytes,           FlowField::kPackets,     FlowField::kSourcePort,
                         FlowField::kDestinationPort, FlowField::kSourceAs,    FlowField::kInputInterface};
        const auto byte = [&below] { return static_cast<std::uint8_t>(below(4)); };
        if (below(3) == 0) {
            std::array<std::uint8_t, 16> v6{0x20, 0x01, 0x0d, 0xb8};
            v6[5] = byte();
            record.destination = IpAddress::v6(v6);
            v6[7] = byte();
            record.source = IpAddress::v6(v6);
        } else {
            record.destination = IpAddress::v4({10, byte(), byte(), byte()});
            record.source = IpAddress::v4({192, 0, byte(), byte()});
        }
        constexpr std::array<std::uint8_t, 8> kProtocols{1, 6, 6, 6, 17, 47, 50, 132};
        record.protocol = kProtocols.at(below(8));
        if (record.protocol == 6) record.fields.add(FlowField::kTcpFlags);
        record.tcp_flags = static_cast<std::uint16_t>(below(64));
        record.bytes = below(100) == 0 ? UINT64_MAX / 2 : 40 + below(1'000'000);
        record.packets = 1 + below(1000);
        record.source_port = static_cast<std::uint16_t>(below(5));
        record.destination_port = 443;
        record.source_as = below(3);
        record.input_interface = below(3);
        if (below(2) == 0) {
            record.sampling = SamplingRate::one_in(1 + below(1000)).value();
            record.sampling_source = SamplingSource::kOptions;
        }
        out.push_back(record);
    }
    return out;
}

using Figures = std::map<Prefix, ClassVolumes>;

Figures figures(const std::vector<PrefixMinute>& prefixes) {
    Figures out;
    for (const PrefixMinute& one : prefixes) EXPECT_TRUE(out.emplace(one.prefix, one.classes).second);
    return out;
}

class PipelineTest : public test::EngineTest {
protected:
    void SetUp() override {
        EngineTest::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        const auto made = migrate(*client, {.password = Secret{test::Engine::kPassword}}, {});
        ASSERT_TRUE(made) << made.error().detail;
        plan.prefixes = {prefix("10.0.0.0/8"),   prefix("10.1.0.0/16"),   prefix("10.1.2.0/24"),
                         prefix("10.1.2.3/32"),  prefix("2001:db8::/32"), prefix("2001:db8:1::/48"),
                         prefix("172.16.0.0/12")};
        plan.routers = {router("198.51.100.1", 50), router("2001:db8:ffff::1", 20)};
        writer = std::make_unique<RecordWriter>(*client, RecordWriter::Options{});
        reader = std::make_unique<MinuteReader>(*client);
    }
    void write_plan() {
        const auto written = PlanWriter{*client, ""}.write(plan, kNow, {});
        ASSERT_TRUE(written) << written.error().detail;
    }
    void send(const ExporterKey& exporter, WallTime at, const std::vector<FlowRecord>& records) {
        RecordEncoder encoder{"test/0"};
        encoder.add(exporter, at, records);
        writer->add(encoder.take(), SteadyTime{});
        writer->close_batch();
        const Status written = writer->write(SteadyTime{}, {});
        ASSERT_TRUE(written) << written.error().detail;
    }
    ReadMinute read(MinuteTime at) {
        auto got = reader->minute(at, {});
        EXPECT_TRUE(got) << got.error().detail;
        return got ? *got : ReadMinute{};
    }

    Plan plan;
    std::unique_ptr<RecordWriter> writer;
    std::unique_ptr<MinuteReader> reader;
    ExporterKey first{address("198.51.100.1")};
    ExporterKey second{address("2001:db8:ffff::1")};
    ExporterKey unknown{address("203.0.113.9")};
};

TEST_F(PipelineTest, CountsTheSameAsTheProgramItself) {
    write_plan();
    std::vector<std::pair<ExporterKey, SamplingRate>> sampling;
    for (const Router& one : plan.routers) {
        sampling.emplace_back(ExporterKey{one.address}, SamplingRate::one_in(one.default_sampling).value());
    }
    const auto counting =
        aggregate::CountingPlan::compile({.prefixes = plan.prefixes, .default_sampling = sampling});
    aggregate::MinuteCounter counter{{}, counting};
    std::uint32_t seed = 1;
    for (const ExporterKey& exporter : {first, second, unknown}) {
        const std::vector<FlowRecord> records = records_of(seed++, 4000);
        send(exporter, kNow, records);
        counter.count(exporter, records);
    }
    const ReadMinute from_engine = read(kMinute);
    const aggregate::CountedMinute ours = counter.close(kMinute, counting);
    EXPECT_EQ(from_engine.version.records, 12'000U);
    ASSERT_EQ(from_engine.prefixes.size(), 6U) << "172.16.0.0/12 has no traffic";
    EXPECT_EQ(figures(from_engine.prefixes), figures(ours.prefixes));
}

TEST_F(PipelineTest, ARecordIsCountedUnderExactlyOnePlan) {
    write_plan();
    send(first, kNow, records_of(1, 1000));
    const auto before = figures(read(kMinute).prefixes);
    plan.prefixes = {prefix("10.0.0.0/8"), prefix("10.2.0.0/16")};
    write_plan();
    send(first, kNow + 60s, records_of(1, 1000));
    const auto after = figures(read(kMinute + 1min).prefixes);
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after.at(prefix("10.0.0.0/8")), before.at(prefix("10.0.0.0/8")));
    EXPECT_GT(after.at(prefix("10.2.0.0/16"))[0].flows, 0U);
    EXPECT_EQ(figures(read(kMinute).prefixes), before) << "what was counted stays";
    EXPECT_EQ(ask("SELECT count(), uniqExact(generation) FROM plan_prefixes"), "9\t2");
    plan.prefixes = {};
    write_plan();
    send(first, kNow + 120s, records_of(1, 10));
    EXPECT_TRUE(read(kMinute + 2min).prefixes.empty());
    EXPECT_EQ(ask("SELECT uniqExact(generation) FROM plan_prefixes"), "1") << "only the plan before stays";
}

TEST_F(PipelineTest, ALostAnswerCountsNothingTwice) {
    write_plan();
    RecordEncoder encoder{"test/0"};
    encoder.add(first, kNow, records_of(7, 5000));
    writer->add(encoder.take(), SteadyTime{});
    writer->close_batch();
    // The server acts, and its answer does not arrive.
    engine->pause();
    auto impatient = engine->options();
    impatient.total = 700ms;
    auto other = Client::open(impatient);
    ASSERT_TRUE(other);
    RecordWriter hasty{**other, {.total = 700ms}};
    RecordEncoder same{"test/0"};
    same.add(first, kNow, records_of(8, 5000));
    hasty.add(same.take(), SteadyTime{});
    hasty.close_batch();
    const Status lost = hasty.write(SteadyTime{}, {});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(hasty.counts().rows_waiting, 5000U) << "not forgotten";
    engine->go_on();
    ASSERT_TRUE(test::eventually([this] { return ask("SELECT count() FROM raw") == "5000"; }, 20s))
        << "the first attempt arrived after all";
    Status again = hasty.write(SteadyTime{}, {});
    for (int attempt = 0; !again && attempt < 20; ++attempt) again = hasty.write(SteadyTime{}, {});
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(ask("SELECT count() FROM raw"), "5000");
    EXPECT_EQ(read(kMinute).version.records, 5000U);
    EXPECT_EQ(ask("SELECT sum(records) FROM collector_minutes"), "5000");
    EXPECT_EQ(ask("SELECT sum(m) FROM (SELECT sum(flows) AS m FROM interface_minutes GROUP BY direction)"),
              ask("SELECT 2 * sum(toUInt128(rate)) FROM raw"));
    EXPECT_EQ(hasty.counts().rows_written, 5000U);
}

TEST_F(PipelineTest, RowsOfTheSameContentsInTwoBatchesBothCount) {
    write_plan();
    send(first, kNow, records_of(3, 100));
    send(first, kNow, records_of(3, 100));
    EXPECT_EQ(ask("SELECT count() FROM raw"), "200");
    EXPECT_EQ(read(kMinute).version.records, 200U);
}

TEST_F(PipelineTest, TheBlocksOfABatchAreStoredAsOnePart) {
    write_plan();
    ask("SYSTEM STOP MERGES raw");
    RecordEncoder encoder{"test/0"};
    for (std::uint32_t i = 0; i < 20; ++i) {
        encoder.add(first, kNow, records_of(i, 50));
        writer->add(encoder.take(), SteadyTime{});
    }
    writer->close_batch();
    ASSERT_TRUE(writer->write(SteadyTime{}, {}));
    EXPECT_EQ(ask("SELECT count() FROM raw"), "1000");
    EXPECT_EQ(ask("SELECT count() FROM system.parts WHERE database = 'flows' AND table = 'raw' AND active"),
              "1");
}

TEST_F(PipelineTest, WhatIsAcknowledgedOutlivesAKilledEngine) {
    write_plan();
    send(first, kNow, records_of(1, 1000));
    const auto before = figures(read(kMinute).prefixes);
    engine->kill();
    RecordEncoder encoder{"test/0"};
    encoder.add(first, kNow + 60s, records_of(2, 500));
    writer->add(encoder.take(), SteadyTime{});
    writer->close_batch();
    const Status down = writer->write(SteadyTime{}, {});
    ASSERT_FALSE(down);
    EXPECT_EQ(down.error().code, ErrorCode::kUnreachable);
    engine->start();
    ASSERT_TRUE(writer->write(SteadyTime{}, {}));
    EXPECT_EQ(figures(read(kMinute).prefixes), before);
    EXPECT_EQ(read(kMinute + 1min).version.records, 500U);
    EXPECT_EQ(writer->counts().rows_written, 1500U);
    EXPECT_EQ(writer->counts().failures, 1U);
}

TEST_F(PipelineTest, LateRecordsChangeTheVersionOfTheirMinuteOnly) {
    write_plan();
    for (int i = 0; i < 5; ++i) send(first, kNow + i * 60s, records_of(1, 100));
    const auto before = reader->minutes(kMinute, kMinute + 10min, {});
    ASSERT_TRUE(before);
    ASSERT_EQ(before->size(), 5U);
    EXPECT_EQ(before->front(), (MinuteVersion{kMinute, 100}));
    send(second, kNow + 120s, records_of(2, 7));
    const auto after = reader->minutes(kMinute, kMinute + 10min, {});
    ASSERT_TRUE(after);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ((*after)[i].records, i == 2 ? 107U : 100U) << i;
    std::vector<MinuteVersion> streamed;
    ASSERT_TRUE(reader->read_minutes(kMinute, kMinute + 60min,
                                     [&](const ReadMinute& one) { streamed.push_back(one.version); }, {}));
    EXPECT_EQ(streamed, *after);
    EXPECT_EQ(reader->minute(kMinute + 30min, {})->version.records, 0U);
}

TEST_F(PipelineTest, TellsHowFarEachSourceHasCome) {
    write_plan();
    RecordEncoder one{"edge-a/0"};
    RecordEncoder other{std::string(300, 'b')};
    one.add(first, kNow, records_of(1, 10));
    one.add(first, kNow + 45s, records_of(1, 1));
    other.add(second, kNow + 500ms, records_of(1, 3));
    writer->add(one.take(), SteadyTime{});
    writer->add(other.take(), SteadyTime{});
    writer->close_batch();
    ASSERT_TRUE(writer->write(SteadyTime{}, {}));
    const auto progress = reader->progress(kMinute, {});
    ASSERT_TRUE(progress) << progress.error().detail;
    ASSERT_EQ(progress->size(), 2U);
    EXPECT_EQ(progress->at(0).collector, std::string(255, 'b'));
    EXPECT_EQ(progress->at(0).newest, kNow + 500ms);
    EXPECT_EQ(progress->at(1).collector, "edge-a/0");
    EXPECT_EQ(progress->at(1).newest, kNow + 45s);
    EXPECT_EQ(progress->at(1).records, 11U);
    EXPECT_TRUE(reader->progress(kMinute + 5min, {})->empty());
}

TEST_F(PipelineTest, NamesTheContributorsOfAPrefix) {
    write_plan();
    ask("INSERT INTO country_networks VALUES ('192.0.0.0/16', 'CH')");
    ask("SYSTEM RELOAD DICTIONARY countries");
    FlowRecord record = test::flow(address("10.1.2.3"), {.packets = 2,
                                                         .source = "192.0.2.77",
                                                         .source_port = std::uint16_t{53},
                                                         .destination_port = std::uint16_t{4444}});
    record.fields.add({FlowField::kSourceAs, FlowField::kInputInterface});
    record.source_as = 64500;
    record.input_interface = 12;
    std::vector<FlowRecord> records(3, record);
    records[2].source = address("192.0.3.1");
    records[2].destination = address("10.9.9.9");
    records[2].source_as = 0;
    send(first, kNow, records);
    const auto of = [&](const std::string& whom, TrafficFacet facet) {
        auto found = reader->contributors(prefix(whom), kMinute, kMinute + 5min, facet, 5, {});
        EXPECT_TRUE(found) << found.error().detail;
        std::string text;
        for (const Contributor& one : *found) {
            text +=
                fmt::format("{}={}/{}/{} ", one.key, one.volume.bytes, one.volume.packets, one.volume.flows);
        }
        return text;
    };
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kSource), "192.0.2.0/24=2000/4/2 192.0.3.0/24=1000/2/1 ");
    EXPECT_EQ(of("10.1.2.0/24", TrafficFacet::kSource), "192.0.2.0/24=2000/4/2 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kSourceAs), "64500=2000/4/2 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kSourceCountry), "CH=3000/6/3 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kSourcePort), "17/53=3000/6/3 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kDestinationPort), "17/4444=3000/6/3 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kDestination), "10.1.2.3=2000/4/2 10.9.9.9=1000/2/1 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kInterface), "198.51.100.1#12=3000/6/3 ");
    EXPECT_EQ(of("10.0.0.0/8", TrafficFacet::kExporter), "198.51.100.1=3000/6/3 ");
    EXPECT_EQ(of("172.16.0.0/12", TrafficFacet::kExporter), "");
}

TEST_F(PipelineTest, ChartsTellCollectedMinutesFromSilence) {
    write_plan();
    const std::vector<FlowRecord> small = records_of(1, 10);
    send(first, kNow, small);
    send(first, kNow + 60s, small);
    send(first, kNow + 60s, small);
    send(first, kNow + 240s, small);
    const auto chart = reader->series(prefix("10.0.0.0/8"), kMinute, kMinute + 5min, 2min, {});
    ASSERT_TRUE(chart) << chart.error().detail;
    ASSERT_EQ(chart->size(), 3U);
    const auto minutes = figures(read(kMinute).prefixes);
    const Volume once = minutes.at(prefix("10.0.0.0/8"))[0];
    EXPECT_EQ(chart->at(0).collected, 2U);
    EXPECT_EQ(chart->at(0).sum[0].packets, 3 * once.packets);
    EXPECT_EQ(chart->at(0).peak.packets, 2 * once.packets);
    EXPECT_EQ(chart->at(1).collected, 0U);
    EXPECT_EQ(chart->at(2).collected, 1U);
    const auto idle = reader->series(prefix("172.16.0.0/12"), kMinute, kMinute + 1min, 1min, {});
    ASSERT_TRUE(idle);
    EXPECT_EQ(idle->at(0).collected, 1U) << "silent, not unknown";
    EXPECT_TRUE(idle->at(0).sum[0].empty());
    EXPECT_EQ(reader->series(prefix("10.0.0.0/8"), kMinute, kMinute + 1min, 0min, {}).error().code,
              ErrorCode::kInvalid);
}

}  // namespace
}  // namespace cam::clickhouse
