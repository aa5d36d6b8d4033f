#include "app/alert_composer.h"

#include <spdlog/fmt/fmt.h>

namespace cam::app {

std::vector<Message> compose_alerts(const store::RecordReport& report,
                                    const aggregate::CountedMinute& /*minute*/,
                                    const enrich::GeoDatabases& /*geo*/,
                                    const notify::RenderOptions& options) {
    std::vector<Message> messages;
    for (const Alert& alert : report.started) {
        messages.push_back(notify::render_status(notify::StatusTone::kTrouble,
                                                 fmt::format("{}: {}", alert.rule_name, alert_target(alert)),
                                                 {}, options));
    }
    for (const Alert& alert : report.ended) {
        messages.push_back(notify::render_status(notify::StatusTone::kRecovered,
                                                 fmt::format("{}: {}", alert.rule_name, alert_target(alert)),
                                                 {}, options));
    }
    return messages;
}

std::string alert_target(const Alert& alert) {
    if (alert.prefixes.size() == 1) return alert.prefixes.front().text();
    return fmt::format("{} prefixes", alert.prefixes.size());
}

}  // namespace cam::app
