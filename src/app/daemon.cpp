#include <csignal>
#include <ctime>
#include <memory>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "app/modes.h"
#include "app/runtime.h"
#include "app/systemd.h"
#include "cam/base/version.h"
#include "cam/store/database_header.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Call { kNone, kReload, kStop };

/// Signals, blocked in every thread and read here. Main thread only.
class Signals {
public:
    Signals() {
        ::sigemptyset(&set_);
        for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set_, signal);
        ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    }
    /// The next call, or kNone after `longest`.
    Call wait(milliseconds longest) {
        const auto whole = std::chrono::floor<seconds>(longest);
        const timespec span{whole.count(), std::chrono::nanoseconds(longest - whole).count()};
        switch (::sigtimedwait(&set_, nullptr, &span)) {
            case SIGHUP:
                return Call::kReload;
            case SIGTERM:
            case SIGINT:
                return Call::kStop;
            default:
                return Call::kNone;
        }
    }

private:
    sigset_t set_{};
};

void log_settings(const LoadedSettings& loaded, const Logger& log) {
    for (const Finding& finding : loaded.findings)
        log->warn("settings {}", finding_line(loaded.file, finding));
    const Settings& settings = loaded.settings;
    log->info(
        "settings file={} poll_interval_s={} lookback_min={} min_packets={} aggregate_above={} catch_up_h={} "
        "prefixes={} database={} api={}",
        quote(loaded.file), settings.monitor.poll_interval.count(), settings.monitor.lookback.count(),
        settings.monitor.min_packets, settings.monitor.aggregate_above, settings.monitor.catch_up.count(),
        settings.prefixes.mine.size(), quote(settings.paths.database),
        settings.api.enabled ? settings.api.listen.text() : "off");
}

/// The daemon's life on the main thread.
class Daemon {
public:
    Daemon(const Invocation& asked, LoadedSettings loaded, std::shared_ptr<LogOutput> output)
        : asked_(asked), loaded_(std::move(loaded)), output_(std::move(output)), log_(output_->logger()) {}

    int run() {
        log_->info("starting version={}", version());
        log_settings(loaded_, log_);
        metrics_.gauge("cam_build_info", "The running version", {{"version", std::string{version()}}}).set(1);
        if (!begin(Runtime::Announce::kYes)) return kExitFailed;
        systemd::ready(runtime_->status_line());
        while (true) {
            const Call call =
                signals_.wait(watchdog_ ? std::min<milliseconds>(*watchdog_ / 3, kTick) : kTick);
            if (call == Call::kStop) break;
            const bool reload_is_due = reload_waits_ && runtime_->database().is_ours();
            if ((call == Call::kReload || reload_is_due) && !reload()) return kExitFailed;
            if (!follow_database()) return kExitFailed;
            if (runtime_->tick()) systemd::alive();
        }
        systemd::stopping();
        log_->info("stopping");
        end(Runtime::Announce::kYes);
        log_->info("stopped");
        return kExitDone;
    }

private:
    static constexpr seconds kTick{20};

    bool begin(Runtime::Announce announce) {
        runtime_ =
            std::make_unique<Runtime>(Runtime::Parts{loaded_.settings, clock_, log_, output_, metrics_});
        const Status started = runtime_->start(announce);
        if (!started) {
            log_->error("cannot start database={} reason={}", quote(loaded_.settings.paths.database),
                        quote(started.error().detail, 600));
        }
        return started.has_value();
    }

    /// Ends the Runtime so that whatever lies at the database's path now can be opened.
    void end(Runtime::Announce announce) {
        runtime_->stop(announce);
        const DatabaseWatch database = runtime_->database();
        if (!database.is_ours()) runtime_->empty_wal();
        runtime_.reset();
        database.leave_behind(log_);
    }

