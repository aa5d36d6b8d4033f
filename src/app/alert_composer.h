#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/alert.h"
#include "cam/model/message.h"
#include "cam/model/traffic.h"
#include "cam/notify/render.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// The messages about alerts that started and ended, explained by what the minute's traffic was made of.
[[nodiscard]] std::vector<Message> compose_alerts(const store::RecordReport& report,
                                                  const aggregate::CountedMinute& minute,
                                                  const enrich::GeoDatabases& geo,
                                                  const notify::RenderOptions& options);

/// The same with other explanations. `explain` is called once per alert that gets a message of its own.
[[nodiscard]] std::vector<Message> compose_alerts(
    const store::RecordReport& report, const std::function<notify::AlertExplanation(const Alert&)>& explain,
    const notify::RenderOptions& options);

/// How many of the alerts that start in one judgement get a message of their own, at most.
inline constexpr std::size_t kMostSingleAlerts = 6;

/// What the alert's traffic is made of. `minute` is sorted by prefix. `contributors` is asked for the
/// `most_prefixes` of its prefixes with the most traffic.
[[nodiscard]] notify::AlertExplanation explain_alert(
    const Alert& alert, std::span<const PrefixMinute> minute,
    const std::function<std::vector<Contributor>(const PrefixMinute&)>& contributors,
    std::size_t most_prefixes, const enrich::GeoDatabases& geo);

/// `10.0.0.0/8`, or how many prefixes are summed.
[[nodiscard]] std::string alert_target(const Alert& alert);

}  // namespace cam::app
