#pragma once

#include <string>
#include <vector>

#include "cam/aggregate/minute_counter.h"
#include "cam/enrich/geo_databases.h"
#include "cam/model/alert.h"
#include "cam/model/message.h"
#include "cam/notify/render.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// The messages about alerts that started and ended, explained by what the minute's traffic was made of.
[[nodiscard]] std::vector<Message> compose_alerts(const store::RecordReport& report,
                                                  const aggregate::CountedMinute& minute,
                                                  const enrich::GeoDatabases& geo,
                                                  const notify::RenderOptions& options);

/// `10.0.0.0/8`, or how many prefixes are summed.
[[nodiscard]] std::string alert_target(const Alert& alert);

}  // namespace cam::app
