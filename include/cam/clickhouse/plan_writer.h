#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/clickhouse/client.h"
#include "cam/model/prefix.h"
#include "cam/model/rule.h"

namespace cam::clickhouse {

/// What ClickHouse counts by: the prefixes of all rules and the routers (their default sampling and names).
struct Plan {
    std::vector<Prefix> prefixes;  ///< in any order; doubles are one
    std::vector<Router> routers;   ///< of an address that is named twice the last one holds
};

/// A prefix' number in the tables: the same everywhere and for ever, so that nobody has to hand it out. Of an
/// IPv4 prefix (length + 1) · 2^32 + address; of an IPv6 prefix a hash with the highest bit set. Never 0,
/// which in `prefix_minutes` stands for all traffic.
[[nodiscard]] std::uint64_t prefix_id(const Prefix& prefix);

/// Writes plans. One thread at a time; one judge at a time (of two plans the one written last holds).
class PlanWriter {
public:
    /// `client` outlives the writer. `cluster` as SchemaOptions::cluster.
    PlanWriter(Client& client, std::string cluster);

    /// Makes the plan the one that is in force, as a whole or not at all, and returns its generation, a
    /// number that grows. When it returns, every server counts new records by it (each record by exactly one
    /// plan); what was received from the next full minute on is counted by it from the minute's start. Takes
    /// below a second with 50,000 prefixes. On failure the old plan may or may not be in force; write again.
    /// kInvalid: two prefixes share an id (practically impossible), or there are more than a million.
    Result<std::uint64_t> write(const Plan& plan, WallTime now, std::stop_token stop);
    /// The generation that is in force; nullopt before the first plan.
    Result<std::optional<std::uint64_t>> generation(std::stop_token stop);
    /// Those of that plan, the one in force or the one before it; sorted as text. What somebody else wrote
    /// wrong is left out.
    Result<std::vector<Prefix>> prefixes(std::uint64_t generation, std::stop_token stop);

private:
    Status insert(const Plan& plan, std::uint64_t generation, WallTime now, const std::stop_token& stop);
    Status reload(const std::stop_token& stop);
    Status remove_before(std::uint64_t generation, const std::stop_token& stop);

    Client& client_;
    std::string cluster_;
    std::uint64_t written_ = 0;  ///< a server that lags may not know it yet; the next one is above it
};

}  // namespace cam::clickhouse
