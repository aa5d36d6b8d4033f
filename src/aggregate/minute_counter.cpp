#include "cam/aggregate/minute_counter.h"

#include <algorithm>
#include <array>
#include <random>

#include "aggregate/flow_sampler.h"
#include "aggregate/plan_tables.h"
#include "cam/base/check.h"
#include "cam/model/traffic_class.h"

namespace cam::aggregate {
namespace {

/// Records that are looked up together, so that the processor waits for memory once for all of them.
constexpr std::size_t kBatch = 32;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
}

Volume estimate(const FlowRecord& record, SamplingRate rate) noexcept {
    // Whoever told the counts, delta counters or what stands in for them: unknown ones are 0.
    return {
        .bytes = rate.estimate(record.bytes), .packets = rate.estimate(record.packets), .flows = rate.n()};
}

}  // namespace

struct MinuteCounter::State {
    State(const Options& options, std::shared_ptr<const CountingPlan> first)
        : sampler(options.sample_bytes, options.seed ? *options.seed : random_seed()) {
        begin(std::move(first));
    }

    void begin(std::shared_ptr<const CountingPlan> next);
    void count_batch(const ExporterKey& exporter, std::span<const FlowRecord> records,
                     std::optional<SamplingRate>& default_rate);
    /// The volumes of a prefix, by its number; made at its first record.
    std::uint32_t slot(std::uint32_t number);
    [[nodiscard]] std::vector<PrefixMinute> add_up_prefixes(MinuteTime minute);

    std::shared_ptr<const CountingPlan> plan;  // shared with the other workers
    const CountingPlan::Tables* tables = nullptr;
    std::vector<std::uint32_t> slots;   // by number of the prefix: 1 + its place in `volumes`, or 0
    std::vector<ClassVolumes> volumes;  // by narrowest class; room for all prefixes, used as traffic comes
    FlowSampler sampler;
    std::uint64_t records_without_prefix = 0;
};

void MinuteCounter::State::begin(std::shared_ptr<const CountingPlan> next) {
    check(next != nullptr, "a counter needs a plan");
    volumes.clear();
    records_without_prefix = 0;
    const std::size_t size = next->prefixes().size();
    if (next == plan) {
        std::fill(slots.begin(), slots.end(), 0U);
        return;
    }
    plan = std::move(next);
    tables = plan->tables_.get();
    slots = std::vector<std::uint32_t>(size + 1, 0);
    if (volumes.capacity() < size || volumes.capacity() > 2 * size) {
        volumes = std::vector<ClassVolumes>();
        volumes.reserve(size);  // its pages cost nothing before they are used
    }
}

std::uint32_t MinuteCounter::State::slot(std::uint32_t number) {
    std::uint32_t& place = slots[number];
    if (place == 0) [[unlikely]] {
        volumes.emplace_back();
        place = static_cast<std::uint32_t>(volumes.size());
    }
    return place - 1;
}

void MinuteCounter::State::count_batch(const ExporterKey& exporter, std::span<const FlowRecord> records,
                                       std::optional<SamplingRate>& default_rate) {
    std::array<Volume*, kBatch> counted{};
    for (std::size_t i = 0; i < records.size(); ++i) {
        const FlowRecord& record = records[i];
        const std::uint32_t number =
            record.has(FlowField::kDestination) ? tables->find(record.destination) : 0;
        if (number == 0) {
            ++records_without_prefix;
            continue;
        }
        // `volumes` has room for every prefix, so it never moves.
        counted[i] = &volumes[slot(number)][static_cast<std::size_t>(narrowest_class(record))];
        __builtin_prefetch(counted[i], 1);
    }
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (counted[i] == nullptr) continue;
        const FlowRecord& record = records[i];
        SamplingRate rate = record.sampling;
        if (record.sampling_source == SamplingSource::kNone) {
            if (!default_rate) default_rate = tables->default_rate(exporter).value_or(SamplingRate::every());
            rate = *default_rate;
        }
        const Volume estimated = estimate(record, rate);
        *counted[i] += estimated;
        const float weight = FlowSampler::weigh(estimated, *counted[i]);
        if (sampler.draw(weight)) [[unlikely]]
            sampler.keep(exporter, record, estimated, weight);
    }
}

std::vector<PrefixMinute> MinuteCounter::State::add_up_prefixes(MinuteTime minute) {
    const std::vector<std::uint32_t>& parents = tables->parents;
    std::size_t used = 0;
    // Backwards, so that a prefix has got all from its children before it gives to its parent.
    for (std::size_t number = slots.size() - 1; number > 0; --number) {
        if (slots[number] == 0) continue;
        ++used;
        if (const std::uint32_t parent = parents[number - 1]; parent != 0) {
            ClassVolumes& sum = volumes[slot(parent)];
            const ClassVolumes& part = volumes[slots[number] - 1];
            for (std::size_t i = 0; i < part.size(); ++i) sum[i] += part[i];
        }
    }
    std::vector<PrefixMinute> prefixes;
    prefixes.reserve(used);
    for (std::size_t number = 1; number < slots.size(); ++number) {
        if (slots[number] == 0) continue;
        PrefixMinute& made = prefixes.emplace_back(PrefixMinute{
            .prefix = tables->prefixes[number - 1], .minute = minute, .classes = volumes[slots[number] - 1]});
        add_up(made.classes);
    }
    return prefixes;
}

MinuteCounter::MinuteCounter(Options options, std::shared_ptr<const CountingPlan> plan)
    : state_(std::make_unique<State>(options, std::move(plan))) {}
MinuteCounter::~MinuteCounter() = default;
MinuteCounter::MinuteCounter(MinuteCounter&&) noexcept = default;
MinuteCounter& MinuteCounter::operator=(MinuteCounter&&) noexcept = default;

void MinuteCounter::count(const ExporterKey& exporter, std::span<const FlowRecord> records) {
    std::optional<SamplingRate> default_rate;  // looked up at the first record that needs it
    while (!records.empty()) {
        const std::size_t size = std::min(records.size(), kBatch);
        state_->count_batch(exporter, records.first(size), default_rate);
        records = records.subspan(size);
    }
}

CountedMinute MinuteCounter::close(MinuteTime minute, std::shared_ptr<const CountingPlan> plan) {
    CountedMinute closed{.minute = minute,
                         .prefixes = state_->add_up_prefixes(minute),
                         .sampled = state_->sampler.take(),
                         .records_without_prefix = state_->records_without_prefix};
    state_->begin(std::move(plan));
    return closed;
}

}  // namespace cam::aggregate
