#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "app/conditions.h"
#include "app/delivery_lock.h"
#include "app/heartbeat.h"
#include "app/wakeup.h"
#include "cam/api/event_board.h"
#include "cam/base/backoff.h"
#include "cam/base/clock.h"
#include "cam/base/log.h"
#include "cam/base/metrics.h"
#include "cam/notify/telegram.h"
#include "cam/store/sqlite_store.h"

namespace cam::app {

/// Takes messages out of the outbox, oldest first, and hands them to Telegram until it says yes. Only one
/// process delivers at a time (a lock beside the database, which the kernel frees when a process dies). Owned
/// by the thread that delivers; what it refers to must outlive it.
class Deliverer {
public:
    struct Options {
        std::string database;  ///< the lock lies beside it
        notify::TelegramClient::Target target;
        std::chrono::milliseconds send_total{30'000};
    };
    struct Parts {
        notify::TelegramClient& telegram;
        store::SqliteStore& store;
        Conditions& conditions;
        Clock& clock;
        Logger log;
        MetricRegistry& metrics;
        Heartbeat& heartbeat;
        notify::RenderOptions render;
        /// Cuts a call in flight. Apart from the stop of the loop, because a call that is cut may have been a
        /// message, which would then be repeated. Without it the loop's stop cuts.
        std::stop_token abort{};
        /// Told when the first message that waits will be tried again; none: at once, or nothing waits.
        std::function<void(std::optional<WallTime>)> tries_again = {};
        api::EventBoard* events = nullptr;  ///< told how much waits, if there is one
    };
    Deliverer(Parts parts, Options options);

    enum class Step {
        kEmpty,      ///< nothing waits
        kDelivered,  ///< one message less
        kWait,       ///< not before `ready_at`: pacing, or Telegram asked for it, or it failed
        kElsewhere,  ///< another process delivers
        kStopped,
    };
    /// At most one message. Blocks no longer than `send_total` and the database's patience.
    Step step(std::stop_token stop);
    [[nodiscard]] SteadyTime ready_at() const { return ready_at_; }
    /// Failed attempts since the last success.
    [[nodiscard]] std::uint32_t failures() const { return failures_; }

    /// Delivers for ever.
    void run(const std::stop_token& stop, Wakeup& wakeup);
    /// Delivers until nothing waits; false if that could not be done: Telegram failed `attempts` times in a
    /// row, wants a pause longer than `longest_pause`, or another process held the delivery without progress
    /// for that long.
    bool drain(const std::stop_token& stop, std::uint32_t attempts, std::chrono::milliseconds longest_pause);

private:
    void refresh_gauges();
    void load_pacing();
    std::optional<Step> settle_unmarked();
    notify::SendOutcome send(const std::string& text, notify::Markup markup, const std::stop_token& stop);
    Step handle(const store::QueuedMessage& queued, const notify::SendOutcome& outcome, std::stop_token stop);
    Step deliver_unqueued(std::stop_token stop);
    Step failed(const store::QueuedMessage& queued, const notify::SendOutcome& outcome);
    void migrate(std::int64_t to);
    void refuse(const store::QueuedMessage& queued, const notify::SendOutcome& outcome);
    void follow_migrations();
    /// The message may go elsewhere at once: to the group's new id, or without the topic.
    bool redirect(const notify::SendOutcome& outcome);
    void pause_after_failure(std::chrono::milliseconds pause);
    void succeeded();
    /// Waits after an outcome that was no success and reports Telegram's state; how long.
    std::chrono::milliseconds pause_for(const notify::SendOutcome& outcome);
    void count(notify::SendResult result, std::uint64_t calls);
    void tell_next(Step step);
    void wait_until(SteadyTime when) { ready_at_ = std::max(ready_at_, when); }

    struct Unmarked {
        std::int64_t id;
        std::int64_t telegram_id;
    };

    Parts parts_;
    Options options_;
    DeliveryLock lock_;
    notify::SendPacer pacer_;
    Backoff backoff_;
    SteadyTime ready_at_{};
    std::uint32_t failures_ = 0;
    int migrations_ = 0;
    std::optional<Unmarked> unmarked_;       // delivered, but the database could not take that down yet
    std::optional<std::int64_t> plain_for_;  // the message whose markup Telegram refused
    bool paced_ = false;
};

}  // namespace cam::app
