#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cam/aggregate/sampled_flows.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"
#include "cam/model/traffic.h"

namespace cam::aggregate {

/// What is counted: the prefixes of all rules and the routers' default sampling. Compiled once per change of
/// rules or routers and shared by all workers; 10,000 prefixes take about 2 MiB. Immutable, so safe from any
/// thread.
class CountingPlan {
public:
    struct Options {
        std::vector<Prefix> prefixes;  ///< of all rules, in any order; doubles are one
        /// Of an exporter that is named twice the last rate holds.
        std::vector<std::pair<ExporterKey, SamplingRate>> default_sampling;
    };
    static std::shared_ptr<const CountingPlan> compile(const Options& options);
    ~CountingPlan();

    /// Sorted (a prefix stands before those within it), without doubles.
    [[nodiscard]] std::span<const Prefix> prefixes() const noexcept;
    /// The longest prefix that covers the address, as its index in `prefixes()`.
    [[nodiscard]] std::optional<std::size_t> find(const IpAddress& address) const noexcept;
    /// The longest prefix that covers prefix `index` and is shorter; so the whole chain is found.
    [[nodiscard]] std::optional<std::size_t> parent(std::size_t index) const;
    /// Memory of the look-up tables.
    [[nodiscard]] std::size_t bytes() const noexcept;

private:
    friend class MinuteCounter;
    struct Tables;
    explicit CountingPlan(std::unique_ptr<const Tables> tables);
    std::unique_ptr<const Tables> tables_;
};

/// What a worker counted in one minute; minutes of several workers are added up. A value.
struct CountedMinute {
    MinuteTime minute;
    std::vector<PrefixMinute> prefixes;        ///< those with traffic, in the plan's order; exact
    SampledFlows sampled;                      ///< what the traffic was made of; an estimate
    std::uint64_t records_without_prefix = 0;  ///< to no prefix of a rule: counted, not kept

    /// Adds what another worker counted in the same minute. Volumes saturate. The plans may differ.
    void add(CountedMinute&& other);
};

/// Counts flow records into the minute that is open, in bounded space: 240 bytes for each prefix that has
/// traffic, and `sample_bytes`. Counting allocates nothing. One thread at a time; each flow worker owns one.
class MinuteCounter {
public:
    struct Options {
        /// Memory for the flows that contributors are found in, of this counter; it is used as traffic comes.
        /// A closed minute holds at most as much again.
        std::size_t sample_bytes = std::size_t{2} * 1024 * 1024;
        /// None: from the system's random source, so that nobody can foresee which flows are taken.
        std::optional<std::uint64_t> seed = std::nullopt;
    };
    MinuteCounter(Options options, std::shared_ptr<const CountingPlan> plan);
    ~MinuteCounter();
    MinuteCounter(MinuteCounter&&) noexcept;
    MinuteCounter& operator=(MinuteCounter&&) noexcept;

    /// Counts the records into the open minute: each into every prefix that covers its destination, times its
    /// sampling rate (its own, else the router's default, else 1). A count that a record does not tell adds
    /// nothing; every record is one flow. cam/model/traffic_class.h says which classes a record is of.
    void count(const ExporterKey& exporter, std::span<const FlowRecord> records);
    /// Ends the open minute and hands it over; counting goes on in the next one, by `plan`. All that was
    /// counted by the old plan is in the minute handed over, so a change of plan loses nothing and double
    /// counts nothing. Takes a few milliseconds with 10,000 prefixes.
    CountedMinute close(MinuteTime minute, std::shared_ptr<const CountingPlan> plan);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::aggregate
