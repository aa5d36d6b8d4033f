// The room `clickhouse`. What needs a server runs with CAM_CLICKHOUSE_URL (and CAM_CLICKHOUSE_PASSWORD) in a
// database `cam_bench` that it makes; without it those are left out.
#include <benchmark/benchmark.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <thread>

#include <spdlog/fmt/fmt.h>

#include "cam/clickhouse/minute_reader.h"
#include "cam/clickhouse/plan_writer.h"
#include "cam/clickhouse/record_encoder.h"
#include "cam/clickhouse/record_writer.h"
#include "cam/clickhouse/schema.h"
#include "cam/net/compression.h"
#include "clickhouse/record_block.h"

namespace {

using namespace cam;
using namespace std::chrono_literals;

constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 27} + 10h};
constexpr std::size_t kBatch = 1000;  // as a worker adds them

/// What an edge router tells of ordinary traffic: few large flows, many small ones, to a /12.
std::vector<FlowRecord> ordinary_records(std::size_t count, std::uint32_t seed = 7) {
    std::mt19937 random{seed};
    const auto below = [&random](std::uint32_t most) { return static_cast<std::uint32_t>(random()) % most; };
    const auto byte = [&random] { return static_cast<std::uint8_t>(random()); };
    std::vector<FlowRecord> out(count);
    for (FlowRecord& record : out) {
        record.fields = {FlowField::kSource,
                         FlowField::kDestination,
                         FlowField::kSourcePort,
                         FlowField::kDestinationPort,
                         FlowField::kProtocol,
                         FlowField::kBytes,
                         FlowField::kPackets,
                         FlowField::kTcpFlags,
                         FlowField::kInputInterface,
                         FlowField::kOutputInterface,
                         FlowField::kSourceAs,
                         FlowField::kDestinationAs,
                         FlowField::kStart,
                         FlowField::kEnd,
                         FlowField::kTos,
                         FlowField::kSourceMask,
                         FlowField::kDestinationMask,
                         FlowField::kNextHop};
        record.export_protocol = ExportProtocol::kNetflow9;
        record.source = IpAddress::v4({static_cast<std::uint8_t>(1 + below(200)), byte(), byte(), byte()});
        record.destination = IpAddress::v4({10, static_cast<std::uint8_t>(below(16)), byte(), byte()});
        record.protocol = below(10) < 7 ? 6 : 17;
        record.tcp_flags = record.protocol == 6 ? 0x1b : 0;
        record.source_port = below(2) == 0 ? 443 : static_cast<std::uint16_t>(1024 + below(60'000));
        record.destination_port = static_cast<std::uint16_t>(1024 + below(60'000));
        record.packets = 1 + below(below(20) == 0 ? 10'000 : 20);
        record.bytes = record.packets * (60 + below(1400));
        record.sampling = SamplingRate::one_in(1000).value();
        record.sampling_source = SamplingSource::kOptions;
        record.input_interface = 1 + below(8);
        record.output_interface = 1 + below(8);
        record.source_as = 1 + below(5000);
        record.destination_as = 64'500;
        record.start = kNow - std::chrono::milliseconds{below(60'000)};
        record.end = kNow - std::chrono::milliseconds{below(1000)};
        record.source_mask = 24;
        record.destination_mask = 22;
        record.next_hop = IpAddress::v4({192, 0, 2, 1});
    }
    return out;
}

/// As the workers hand them over: a few thousand records at once.
std::vector<clickhouse::EncodedRecords> encoded_parts(std::size_t count) {
    constexpr std::size_t kPart = 5000;
    const std::vector<FlowRecord> records = ordinary_records(count);
    std::vector<clickhouse::EncodedRecords> out;
    clickhouse::RecordEncoder encoder{"edge/0"};
    for (std::size_t at = 0; at < count; at += kPart) {
        encoder.add(ExporterKey{IpAddress::v4({192, 0, 2, 1})}, kNow, std::span{records}.subspan(at, kPart));
        out.push_back(encoder.take());
    }
    return out;
}

std::string block_of_rows(std::size_t count) {
    return clickhouse::block_of(encoded_parts(count)).bytes;
}

void encode(benchmark::State& state) {
    const std::vector<FlowRecord> records = ordinary_records(kBatch);
    const ExporterKey exporter{IpAddress::v4({192, 0, 2, 1})};
    clickhouse::RecordEncoder encoder{"edge/0"};
    std::size_t bytes = 0;
    for (auto _ : state) {
        encoder.add(exporter, kNow, records);
        if (encoder.rows() >= 100'000) bytes += encoder.take().bytes.size();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK(encode);

/// A batch as the table is sorted.
void sort(benchmark::State& state) {
    const auto rows = static_cast<std::size_t>(state.range(0));
    const auto parts = encoded_parts(rows);
    for (auto _ : state) benchmark::DoNotOptimize(clickhouse::block_of(parts));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sort)->Arg(400'000)->Unit(benchmark::kMillisecond);

void compress_by_zstd(benchmark::State& state) {
    constexpr std::size_t kRows = 100'000;
    const std::string rows = block_of_rows(kRows);
    std::size_t size = 0;
    for (auto _ : state) size = net::compress_zstd(rows).value().size();
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
    state.counters["bytes_per_row"] = static_cast<double>(size) / kRows;
}
BENCHMARK(compress_by_zstd)->Unit(benchmark::kMillisecond);

/// The alternative that was not taken: zlib at its fastest.
void compress_by_zlib(benchmark::State& state) {
    constexpr std::size_t kRows = 100'000;
    const std::string rows = block_of_rows(kRows);
    std::string out(::compressBound(rows.size()), '\0');
    uLongf size = 0;
    for (auto _ : state) {
        size = out.size();
        ::compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(rows.data()),
                    rows.size(), 1);
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
    state.counters["bytes_per_row"] = static_cast<double>(size) / kRows;
}
BENCHMARK(compress_by_zlib)->Unit(benchmark::kMillisecond);

/// A client of the server that the environment names, with a fresh schema; nullptr: none is named.
std::unique_ptr<clickhouse::Client> bench_client(benchmark::State& state) {
    const char* const url = std::getenv("CAM_CLICKHOUSE_URL");
    if (url == nullptr) {
        state.SkipWithError("CAM_CLICKHOUSE_URL is not set");
        return nullptr;
    }
    const char* const password = std::getenv("CAM_CLICKHOUSE_PASSWORD");
    const Secret secret{password == nullptr ? "" : password};
    auto client =
        clickhouse::Client::open({.url = url, .database = "cam_bench", .password = secret, .total = 120s});
    if (!client) {
        state.SkipWithError(client.error().detail.c_str());
        return nullptr;
    }
    const auto dropped = (*client)->run({.text = "DROP DATABASE IF EXISTS cam_bench SYNC", .database = ""});
    const auto made = clickhouse::migrate(**client, {.database = "cam_bench", .password = secret}, {});
    if (!dropped || !made) {
        state.SkipWithError("the schema cannot be made");
        return nullptr;
    }
    return std::move(client).value();
}

clickhouse::Plan plan_of(std::size_t prefixes) {
    clickhouse::Plan plan;
    for (std::uint32_t i = 0; i < prefixes; ++i) {
        const auto byte = [i](unsigned shift) { return static_cast<std::uint8_t>(i << 6U >> shift); };
        plan.prefixes.push_back(Prefix::covering(IpAddress::v4({10, byte(16), byte(8), byte(0)}), 26));
    }
    return plan;
}

/// Microseconds of processor that a process took so far, in user and kernel; 0 for one that is not there.
double processor_time(const std::string& pid) {
    std::ifstream file{fmt::format("/proc/{}/stat", pid)};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (text.rfind(')') == std::string::npos) return 0;
    std::istringstream fields{text.substr(text.rfind(')') + 2)};
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double kernel = 0;
    fields >> user >> kernel;
    return (user + kernel) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Batches that one thread encodes and closes while another one sends, as in the daemon; until all are
/// stored.
void insert_batches(clickhouse::RecordWriter& writer, const std::vector<std::vector<FlowRecord>>& sets,
                    std::size_t batches, WallTime& received) {
    const ExporterKey exporter{IpAddress::v4({192, 0, 2, 1})};
    const std::jthread sender([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            writer.wait(100ms, stop);
            if (const Status done = writer.write(SteadyTime{}, {}); !done) std::abort();
        }
    });
    for (std::size_t batch = 0; batch < batches; ++batch) {
        const std::vector<FlowRecord>& records = sets[batch % sets.size()];
        clickhouse::RecordEncoder encoder{"edge/0"};
        for (std::size_t at = 0; at < records.size(); at += kBatch) {
            encoder.add(exporter, received, std::span{records}.subspan(at, kBatch));
            received += 1ms;
            if (encoder.rows() >= 5 * kBatch) writer.add(encoder.take(), SteadyTime{});
        }
        writer.add(encoder.take(), SteadyTime{});
        while (writer.counts().rows_waiting > 2 * records.size()) std::this_thread::sleep_for(1ms);
    }
    while (writer.counts().rows_waiting > 0) std::this_thread::sleep_for(1ms);
}

/// Records to rows in the tables, with all minutes counted: what one writer and the server manage together.
/// With CAM_ENGINE_PID also what processor time a row costs there, until the merges have ended.
void insert(benchmark::State& state) {
    constexpr std::size_t kBatches = 8;
    const auto client = bench_client(state);
    if (client == nullptr) return;
    if (state.range(1) == 0) {  // rows alone, as if nothing were counted of them
        for (const char* view : {"raw_to_prefix_minutes", "raw_to_collector_minutes", "raw_to_source_minutes",
                                 "raw_to_interface_minutes"}) {
            if (!client->run({.text = fmt::format("DROP VIEW {} SYNC", view)}))
                state.SkipWithError("no view");
        }
    }
    if (!clickhouse::PlanWriter{*client, ""}.write(plan_of(10'000), kNow, {})) state.SkipWithError("no plan");
    const auto rows = static_cast<std::size_t>(state.range(0));
    const std::vector<std::vector<FlowRecord>> sets{ordinary_records(rows, 7), ordinary_records(rows, 8),
                                                    ordinary_records(rows, 9)};
    clickhouse::RecordWriter writer{*client, {.batch_rows = rows, .batch_bytes = SIZE_MAX}};
    const char* const told = std::getenv("CAM_ENGINE_PID");
    const std::string engine = told == nullptr ? "" : told;
    const double engine_before = processor_time(engine);
    const double own_before = processor_time("self");
    WallTime received = kNow;
    for (auto _ : state) insert_batches(writer, sets, kBatches, received);
    const double all = static_cast<double>(state.iterations()) * static_cast<double>(rows * kBatches);
    state.SetItemsProcessed(static_cast<std::int64_t>(all));
    state.counters["writer_us"] = (processor_time("self") - own_before) / all;
    for (int i = 0; i < 300; ++i) {
        const auto merges = client->run({.text = "SELECT count() FROM system.merges"});
        if (!merges || merges->starts_with('0')) break;
        std::this_thread::sleep_for(100ms);
    }
    state.counters["engine_us"] = (processor_time(engine) - engine_before) / all;
    const auto parts =
        client->run({.text = "SELECT sum(bytes_on_disk) / sum(rows) FROM system.parts WHERE active AND "
                             "database = 'cam_bench' AND table = 'raw'"});
    if (parts) state.counters["disk_bytes_per_row"] = std::strtod(parts->c_str(), nullptr);
}
BENCHMARK(insert)->Args({400'000, 1})->Args({400'000, 0})->Unit(benchmark::kMillisecond)->UseRealTime();

/// A minute in which every prefix had traffic of all classes, among nine others.
void read_minute(benchmark::State& state) {
    const auto client = bench_client(state);
    if (client == nullptr) return;
    const auto prefixes = static_cast<std::size_t>(state.range(0));
    if (!clickhouse::PlanWriter{*client, ""}.write(plan_of(prefixes), kNow, {}))
        state.SkipWithError("no plan");
    const auto filled = client->run({.text = "INSERT INTO prefix_minutes SELECT toDateTime('2026-11-27 "
                                             "10:00:00', 'UTC') + 60 * minute.number, "
                                             "prefix_id, class.number + 1, 1000000 + class.number, 1000, 10, "
                                             "1 FROM prefixes, numbers(9) AS class, "
                                             "numbers(10) AS minute"});
    const auto total = client->run({.text = "INSERT INTO prefix_minutes SELECT toDateTime('2026-11-27 "
                                            "10:00:00', 'UTC') + 60 * number, 0, 1, 1, 1, "
                                            "1, 1 FROM numbers(10)"});
    if (!filled || !total) state.SkipWithError("no minutes");
    clickhouse::MinuteReader reader{*client};
    const MinuteTime minute = std::chrono::floor<std::chrono::minutes>(kNow) + 5min;
    std::size_t found = 0;
    for (auto _ : state) {
        const auto got = reader.minute(minute, {});
        if (!got) {
            state.SkipWithError(got.error().detail.c_str());
            break;
        }
        found = got->prefixes.size();
    }
    if (found != prefixes) state.SkipWithError("not all prefixes were read");
}
BENCHMARK(read_minute)->Arg(1000)->Arg(10'000)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();

void write_plan(benchmark::State& state) {
    const auto client = bench_client(state);
    if (client == nullptr) return;
    const clickhouse::Plan plan = plan_of(static_cast<std::size_t>(state.range(0)));
    clickhouse::PlanWriter writer{*client, ""};
    for (auto _ : state) {
        if (!writer.write(plan, kNow, {})) state.SkipWithError("the plan was not written");
    }
}
BENCHMARK(write_plan)->Arg(1000)->Arg(50'000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
