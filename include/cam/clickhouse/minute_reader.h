#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/clickhouse/client.h"
#include "cam/model/ip_address.h"
#include "cam/model/prefix.h"
#include "cam/model/traffic.h"
#include "cam/model/traffic_series.h"

namespace cam::clickhouse {

/// How much of a minute ClickHouse holds. A minute whose `records` differ from what was read before has
/// changed; the number never shrinks, and it changes together with the figures (they lie in one table).
struct MinuteVersion {
    MinuteTime minute;
    std::uint64_t records = 0;  ///< flow records received in it, to watched prefixes or not; not estimated
    friend bool operator==(const MinuteVersion&, const MinuteVersion&) = default;
};

/// How far a source of records has come.
struct CollectorProgress {
    std::string collector;  ///< as RecordEncoder was given it, or `kafka:TOPIC/PARTITION`
    WallTime newest;        ///< receive time of its newest record; all before it has arrived, but for repeats
    std::uint64_t records = 0;  ///< in the minutes that were asked for
};

/// An exporter whose records were received, by whichever collector.
struct SenderProgress {
    IpAddress exporter;
    WallTime newest;            ///< receive time of its newest record
    std::uint64_t records = 0;  ///< in the minutes that were asked for
};

/// From when to when anything was received in a minute.
struct MinuteCoverage {
    MinuteTime minute;
    WallTime oldest;
    WallTime newest;
};

/// A minute as it stands.
struct ReadMinute {
    MinuteVersion version;
    std::vector<PrefixMinute> prefixes;  ///< those with traffic, each once, in no order
};

/// Reads minutes of traffic, counted by receive time (UTC) under the plans of PlanWriter. Errors are those of
/// Client::run, kBroken also for an answer that is not as long as it says. One thread at a time.
class MinuteReader {
public:
    /// `client` outlives the reader.
    explicit MinuteReader(Client& client);
    ~MinuteReader();

    /// The minutes from `from` until before `to` in which anything was received, oldest first. A few rows: to
    /// be asked every few seconds, also over the span in which late records may come.
    Result<std::vector<MinuteVersion>> minutes(MinuteTime from, MinuteTime to, std::stop_token stop);
    /// The sources that sent anything in the minutes from `from` on. Their least `newest` is up to where the
    /// data are complete; one that died falls out when `from` has passed it.
    Result<std::vector<CollectorProgress>> progress(MinuteTime from, std::stop_token stop);
    /// The exporters of the records received in the minutes from `from` on, each once. Addresses can be
    /// forged, so there are at most `most`: the routers of the plan first, then those heard last.
    Result<std::vector<SenderProgress>> senders(MinuteTime from, std::size_t most, std::stop_token stop);
    /// The minutes from `from` until before `to` in which anything was received, oldest first. A few rows.
    Result<std::vector<MinuteCoverage>> coverage(MinuteTime from, MinuteTime to, std::stop_token stop);
    /// One minute, all classes; version.records is 0 if nothing was received. Of 50,000 prefixes with all
    /// classes about 15 MB and half a second.
    Result<ReadMinute> minute(MinuteTime minute, std::stop_token stop);
    /// Hands over the minutes from `from` until before `to` in which anything was received, oldest first. In
    /// `take` the client may be used.
    Status read_minutes(MinuteTime from, MinuteTime to, const std::function<void(const ReadMinute&)>& take,
                        std::stop_token stop);
    /// What a prefix' traffic from `from` until before `to` was made of, summed: the `most` largest by bytes.
    /// Exact: from the raw records while they are kept. `minute` of each is `from`. kSourceCountry is empty
    /// where the server has no table of countries.
    Result<std::vector<Contributor>> contributors(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                                  TrafficFacet facet, std::size_t most, std::stop_token stop);
    /// A chart's points from `from` until before `to`, each of `step`, the last perhaps shorter. A minute in
    /// which anything was received, for whichever prefix, counts as collected. kInvalid: no step, or more
    /// than 10,000 points.
    Result<std::vector<TrafficPoint>> series(const Prefix& prefix, MinuteTime from, MinuteTime to,
                                             std::chrono::minutes step, std::stop_token stop);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace cam::clickhouse
