#pragma once

#include <chrono>

#include "app/traffic_history.h"
#include "cam/api/traffic.h"
#include "cam/base/clock.h"
#include "cam/base/result.h"
#include "cam/store/flow_store.h"

namespace cam::app {

/// Where a preview looks: the stored minutes, and the alerts that were told in them.
struct PreviewSources {
    TrafficHistory& history;
    store::FlowStore& alerts;
};

/// What the rule would have done from `from` until before `to`: a fresh Evaluator judges the stored minutes,
/// after the same past that the flow judge would have given it. Alerts that are active at the end stay so.
/// The suggestion is explained in docs/rules.md. kInvalid: it would read too much, or takes longer than
/// `budget`; the detail says what to ask for instead.
[[nodiscard]] Result<api::RulePreview> preview_rule(const PreviewSources& sources, Rule rule, MinuteTime from,
                                                    MinuteTime to, const Clock& clock,
                                                    std::chrono::milliseconds budget);

}  // namespace cam::app