    /// Sees to a database file that was removed or replaced; false if the monitor cannot work any more.
    bool follow_database() {
        switch (runtime_->database().look(clock_.steady())) {
            case DatabaseWatch::Sight::kOurs:
                told_unusable_ = false;
                return true;
            case DatabaseWatch::Sight::kUnsettled:
                return true;
            case DatabaseWatch::Sight::kReplaced:
                break;
        }
        if (const Status usable = store::could_open(loaded_.settings.paths.database); !usable) {
            keep_lost_database(usable.error());
            return true;
        }
        return runtime_->has_waiting_messages() || take_up_database();
    }

    /// What lies there is of no use: the file that is open goes on, as long as this process lives.
    void keep_lost_database(const Error& why) {
        if (std::exchange(told_unusable_, true)) return;
        log_->error("the database file was removed or replaced and what lies there cannot be used reason={}",
                    quote(why.detail, 600));
        runtime_->tell(
            "The database file was removed or replaced, and what lies there cannot be used",
            {why.detail, "Going on with the old file until the monitor stops. Put a usable file there."});
    }

    /// Begins anew with the file that lies where the database was; false if that cannot be used.
    bool take_up_database() {
        const std::string& path = loaded_.settings.paths.database;
        log_->error(
            "the database file was removed or replaced, going on with what lies there now database={}",
            quote(path));
        end(Runtime::Announce::kNo);
        told_unusable_ = false;
        if (!begin(Runtime::Announce::kNo)) return false;
        runtime_->tell(
            "The database file was removed or replaced while the monitor ran",
            {path, "Going on with the file that lies there now. What was told before may be told again."});
        systemd::ready(runtime_->status_line());
        return true;
    }

    /// Whether the monitor could work under these settings, asked before the old one is ended.
    static Status try_database(const Settings& settings) {
        const auto store = store::SqliteStore::open(store_options(settings, store::Access::kReadWrite));
        return store ? Status{Done{}} : Status{store.error()};
    }

    /// False if the monitor cannot work any more.
    bool reload() {
        reload_waits_ = false;
        systemd::reloading();
        output_->reopen(loaded_.settings.paths.log_file);
        LoadedSettings next = settings_for(asked_, Needs::kEverything);
        if (!next.usable()) {
            log_->error("settings not reloaded, keeping the old ones file={}", quote(next.file));
            for (const Finding& finding : next.findings)
                log_->error("settings {}", finding_line(next.file, finding));
        } else if (next.settings.paths.database == loaded_.settings.paths.database &&
                   !runtime_->database().is_ours()) {
            // Opened beside the old one's -wal, the new file would be destroyed.
            reload_waits_ = true;
            log_->warn("settings not reloaded yet, the database file was removed or replaced database={}",
                       quote(next.settings.paths.database));
        } else if (const Status open = try_database(next.settings); !open) {
            log_->error("settings not reloaded, keeping the old ones file={} database={} reason={}",
                        quote(next.file), quote(next.settings.paths.database),
                        quote(open.error().detail, 600));
        } else {
            end(Runtime::Announce::kNo);
            loaded_ = std::move(next);
            make_log_folder(loaded_.settings.paths.log_file);
            output_->reopen(loaded_.settings.paths.log_file);
            log_->info("settings reloaded");
            log_settings(loaded_, log_);
            if (!begin(Runtime::Announce::kNo)) return false;
        }
        systemd::ready(runtime_->status_line());
        return true;
    }

    const Invocation& asked_;
    LoadedSettings loaded_;
    std::shared_ptr<LogOutput> output_;
    Logger log_;
    Signals signals_;
    SystemClock clock_;
    MetricRegistry metrics_;
    std::optional<milliseconds> watchdog_ = systemd::watchdog_interval();
    std::unique_ptr<Runtime> runtime_;
    bool told_unusable_ = false;
    bool reload_waits_ = false;  ///< until the file at the database's path is the one that is open
};

}  // namespace

int run_daemon(const Invocation& asked) {
    LoadedSettings loaded = settings_for(asked, Needs::kEverything);
    if (const auto end = prepare(loaded)) return *end;
    make_log_folder(loaded.settings.paths.log_file);
    auto output = LogOutput::open(loaded.settings.paths.log_file, asked.log_level);
    return Daemon(asked, std::move(loaded), std::move(output)).run();
}

}  // namespace cam::app
