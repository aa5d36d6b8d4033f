#include <cstdio>

#include <sys/stat.h>

#include <spdlog/fmt/fmt.h>

#include "app/lost_database.h"
#include "app/modes.h"
#include "app/monitor_parts.h"
#include "app/privileges.h"

namespace cam::app {
namespace {

using std::chrono::seconds;

// A cron job must not outlive its period: what does not answer for this long is left to the next run.
constexpr seconds kPollPatience{45};
constexpr seconds kLongestPause{60};
constexpr std::uint32_t kAttempts = 3;
// `notify` ends well within its unit's TimeoutStartSec=, so that the watchdog learns what became of it.
constexpr std::uint32_t kNotifyAttempts = 2;
constexpr seconds kNotifyPause{10};

/// The parts of a process that works once, on its only thread.
struct OneShot {
    explicit OneShot(const LoadedSettings& loaded, spdlog::level::level_enum level)
        : output(LogOutput::open(loaded.settings.paths.log_file, level)),
          heartbeats(clock),
          conditions(clock, output->logger(), render_options(loaded.settings),
                     loaded.settings.paths.database),
          geo(geo_options(loaded.settings)),
          around{loaded.settings, clock,      output->logger(), metrics, heartbeats, conditions, geo,
                 poll_problem,    flow_board, status_board,     events} {}

    SystemClock clock;
    MetricRegistry metrics;
    std::shared_ptr<LogOutput> output;
    Heartbeats heartbeats;
    Conditions conditions;
    enrich::GeoDatabases geo;
    Guarded<std::string> poll_problem;
    FlowBoard flow_board;
    StatusBoard status_board{clock.wall()};
    api::EventBoard events;
    Surroundings around;
};

template <typename Side>
bool made(const OneShot& shot, const Result<Side>& side) {
    if (side) return true;
    shot.around.log->error("cannot start reason={}", quote(side.error().detail, 600));
    return false;
}

/// False if the database cannot be opened; then the SOC knows.
bool opens_database(const OneShot& shot) {
    const auto store =
        store::SqliteStore::open(store_options(shot.around.settings, store::Access::kReadWrite));
    if (!store) tell_lost_database(shot.around, store.error());
    return made(shot, store);
}

}  // namespace

bool report_findings(const LoadedSettings& loaded) {
    for (const Finding& finding : loaded.findings) {
        std::fprintf(stderr, "%s\n", finding_line(loaded.file, finding).c_str());
    }
    return loaded.usable();
}

std::optional<int> prepare(const LoadedSettings& loaded) {
    if (!report_findings(loaded)) return kExitUsage;
    const Status owner = become_owner_of(loaded.settings.paths.database);
    if (owner) return std::nullopt;
    std::fprintf(stderr, "cloudflare-analytics-monitor: %s\n", owner.error().detail.c_str());
    return kExitFailed;
}

void make_log_folder(const std::string& log_file) {
    const std::size_t slash = log_file.rfind('/');
    if (slash != std::string::npos && slash > 0) ::mkdir(log_file.substr(0, slash).c_str(), 0750);
}

LoadedSettings settings_for(const Invocation& asked, Needs needs) {
    LoadedSettings loaded = load_settings(settings_file(asked.config), Environment::of_process(), needs);
    if (asked.lookback) loaded.settings.monitor.lookback = *asked.lookback;
    return loaded;
}

int run_once(const Invocation& asked) {
    const LoadedSettings loaded = settings_for(asked, Needs::kEverything);
    if (const auto end = prepare(loaded)) return *end;
    make_log_folder(loaded.settings.paths.log_file);
    OneShot shot(loaded, asked.log_level);
    Heartbeat& beat = shot.heartbeats.add("cam-once");
    if (!opens_database(shot)) return kExitFailed;
    auto polling = PollSide::make(shot.around, beat, {.patience = kPollPatience, .polls = Polls::kOne}, {});
    if (!made(shot, polling)) return kExitFailed;
    auto delivery = DeliverySide::make(shot.around, beat);
    if (!made(shot, delivery)) return kExitFailed;

    const PollReport report = (*polling)->poller->poll({});
    const bool delivered = (*delivery)->deliverer->drain({}, kAttempts, kLongestPause);
    if (!delivered) shot.around.log->error("not everything could be delivered; it waits in the outbox");
    return report.outcome == PollReport::Outcome::kDone && delivered ? kExitDone : kExitFailed;
}

int run_notify(const Invocation& asked) {
    const LoadedSettings loaded = settings_for(asked, Needs::kEverything);
    if (const auto end = prepare(loaded)) return *end;
    make_log_folder(loaded.settings.paths.log_file);
    OneShot shot(loaded, asked.log_level);
    Heartbeat& beat = shot.heartbeats.add("cam-notify");
    const auto tone = asked.notify_recovered ? notify::StatusTone::kRecovered : notify::StatusTone::kTrouble;
    const Message message =
        notify::render_status(tone, asked.notify_text, {}, render_options(loaded.settings));
    auto delivery = DeliverySide::make(shot.around, beat);
    if (!made(shot, delivery)) return send_past_database(shot.around, message) ? kExitDone : kExitNotQueued;
    const auto queued = (*delivery)->store->enqueue(message, shot.clock.wall());
    if (!queued) {
        shot.around.log->error("message cannot be queued reason={}", quote(queued.error().detail));
        return send_past_database(shot.around, message) ? kExitDone : kExitNotQueued;
    }
    return (*delivery)->deliverer->drain({}, kNotifyAttempts, kNotifyPause) ? kExitDone : kExitFailed;
}

}  // namespace cam::app
