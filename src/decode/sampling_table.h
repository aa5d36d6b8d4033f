#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cam/decode/decoder.h"
#include "cam/model/exporter.h"
#include "cam/model/flow_record.h"
#include "cam/model/sampling_rate.h"
#include "decode/report_cost.h"

namespace cam::decode {

/// What one exporter has told about its sampling in options records: rates of samplers, of interfaces and of
/// whole observation domains. Bounded. One thread at a time.
class SamplingTable {
public:
    /// A domain has this many samplers and interfaces at most, all domains together.
    static constexpr std::size_t kMostEntries = 4096;

    struct Key {
        ExportProtocol protocol;
        SamplingScope scope;
        std::uint32_t domain;
        std::uint64_t id;  ///< of the sampler or interface; 0 for a domain
        // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 means the 0 in code that the compiler makes
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    struct Entry {
        Key key;
        SamplingRate rate;
        /// Of the first of a domain's samplers or interfaces: how often the rate changes from one to the
        /// next.
        std::uint32_t changes = 0;
    };

    [[nodiscard]] bool knows(const Key& key) const noexcept;
    /// True if this is news. Without room for one more, nothing is taken.
    bool tell(const Key& key, SamplingRate rate);
    [[nodiscard]] std::span<const Entry> entries() const noexcept { return entries_; }
    /// With the rows of two reports.
    [[nodiscard]] std::size_t memory_bytes() const noexcept {
        return entries_.capacity() * sizeof(Entry) + entries_.size() * kReportedRowBytes;
    }

    /// The part that concerns one domain. Valid until the next `tell`.
    struct View {
        std::span<const Entry> samplers;
        std::span<const Entry> interfaces;
        std::optional<SamplingRate> domain;

        /// The rate of records that name neither a sampler nor an interface that is listed.
        [[nodiscard]] std::optional<SamplingRate> default_rate(bool record_names_sampler) const noexcept;
        /// The rate of this record by what it names; nullopt: by nothing that is listed.
        [[nodiscard]] std::optional<SamplingRate> rate_of(const FlowRecord& record) const noexcept;
    };
    /// A domain that told nothing itself goes by what domain 0 told: exporters with several line cards send
    /// their options once, in the name of all.
    [[nodiscard]] View view(ExportProtocol protocol, std::uint32_t domain) const noexcept;

private:
    [[nodiscard]] std::span<const Entry> range(ExportProtocol protocol, SamplingScope scope,
                                               std::uint32_t domain) const noexcept;
    std::vector<Entry> entries_;  ///< by key
};

}  // namespace cam::decode
