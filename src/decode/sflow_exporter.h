#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "cam/decode/decoder.h"
#include "cam/model/ip_address.h"

namespace cam::decode {

/// What is remembered of one exporter that sends sFlow: the sequence of each agent and sub-agent, and the
/// sampling rate and drops of each data source. Bounded: what has no room is decoded all the same, but not
/// watched, and comes into no report. One thread at a time.
class SflowExporter {
public:
    static constexpr std::size_t kMostAgents = 64;  ///< one address may relay for several
    static constexpr std::size_t kMostSources = 384;
    /// A step of a sequence or of a drop counter beyond this is a restart, not a loss.
    static constexpr std::uint32_t kLargestGap = 1U << 20U;

    struct Datagram {
        IpAddress agent;
        std::uint32_t sub_agent = 0;
        std::uint32_t sequence = 0;
        std::uint32_t uptime_ms = 0;
    };
    /// Who sent the samples that follow; nullopt for an agent that there is no room for.
    using Agent = std::optional<std::uint16_t>;
    /// Whether more may be remembered; asked only when there is more. The first agent and its first few data
    /// sources are remembered without asking.
    using Room = std::function<bool()>;

    /// Adds what the sequence says is missing to `report.lost_datagrams`, and what was missing and comes late
    /// to `report.late_datagrams`. What was not missing and comes again is neither, nor is the restart of an
    /// agent (its uptime or its sequence goes back). Only the newest gap is waited for; no more comes late
    /// than it had, though one of it that comes twice counts twice.
    Agent saw(const Datagram& datagram, const Room& room, DecodeReport& report);
    /// A flow sample of a data source (type << 32 | index), with the rate that it tells (0: none) and its
    /// drops: samples that the agent lost for want of resources, a running count. What it has grown by is
    /// added to `report.lost_records`.
    void saw_sample(Agent agent, std::uint64_t source, std::uint32_t rate, std::uint32_t drops,
                    const Room& room, DecodeReport& report);
    /// Of all that is remembered, with the rows of two reports of it.
    [[nodiscard]] std::size_t memory_bytes() const noexcept;

    /// One row for each data source; of one that tells no rate, with the source kNone.
    void append_sampling(std::vector<ExporterReport::Sampling>& rows) const;

private:
    struct Sequence {
        IpAddress agent;
        std::uint32_t sub_agent;
        std::uint32_t sequence;
        std::uint32_t uptime_ms;
        std::uint32_t gap_end;      ///< the sequence behind the newest gap
        std::uint32_t gap;          ///< how many were missing there
        std::uint32_t outstanding;  ///< of those, what may still come
    };
    struct Source {
        std::uint64_t source = 0;
        std::uint32_t rate = 0;
        std::uint32_t drops = 0;
        std::uint16_t agent = 0;
        bool is_used = false;
    };
    Source* find_or_add(std::uint16_t agent, std::uint64_t source, std::uint32_t drops, const Room& room);
    /// Where this source is or may go; nullptr if its neighbourhood is full.
    Source* slot_of(std::uint16_t agent, std::uint64_t source) noexcept;
    void grow();

    std::vector<Sequence> agents_;
    std::vector<Source> sources_;  ///< open addressing: a power of two, at most three quarters full
    std::size_t source_count_ = 0;
};

}  // namespace cam::decode
