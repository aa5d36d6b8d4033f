#include "app/runtime.h"

#include <exception>

#include <pthread.h>

#include <spdlog/fmt/fmt.h>

#include "app/api_thread.h"
#include "app/bgp_watch.h"
#include "app/clickhouse_monitor.h"
#include "app/flow_collector.h"
#include "app/flow_monitor.h"
#include "app/lost_database.h"
#include "app/startup.h"
#include "app/systemd.h"
#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The longest that any single step of a loop may block is 30 s (a request, the database's patience); twice
// that is a hang. The unit's WatchdogSec is longer still.
constexpr seconds kLongestSilence{75};
constexpr seconds kReportWait{5};
constexpr seconds kFarewell{5};

milliseconds poll_patience(const Settings& settings) {
    // Repeats must not run into the next poll.
    return std::min<milliseconds>(settings.monitor.poll_interval * 8 / 10, std::chrono::minutes{8});
}

}  // namespace

Runtime::Runtime(Parts parts)
    : parts_(std::move(parts)),
      heartbeats_(parts_.clock),
      conditions_(parts_.clock, parts_.log, render_options(parts_.settings), parts_.settings.paths.database),
      geo_(geo_options(parts_.settings)),
      status_board_(parts_.clock.wall()),
      around_{parts_.settings, parts_.clock, parts_.log,    parts_.metrics, heartbeats_, conditions_, geo_,
              poll_problem_,   flow_board_,  status_board_, events_},
      poll_beat_(heartbeats_.add("cam-poll")),
      deliver_beat_(heartbeats_.add("cam-deliver")) {}

Runtime::~Runtime() {
    stop(Announce::kNo);
}

void Runtime::spawn(const char* name, Heartbeat& heartbeat, std::function<void(const std::stop_token&)> loop,
                    std::vector<std::jthread>& into) {
    heartbeat.beat();
    into.emplace_back([this, name, loop = std::move(loop)](const std::stop_token& stop) {
        ::pthread_setname_np(::pthread_self(), name);
        try {
            loop(stop);
        } catch (const std::exception& failure) {
            parts_.log->critical("thread failed, the process stops thread={} reason={}", name,
                                 quote(failure.what()));
            check(false, "exception out of a thread");
        }
    });
}

Status Runtime::start(Announce announce) {
    auto store = store::SqliteStore::open(store_options(parts_.settings, store::Access::kReadWrite));
    if (!store) {
        tell_lost_database(around_, store.error());
        return store.error();
    }
    store_ = std::move(*store);
    database_.emplace(parts_.settings.paths.database);
    check_log_file();

    auto poll = PollSide::make(around_, poll_beat_,
                               {.patience = poll_patience(parts_.settings), .polls = Polls::kMany},
                               {.before_first_claim =
                                    [this, announce] {
                                        if (announce == Announce::kYes) {
                                            report_queued_.wait(kReportWait, early_stop_.get_token());
                                        }
                                    },
                                .queued = [this] { deliver_wakeup_.notify(); }});
    if (!poll) return poll.error();
    poll_ = std::move(*poll);
    auto delivery = DeliverySide::make(around_, deliver_beat_, abort_delivery_.get_token());
    if (!delivery) return delivery.error();
    delivery_ = std::move(*delivery);

    const Settings::Monitor& monitor = parts_.settings.monitor;
    std::optional<PollGap> gap;
    if (const auto claimed_to = store_->claimed_to(); claimed_to) {
        gap = poll_gap(*claimed_to, parts_.clock.wall(), monitor.poll_interval, monitor.lookback,
                       monitor.catch_up);
    }
    const bool only_collects = parts_.settings.traffic.only_collects();
    if (only_collects) {
        poll_beat_.rest();
        poll_problem_.with([](std::string& why) { why.clear(); });
        status_.with([](std::string& line) { line = "Collecting flows for the daemon that judges"; });
    } else {
        spawn(
            "cam-poll", poll_beat_, [this](const std::stop_token& stop) { poll_loop(stop); }, workers_);
    }
    start_flows();
    if (parts_.settings.api.enabled) {
        Heartbeat& beat = heartbeats_.add("cam-http");
        spawn(
            "cam-http", beat, [this, &beat](const std::stop_token& stop) { serve_api(around_, beat, stop); },
            workers_);
        Heartbeat& bgp_beat = heartbeats_.add("cam-bgp");
        // The startup report asks for itself.
        const BgpFirst first = announce == Announce::kYes ? BgpFirst::kLater : BgpFirst::kNow;
        spawn(
            "cam-bgp", bgp_beat,
            [this, first, &bgp_beat](const std::stop_token& stop) {
                watch_bgp(around_, first, bgp_beat, stop);
            },
            workers_);
    }
    spawn(
        "cam-deliver", deliver_beat_,
        [this](const std::stop_token& stop) {
            delivery_->deliverer->run(stop, deliver_wakeup_);
            delivery_ended_ = true;
        },
        deliverer_);
    // Last, so that it can tell what the others found wrong at once.
    if (announce == Announce::kYes && !only_collects) {
        Heartbeat& beat = heartbeats_.add("cam-report");
        spawn(
            "cam-report", beat,
            [this, gap, &beat](const std::stop_token& stop) {
                queue_startup_report(around_, gap, stop);
                report_queued_.notify();
                deliver_wakeup_.notify();
                beat.rest();
            },
            workers_);
    }
    return Done{};
}

