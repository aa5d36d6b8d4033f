#include "app/deliverer.h"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

#include "cam/base/time_text.h"

namespace cam::app {
namespace {

using notify::Markup;
using notify::SendOutcome;
using notify::SendResult;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Another process may have queued something and died: the table is looked at this often even if nobody calls.
constexpr seconds kIdleLook{15};
constexpr seconds kElsewhereLook{1};
// Where only an operator can help, asking more often helps nobody.
constexpr minutes kRefusedPause{5};
constexpr int kMaxMigrations = 16;
// Waits are kept a little longer than asked: our clock is cut to milliseconds, and no two ways through the
// network take equally long.
constexpr milliseconds kSlack{50};

std::string chat_key(const std::string& chat_id) {
    return "telegram.chat." + chat_id;
}

}  // namespace

Deliverer::Deliverer(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      lock_(options_.database, parts_.log),
      pacer_(options_.target.chat_id),
      backoff_({.first = milliseconds{1'000}, .most = milliseconds{60'000}}) {
    follow_migrations();
    for (const SendResult result :
         {SendResult::kSent, SendResult::kRetryAfter, SendResult::kBadEntities, SendResult::kTextRefused,
          SendResult::kChatRefused, SendResult::kTokenRefused, SendResult::kUnreachable,
          SendResult::kUnknown}) {
        count(result, 0);
    }
}

void Deliverer::follow_migrations() {
    // The settings may name an id that is several upgrades old.
    for (int hops = 0; hops < kMaxMigrations; ++hops) {
        const auto moved = parts_.store.remembered(chat_key(options_.target.chat_id));
        if (!moved || !*moved) break;
        options_.target.chat_id = **moved;
    }
    pacer_ = notify::SendPacer(options_.target.chat_id);
}

void Deliverer::load_pacing() {
    if (paced_) return;
    paced_ = true;
    pacer_ = notify::SendPacer(options_.target.chat_id);
    const WallTime wall = parts_.clock.wall();
    const SteadyTime steady = parts_.clock.steady();
    if (const auto before = parts_.store.deliveries_since(wall - minutes{1}); before) {
        for (const WallTime at : *before) pacer_.sent(steady - std::max(wall - at, milliseconds{0}));
    }
}

void Deliverer::refresh_gauges() {
    const auto waiting = parts_.store.outbox();
    if (!waiting) return;
    if (parts_.events != nullptr) parts_.events->delivery(waiting->waiting);
    const double age = waiting->oldest
                           ? static_cast<double>((parts_.clock.wall() - *waiting->oldest).count()) / 1000.0
                           : 0.0;
    parts_.metrics.gauge("cam_outbox_messages", "Messages that wait for Telegram")
        .set(static_cast<double>(waiting->waiting));
    parts_.metrics.gauge("cam_outbox_oldest_seconds", "Age of the message that waits longest")
        .set(std::max(age, 0.0));
}

void Deliverer::count(SendResult result, std::uint64_t calls) {
    parts_.metrics
        .counter("cam_telegram_sends_total", "Calls of sendMessage by result", {{"result", name(result)}})
        .add(calls);
}

void Deliverer::pause_after_failure(milliseconds pause) {
    ++failures_;
    wait_until(parts_.clock.steady() + pause);
}

std::optional<Deliverer::Step> Deliverer::settle_unmarked() {
    if (!unmarked_) return std::nullopt;
    const Status marked =
        parts_.store.mark_delivered(unmarked_->id, parts_.clock.wall(), unmarked_->telegram_id);
    if (!marked) {
        parts_.log->error("delivery cannot be written down, holding back id={} reason={}", unmarked_->id,
                          quote(marked.error().detail));
        pause_after_failure(seconds{2});
        return Step::kWait;
    }
    unmarked_.reset();
    failures_ = 0;
    return Step::kDelivered;
}

SendOutcome Deliverer::send(const std::string& text, Markup markup, const std::stop_token& stop) {
    parts_.heartbeat.beat();
    SendOutcome outcome = parts_.telegram.send(options_.target, text, markup, options_.send_total,
                                               parts_.abort.stop_possible() ? parts_.abort : stop);
    parts_.heartbeat.beat();
    count(outcome.result, 1);
    // A lost answer may have been a message, so it counts for the pace.
    if (outcome.result == SendResult::kSent || outcome.result == SendResult::kUnknown) {
        pacer_.sent(parts_.clock.steady());
    }
    return outcome;
}

Deliverer::Step Deliverer::step(std::stop_token stop) {
    parts_.heartbeat.beat();
    if (stop.stop_requested()) return Step::kStopped;
    refresh_gauges();
    if (parts_.clock.steady() < ready_at_) return Step::kWait;
    switch (lock_.take()) {
        case DeliveryLock::Right::kElsewhere:
            return Step::kElsewhere;
        case DeliveryLock::Right::kGained:
            paced_ = false;
            break;
        case DeliveryLock::Right::kKept:
            break;
    }
    // First, because a process that dies before this is written sends the message again.
    const auto settled = settle_unmarked();
    if (settled == Step::kDelivered) return *settled;
    load_pacing();
    if (const SteadyTime earliest = pacer_.earliest(parts_.clock.steady());
        earliest > parts_.clock.steady()) {
        wait_until(earliest + kSlack);
        return Step::kWait;
    }
    if (const Step past_database = deliver_unqueued(stop); past_database != Step::kEmpty)
        return past_database;
    // After those, because they may be what tells that nothing can be written down.
    if (settled) return *settled;

    auto queued = parts_.store.next_message();
    if (!queued) {
        parts_.log->error("outbox cannot be read reason={}", quote(queued.error().detail));
        pause_after_failure(seconds{5});
        return Step::kWait;
    }
    if (!*queued) return Step::kEmpty;
    const store::QueuedMessage& message = **queued;
    const Markup markup = plain_for_ == message.id ? Markup::kPlain : Markup::kMarkdown;
    return handle(message, send(message.message.text, markup, stop), stop);
}

Deliverer::Step Deliverer::handle(const store::QueuedMessage& queued, const SendOutcome& outcome,
                                  std::stop_token stop) {
    switch (outcome.result) {
        case SendResult::kSent: {
            unmarked_ = Unmarked{queued.id, outcome.message_id};
            parts_.log->info("message delivered id={} kind={} telegram_id={} waited={}", queued.id,
                             name(queued.message.kind), outcome.message_id,
                             quote(duration_text(parts_.clock.wall() - queued.queued_at)));
            succeeded();
            return settle_unmarked().value_or(Step::kDelivered);
        }
        case SendResult::kBadEntities:
            if (plain_for_ == queued.id) {
                refuse(queued, outcome);
                return Step::kDelivered;
            }
            parts_.log->warn("telegram refused the markup, sending plain id={} detail={}", queued.id,
                             outcome.detail);
            plain_for_ = queued.id;
            return Step::kWait;
        case SendResult::kMigrated:
        case SendResult::kThreadMissing:
            return redirect(outcome) ? Step::kWait : failed(queued, outcome);
        case SendResult::kTextRefused:
            refuse(queued, outcome);
            return Step::kDelivered;
        case SendResult::kCancelled:
            return Step::kStopped;
        case SendResult::kRetryAfter:
        case SendResult::kChatRefused:
        case SendResult::kTokenRefused:
        case SendResult::kUnreachable:
        case SendResult::kUnknown:
            break;
    }
    return stop.stop_requested() ? Step::kStopped : failed(queued, outcome);
}

void Deliverer::succeeded() {
    failures_ = 0;
    backoff_.reset();
    parts_.conditions.clear(Condition::kTelegram, "telegram takes messages again", nullptr);
}

milliseconds Deliverer::pause_for(const SendOutcome& outcome) {
    milliseconds pause = backoff_.next();
    const bool refused =
        outcome.result == SendResult::kChatRefused || outcome.result == SendResult::kTokenRefused;
    if (refused) pause = std::max<milliseconds>(pause * 5, seconds{10});
    pause = std::min<milliseconds>(pause, kRefusedPause);
    if (outcome.retry_after) pause = std::max<milliseconds>(pause, *outcome.retry_after + kSlack);
    wait_until(parts_.clock.steady() + pause);
    // Being asked to slow down is no failure; the message will go.
    if (outcome.result != SendResult::kRetryAfter) ++failures_;
    if (refused || failures_ >= 3) {
        parts_.conditions.raise(Condition::kTelegram,
                                {.state = refused ? name(outcome.result) : "unreachable",
                                 .headline = refused ? "telegram refuses the bot or the chat; messages wait"
                                                     : "telegram does not take messages; they wait",
                                 .details = {outcome.detail}},
                                nullptr);
    }
    return pause;
}

Deliverer::Step Deliverer::failed(const store::QueuedMessage& queued, const SendOutcome& outcome) {
    const milliseconds pause = pause_for(outcome);
    const bool must_act =
        outcome.result == SendResult::kChatRefused || outcome.result == SendResult::kTokenRefused;
    parts_.log->log(must_act ? spdlog::level::err : spdlog::level::warn,
                    "message not delivered, trying again id={} kind={} result={} wait_ms={} detail={}",
                    queued.id, name(queued.message.kind), name(outcome.result), pause.count(),
                    outcome.detail);
    if (const Status noted = parts_.store.mark_failed(queued.id, parts_.clock.wall(), outcome.detail);
        !noted) {
        parts_.log->warn("attempt cannot be written down id={} reason={}", queued.id,
                         quote(noted.error().detail));
    }
    return Step::kWait;
}

bool Deliverer::redirect(const SendOutcome& outcome) {
    if (outcome.result == SendResult::kThreadMissing && options_.target.thread_id) {
        parts_.log->error("telegram forum topic does not exist, sending without it thread={}",
                          *options_.target.thread_id);
        options_.target.thread_id.reset();
        return true;
    }
    if (outcome.result == SendResult::kMigrated && outcome.migrate_to &&
        std::to_string(*outcome.migrate_to) != options_.target.chat_id && migrations_++ < kMaxMigrations) {
        migrate(*outcome.migrate_to);
        return true;
    }
    return false;
}

void Deliverer::migrate(std::int64_t to) {
    const std::string was = options_.target.chat_id;
    const std::string now = std::to_string(to);
    parts_.log->warn("telegram group became a supergroup, using the new chat from now on old={} new={}", was,
                     now);
    options_.target.chat_id = now;
    paced_ = false;
    // The settings name the oldest id; every step of the chain must lead to the newest one.
    const auto told = parts_.store.change(
        chat_key(was), now,
        notify::render_status(
            notify::StatusTone::kTrouble, "The Telegram group has a new id",
            {fmt::format(
                "It became a supergroup. Messages go there; write \"chat_id\": \"{}\" into the settings.",
                now)},
            parts_.render),
        parts_.clock.wall());
    if (!told) parts_.log->error("new chat id cannot be written down reason={}", quote(told.error().detail));
}

void Deliverer::refuse(const store::QueuedMessage& queued, const SendOutcome& outcome) {
    plain_for_.reset();
    parts_.log->error("telegram will never take this message, it stays in table outbox id={} detail={}",
                      queued.id, outcome.detail);
    if (const Status marked = parts_.store.mark_refused(queued.id, parts_.clock.wall(), outcome.detail);
        !marked) {
        parts_.log->error("refusal cannot be written down id={} reason={}", queued.id,
                          quote(marked.error().detail));
        wait_until(parts_.clock.steady() + seconds{5});
        return;
    }
    if (queued.message.kind == MessageKind::kStatus)
        return;  // a refused notice about a refused notice helps nobody
    const auto told = parts_.store.enqueue(
        notify::render_status(
            notify::StatusTone::kTrouble, "Telegram refused a message",
            {fmt::format("Its text is in the database: SELECT text FROM outbox WHERE id = {}", queued.id)},
            parts_.render),
        parts_.clock.wall());
    if (!told) parts_.log->error("notice cannot be queued reason={}", quote(told.error().detail));
}

Deliverer::Step Deliverer::deliver_unqueued(std::stop_token stop) {
    std::deque<UnqueuedMessage> waiting = parts_.conditions.take_unqueued();
    if (waiting.empty()) return Step::kEmpty;
    const std::string& text = waiting.front().message.text;
    SendOutcome outcome = send(text, Markup::kMarkdown, stop);
    if (outcome.result == SendResult::kBadEntities) outcome = send(text, Markup::kPlain, stop);

    Step done = Step::kWait;
    if (outcome.result == SendResult::kSent) {
        succeeded();
        parts_.conditions.sent(waiting.front());
        waiting.pop_front();
        done = Step::kDelivered;
    } else if (outcome.result == SendResult::kTextRefused) {
        parts_.log->error("telegram will never take this status message detail={} text={}", outcome.detail,
                          quote(text, 1'000));
        waiting.pop_front();
        done = Step::kDelivered;
    } else if (outcome.result == SendResult::kCancelled) {
        done = Step::kStopped;
    } else if (!redirect(outcome)) {
        const milliseconds pause = pause_for(outcome);
        parts_.log->warn(
            "status message past the database not delivered, trying again result={} wait_ms={} detail={}",
            name(outcome.result), pause.count(), outcome.detail);
    }
    parts_.conditions.put_back(std::move(waiting));
    return done;
}

void Deliverer::tell_next(Step step) {
    if (!parts_.tries_again) return;
    std::optional<WallTime> at;
    if (step == Step::kWait) at = parts_.clock.wall() + (ready_at_ - parts_.clock.steady());
    parts_.tries_again(at);
}

void Deliverer::run(const std::stop_token& stop, Wakeup& wakeup) {
    while (!stop.stop_requested()) {
        const Step done = step(stop);
        tell_next(done);
        switch (done) {
            case Step::kEmpty:
                lock_.release();  // a single poll beside an idle daemon, or a hanging one, tells for itself
                wakeup.wait(kIdleLook, stop);
                break;
            case Step::kElsewhere:
                wakeup.wait(kElsewhereLook, stop);
                break;
            case Step::kWait:
                // In pieces: the gauges show how old the messages get meanwhile.
                sleep_beating(parts_.clock, std::min(ready_at_, parts_.clock.steady() + kIdleLook), stop,
                              parts_.heartbeat);
                break;
            case Step::kDelivered:
            case Step::kStopped:
                break;
        }
    }
    parts_.heartbeat.rest();
}

bool Deliverer::drain(const std::stop_token& stop, std::uint32_t attempts, milliseconds longest_pause) {
    SteadyTime progress = parts_.clock.steady();
    std::uint64_t left = 0;
    while (!stop.stop_requested()) {
        const Step done = step(stop);
        const SteadyTime now = parts_.clock.steady();
        switch (done) {
            case Step::kEmpty:
                return true;
            case Step::kDelivered:
                progress = now;
                break;
            case Step::kStopped:
                return false;
            case Step::kWait:
                if (failures_ >= attempts || ready_at_ - now > longest_pause) return false;
                if (!sleep_beating(parts_.clock, ready_at_, stop, parts_.heartbeat)) return false;
                break;
            case Step::kElsewhere: {
                const auto waiting = parts_.store.outbox();
                if (!waiting) return false;
                if (waiting->waiting == 0) return true;
                if (waiting->waiting != left) progress = now;
                left = waiting->waiting;
                if (now - progress > longest_pause) return false;
                parts_.clock.sleep_until(now + milliseconds{100}, stop);
                break;
            }
        }
    }
    return false;
}

}  // namespace cam::app
