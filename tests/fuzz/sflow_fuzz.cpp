#include <cstddef>
#include <cstdint>
#include <span>

#include "cam/base/check.h"
#include "decode/sflow.h"

namespace {

using namespace cam;
using namespace cam::decode;

class CheckingSink final : public FlowSink {
public:
    void take(const ExporterKey&, std::span<const FlowRecord> records) override {
        check(!records.empty(), "a call without records");
        for (const FlowRecord& record : records) {
            check(record.has(FlowField::kPackets) && record.packets == 1, "a sample is one packet");
            check(record.export_protocol == ExportProtocol::kSflow5, "another protocol's record");
            check(record.has(FlowField::kSourcePort) == record.has(FlowField::kDestinationPort),
                  "half of the ports");
            check(record.has(FlowField::kSource) == record.has(FlowField::kDestination),
                  "half of the addresses");
            check(!record.has(FlowField::kTcpFlags) || record.protocol == 6, "flags of no TCP");
            check(record.sampling_source != SamplingSource::kNone || record.sampling.n() == 1,
                  "a rate of nobody");
        }
        taken += records.size();
    }
    std::uint64_t taken = 0;
};

}  // namespace

/// Feeds sFlow: the whole input as one datagram, three times to one exporter, with its first half in between,
/// so that agents and data sources are known, late and repeated.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span<const std::uint8_t> whole{data, size};
    const ExporterKey key{IpAddress::v4({192, 0, 2, 1})};
    CheckingSink sink;
    RecordBatch batch{sink};
    SflowExporter exporter;
    std::uint64_t told = 0;
    for (const std::span<const std::uint8_t> datagram : {whole, whole.first(size / 2), whole, whole}) {
        DecodeReport report;
        batch.begin(key, 1000, report);
        decode_sflow(ByteReader{datagram}, batch, report, exporter, [told] { return told % 2 == 0; });
        batch.end();
        told += report.flow_records;
        check(report.packets == report.flow_records, "packets that are no samples");
        // A flow sample takes 40 bytes or more, any other sample 8.
        check(report.flow_records * 40 <= datagram.size(), "more records than there are samples");
        check((report.counter_samples + report.discarded_packets) * 8 <= datagram.size(), "invented samples");
        check(report.lost_datagrams <= SflowExporter::kLargestGap, "an absurd loss");
    }
    check(told == sink.taken, "the report and the sink disagree");
    std::vector<ExporterReport::Sampling> sampling;
    exporter.append_sampling(sampling);
    check(sampling.size() <= SflowExporter::kMostSources, "more data sources than there is room for");
    return 0;
}
