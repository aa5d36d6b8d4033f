#include "app/silent_routers.h"

#include <utility>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {

std::vector<Router> silent_routers(const HeardAgo& heard, const std::vector<Router>& routers, WallTime now) {
    std::vector<Router> silent;
    for (const Router& router : routers) {
        if (router.created_at + kExporterSilence > now) continue;
        const auto found = heard.find(router.address);
        if (found == heard.end() || found->second > kExporterSilence) silent.push_back(router);
    }
    return silent;
}

std::string router_in_words(const Router& router) {
    return fmt::format("{} ({})", router.name, router.address.text());
}

SilenceTeller::SilenceTeller(Conditions& conditions, store::SqliteStore& remembered, MetricRegistry& metrics)
    : conditions_(conditions),
      remembered_(remembered),
      silent_(metrics.gauge("cam_flow_silent_routers",
                            "Listed routers that have sent nothing for ten minutes, as was told last")) {}

void SilenceTeller::tell(const std::vector<Router>& silent) {
    silent_.set(static_cast<double>(silent.size()));
    if (silent.empty()) {
        conditions_.clear(Condition::kFlowExporters, "All routers send flows again", &remembered_);
        return;
    }
    std::vector<std::string> names;
    names.reserve(silent.size());
    for (const Router& router : silent) names.push_back(router_in_words(router));
    Trouble trouble{.state = fmt::format("silent: {}", fmt::join(names, ", ")),
                    .headline = names.size() == 1 ? "A router sends no flows"
                                                  : fmt::format("{} routers send no flows", names.size()),
                    .details = names,
                    .tell = Tell::kLogAndSoc};
    trouble.details.push_back(
        fmt::format("for more than {}; its traffic is unknown, not zero", duration_text(kExporterSilence)));
    conditions_.raise(Condition::kFlowExporters, trouble, &remembered_);
}

}  // namespace cam::app
