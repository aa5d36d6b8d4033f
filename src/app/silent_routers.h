#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "app/conditions.h"
#include "cam/base/clock.h"
#include "cam/base/metrics.h"
#include "cam/model/ip_address.h"
#include "cam/model/rule.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// A router that was not heard for so long is silent.
inline constexpr std::chrono::minutes kExporterSilence{10};

/// How long ago each address was heard that flows came from; none: not for as long as is known.
using HeardAgo = std::map<IpAddress, std::chrono::milliseconds>;

/// The routers that have been named for longer than kExporterSilence and are silent. `now` is what their
/// `created_at` is held against.
[[nodiscard]] std::vector<Router> silent_routers(const HeardAgo& heard, const std::vector<Router>& routers,
                                                 WallTime now);

/// `edge-1 (192.0.2.1)`.
[[nodiscard]] std::string router_in_words(const Router& router);

/// Tells the SOC once when listed routers have fallen silent and when all are back, over restarts too, and
/// shows in /metrics how many are silent; wherever flows are received. One thread at a time.
class SilenceTeller {
public:
    /// All of them outlive it; `remembered` is the calling thread's.
    SilenceTeller(Conditions& conditions, store::SqliteStore& remembered, MetricRegistry& metrics);
    /// `silent` are those of silent_routers, by somebody who has listened for as long as it takes.
    void tell(const std::vector<Router>& silent);

private:
    Conditions& conditions_;
    store::SqliteStore& remembered_;
    Gauge& silent_;
};

}  // namespace cam::app
