#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"
#include "cam/model/traffic.h"

namespace cam::aggregate {

/// What is counted: the prefixes of all rules and the routers' default sampling. Compiled once per change of
/// rules or routers and shared by all workers. Immutable, so safe from any thread.
class CountingPlan {
public:
    struct Options {
        std::vector<Prefix> prefixes;  ///< of all rules; doubles are one
        std::vector<std::pair<ExporterKey, SamplingRate>> default_sampling;
    };
    static std::shared_ptr<const CountingPlan> compile(const Options& options);
    ~CountingPlan();

    [[nodiscard]] std::span<const Prefix> prefixes() const noexcept;

private:
    friend class MinuteCounter;
    struct Tables;
    explicit CountingPlan(std::unique_ptr<const Tables> tables);
    std::unique_ptr<const Tables> tables_;
};

/// What a worker counted in one minute; minutes of several workers are added up.
struct CountedMinute {
    MinuteTime minute;
    std::vector<PrefixMinute> prefixes;  ///< those with traffic, in the plan's order
    std::vector<Contributor> contributors;
    std::uint64_t records_without_prefix = 0;  ///< to no prefix of a rule: counted, not kept

    /// Adds what another worker counted in the same minute; keeps the largest contributors.
    void add(CountedMinute&& other);
};

/// Counts flow records into the minute that is open, in bounded space. One thread at a time.
class MinuteCounter {
public:
    struct Options {
        std::size_t contributors_per_facet = 10;  ///< kept per prefix and facet when a minute closes
        std::size_t contributor_bytes = std::size_t{4} * 1024 * 1024;  ///< memory to find them in
    };
    MinuteCounter(Options options, std::shared_ptr<const CountingPlan> plan);
    ~MinuteCounter();

    /// Counts the records into the open minute: each into every prefix that covers its destination, times its
    /// sampling rate (its own, else the router's default, else 1).
    void count(const ExporterKey& exporter, std::span<const FlowRecord> records);
    /// Ends the open minute and hands it over; counting goes on in the next one, by `plan`.
    CountedMinute close(MinuteTime minute, std::shared_ptr<const CountingPlan> plan);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::aggregate
