#include "app/startup.h"

#include <thread>

#include <spdlog/fmt/fmt.h>

#include "app/bgp_watch.h"
#include "app/geo_refresh.h"
#include "app/service_states.h"
#include "cam/base/version.h"

namespace cam::app {
namespace {

constexpr std::chrono::seconds kServicesBudget{5};

std::optional<AttackHistory> ask_history(const Surroundings& around, store::SqliteStore& store) {
    auto history = store.attack_history(around.clock.wall());
    if (history) return *history;
    around.log->warn("attack history unknown reason={}", quote(history.error().detail));
    return std::nullopt;
}

}  // namespace

void queue_startup_report(const Surroundings& around, const std::optional<PollGap>& gap,
                          const std::stop_token& stop) {
    notify::StartupReport report;
    report.version = version();
    report.poll_interval = around.settings.monitor.poll_interval;
    report.lookback = around.settings.monitor.lookback;
    report.gap = gap;
    {
        const std::jthread services(
            [&] { report.services = service_states(around.settings.services, kServicesBudget); });
        report.bgp = ask_bgp(around, stop);
    }
    if (stop.stop_requested()) return;
    report.geoip = refresh_geo(around.geo, around.conditions, around.log).edition();
    report.problems = around.conditions.problems();

    auto store = store::SqliteStore::open(store_options(around.settings, store::Access::kReadWrite));
    if (!store) {
        around.log->error("startup report cannot be queued reason={}", quote(store.error().detail));
        return;
    }
    report.history = ask_history(around, **store);
    const auto queued = (*store)->enqueue(notify::render_startup(report, render_options(around.settings)),
                                          around.clock.wall());
    if (!queued) around.log->error("startup report cannot be queued reason={}", quote(queued.error().detail));
}

void queue_shutdown_report(const Surroundings& around, store::SqliteStore& store) {
    const notify::ShutdownReport report{.history = ask_history(around, store),
                                        .stopped_at = around.clock.wall()};
    const auto queued =
        store.enqueue(notify::render_shutdown(report, render_options(around.settings)), around.clock.wall());
    if (!queued)
        around.log->error("shutdown report cannot be queued reason={}", quote(queued.error().detail));
}

}  // namespace cam::app
