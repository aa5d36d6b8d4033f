#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/database_watch.h"
#include "app/monitor_parts.h"
#include "app/wakeup.h"

namespace cam::app {

/// The monitor at work under one set of settings: all threads but the main one. Made, ticked and stopped by
/// the main thread; a reload ends one Runtime and makes the next.
class Runtime {
public:
    struct Parts {
        Settings settings;
        Clock& clock;
        Logger log;
        std::shared_ptr<LogOutput> output;
        MetricRegistry& metrics;
    };
    enum class Announce { kNo, kYes };

    explicit Runtime(Parts parts);
    ~Runtime();
    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    /// Opens the database and starts the threads; an Error means that nothing was started. With kYes the
    /// startup report is sent.
    Status start(Announce announce);
    /// What the main thread looks after now and then; true while every loop advances.
    bool tick();
    /// What this Runtime has open as its database. After a successful start.
    [[nodiscard]] DatabaseWatch& database() { return *database_; }
    [[nodiscard]] bool has_waiting_messages();
    /// Queues a word of trouble for the chat.
    void tell(std::string_view headline, const std::vector<std::string>& details);
    /// Writes what the `-wal` holds into the database, wherever that lies now. After stop().
    void empty_wal();
    /// Ends the threads within five seconds (longer only while the database is locked). With kYes the
    /// shutdown report is sent, or waits in the outbox for the next start.
    void stop(Announce announce);
    [[nodiscard]] std::string status_line() const;

private:
    void check_log_file();
    void start_flows();
    void poll_loop(const std::stop_token& stop);
    void note_poll(const PollReport& report);
    void spawn(const char* name, Heartbeat& heartbeat, std::function<void(const std::stop_token&)> loop,
               std::vector<std::jthread>& into);

    Parts parts_;
    Heartbeats heartbeats_;
    Conditions conditions_;
    enrich::GeoDatabases geo_;
    Guarded<std::string> poll_problem_{std::string{"no poll has been completed yet"}};
    FlowBoard flow_board_;
    StatusBoard status_board_;
    api::EventBoard events_;
    Surroundings around_;
    std::unique_ptr<store::SqliteStore> store_;
    std::optional<DatabaseWatch> database_;
    std::unique_ptr<PollSide> poll_;
    std::unique_ptr<DeliverySide> delivery_;
    Heartbeat& poll_beat_;
    Heartbeat& deliver_beat_;
    Wakeup deliver_wakeup_;
    Wakeup report_queued_;
    std::stop_source abort_delivery_;  // cuts a call to Telegram that outlasts the farewell
    std::atomic<bool> delivery_ended_{false};
    std::stop_source early_stop_;  // ends waiting for the startup report
    Guarded<std::string> status_{std::string{"starting"}};
    std::vector<std::jthread> workers_;  // poll, report, http
    std::vector<std::jthread> deliverer_;
};

}  // namespace cam::app
