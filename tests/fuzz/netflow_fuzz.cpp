#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "cam/base/byte_reader.h"
#include "cam/base/check.h"
#include "cam/decode/decoder.h"

namespace {

using cam::check;
using namespace cam::decode;

constexpr std::size_t kBudget = 500;
constexpr std::size_t kTemplates = 8;

/// Counts what comes, and reads every record.
class CountingSink final : public FlowSink {
public:
    void take(const cam::ExporterKey&, std::span<const cam::FlowRecord> records) override {
        check(!records.empty(), "the sink was called without records");
        count += records.size();
        for (const cam::FlowRecord& record : records) {
            check(record.sampling.n() > 0, "a rate of zero");
            check(record.sampling_source != cam::SamplingSource::kNone || record.sampling.n() == 1,
                  "a rate without a source");
            check(record.start.time_since_epoch().count() >= 0, "a time before 1970");
            check(record.end.time_since_epoch().count() <= 253'402'300'799'999,
                  "a time behind the year 9999");
        }
    }
    std::uint64_t count = 0;
};

Decoder::Options small_options() {
    Decoder::Options options;
    options.exporters = 1;  // two send, so that they drive each other out
    options.templates_per_exporter = kTemplates;
    options.fields_per_template = 64;
    options.records_per_datagram = kBudget;
    options.held_sets_per_exporter = 4;
    options.held_bytes_per_exporter = 512;
    options.held_bytes = 600;
    options.template_idle = std::chrono::seconds{20};
    return options;
}

}  // namespace

/// Datagrams of two exporters into one decoder. The input is a sequence of them, each behind one byte (bit 0:
/// from whom; the rest: seconds since the last one) and two bytes of length.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::array keys{cam::ExporterKey{cam::IpAddress::v4({192, 0, 2, 1})},
                          cam::ExporterKey{cam::IpAddress::v4({192, 0, 2, 2})}};
    CountingSink sink;
    Decoder decoder(small_options(), sink);
    cam::SteadyTime now{std::chrono::hours{1}};
    cam::ByteReader reader{std::span{data, size}};
    while (const auto head = reader.u8()) {
        const std::size_t length = reader.u16().value_or(0);
        const auto datagram = reader.sub(length < reader.remaining() ? length : reader.remaining());
        now += std::chrono::seconds{*head >> 1U};
        const std::uint64_t before = sink.count;
        const DecodeReport report =
            decoder.decode(keys.at(*head & 1U), datagram->rest(), cam::WallTime{}, now);
        check(report.flow_records == sink.count - before, "the report and the sink disagree");
        check(report.flow_records <= kBudget, "more records than the budget");
        check(report.records_from_held <= report.flow_records, "more held records than records");
        check(report.sets_held <= report.sets_without_template, "more sets held than came without template");
        check(decoder.template_count() <= 2 * kTemplates, "more templates than there is room for");
    }
    check(decoder.exporters().size() <= 1, "more exporters than there is room for");
    // What is saved can be read again, by the same bounds.
    for (const Decoder::SavedState& saved : decoder.take_changed(2)) {
        Decoder other(small_options(), sink);
        check(other.restore(saved, now), "a state that was saved cannot be restored");
        check(other.template_count() <= kTemplates, "more templates than there is room for");
    }
    return 0;
}