void Runtime::start_flows() {
    const auto start = [this](const char* name, auto run) {
        Heartbeat& beat = heartbeats_.add(name);
        spawn(
            name, beat,
            [this, &beat, run](const std::stop_token& stop) {
                run(
                    around_, beat, [this] { deliver_wakeup_.notify(); }, stop);
            },
            workers_);
    };
    const Settings& settings = parts_.settings;
    if (!settings.traffic.on_clickhouse()) {
        if (settings.flow.enabled) start("cam-evaluate", run_flow_monitor);
        return;
    }
    if (!settings.traffic.only_collects()) start("cam-evaluate", run_clickhouse_monitor);
    if (settings.flow.enabled) start("cam-collect", run_flow_collector);
}

void Runtime::poll_loop(const std::stop_token& stop) {
    // Deadlines on the steady clock, so that the rhythm does not drift by the time that polls take.
    SteadyTime next = parts_.clock.steady();
    while (!stop.stop_requested()) {
        note_poll(poll_->poller->poll(stop));
        deliver_wakeup_.notify();  // the poll may have put status messages where no claim tells of them
        next = std::max(next + parts_.settings.monitor.poll_interval, parts_.clock.steady());
        if (!sleep_beating(parts_.clock, next, stop, poll_beat_)) break;
    }
    poll_beat_.rest();
}

void Runtime::note_poll(const PollReport& report) {
    status_board_.note_poll(report, parts_.clock.wall());
    const std::string at = european_time(parts_.clock.wall());
    switch (report.outcome) {
        case PollReport::Outcome::kDone:
            poll_problem_.with([](std::string& why) { why.clear(); });
            status_.with([&](std::string& line) {
                line = fmt::format("Last poll {}: {} rows, {} new", at, report.rows, report.fresh);
            });
            events_.poll(api::EventBoard::PollOutcome::kDone, parts_.clock.wall(), report.fresh);
            break;
        case PollReport::Outcome::kFailed:
            poll_problem_.with(
                [&](std::string& why) { why = fmt::format("the last poll failed: {}", report.why); });
            status_.with(
                [&](std::string& line) { line = fmt::format("Last poll {} FAILED: {}", at, report.why); });
            events_.poll(api::EventBoard::PollOutcome::kFailed, parts_.clock.wall(), 0);
            break;
        case PollReport::Outcome::kCancelled:
            break;
    }
    systemd::status(status_line());
}

std::string Runtime::status_line() const {
    return status_.with([](const std::string& line) { return line; });
}

void Runtime::check_log_file() {
    const std::string problem = parts_.output->file_problem();
    if (problem.empty()) {
        conditions_.clear(Condition::kLogFile, "The log file is written again", store_.get());
    } else {
        conditions_.raise(Condition::kLogFile,
                          {.state = "unwritable",
                           .headline = "The log file cannot be written",
                           .details = {problem, "Polling and telling go on; the journal has the log."},
                           .tell = Tell::kLogAndSoc},
                          store_.get());
    }
}

bool Runtime::tick() {
    check_log_file();
    const std::vector<std::string> silent = heartbeats_.silent(kLongestSilence);
    for (const std::string& loop : silent) {
        parts_.log->critical("loop does not advance, the watchdog will act thread={}", loop);
    }
    return silent.empty();
}

bool Runtime::has_waiting_messages() {
    const auto waiting = store_->outbox();
    return waiting && waiting->waiting > 0;
}

void Runtime::tell(std::string_view headline, const std::vector<std::string>& details) {
    const Message message = notify::render_status(notify::StatusTone::kTrouble, headline, details,
                                                  render_options(parts_.settings));
    if (const auto queued = store_->enqueue(message, parts_.clock.wall()); !queued)
        parts_.log->error("notice cannot be queued reason={}", quote(queued.error().detail));
    deliver_wakeup_.notify();
}

void Runtime::empty_wal() {
    if (const Status emptied = store_->empty_wal(); !emptied)
        parts_.log->warn("the -wal file cannot be emptied reason={}", quote(emptied.error().detail));
}

void Runtime::stop(Announce announce) {
    const SteadyTime deadline = parts_.clock.steady() + kFarewell;
    early_stop_.request_stop();
    for (std::jthread& worker : workers_) worker.request_stop();
    for (std::jthread& worker : workers_) {
        if (worker.joinable()) worker.join();
    }
    workers_.clear();
    if (announce == Announce::kYes && store_ && !parts_.settings.traffic.only_collects()) {
        queue_shutdown_report(around_, *store_);
        deliver_wakeup_.notify();
        while (parts_.clock.steady() < deadline) {
            const auto waiting = store_->outbox();
            if (!waiting || waiting->waiting == 0) break;
            parts_.clock.sleep_until(parts_.clock.steady() + milliseconds{20}, {});
        }
    }
    for (std::jthread& thread : deliverer_) thread.request_stop();
    deliver_wakeup_.notify();
    // A call in flight is let finish: cut, it may have been a message all the same, and would be repeated.
    while (!deliverer_.empty() && !delivery_ended_ && parts_.clock.steady() < deadline) {
        parts_.clock.sleep_until(parts_.clock.steady() + milliseconds{10}, {});
    }
    abort_delivery_.request_stop();
    deliverer_.clear();
}

}  // namespace cam::app
