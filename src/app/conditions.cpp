#include "app/conditions.h"

#include <iterator>

#include <spdlog/fmt/fmt.h>

namespace cam::app {
namespace {

constexpr std::size_t kMaxUnqueued = 64;

std::size_t index(Condition condition) {
    return static_cast<std::size_t>(condition);
}

}  // namespace

const char* name(Condition condition) {
    switch (condition) {
        case Condition::kCloudflare:
            return "cloudflare";
        case Condition::kDatabase:
            return "database";
        case Condition::kTelegram:
            return "telegram";
        case Condition::kGeoIp:
            return "geoip";
        case Condition::kPreferences:
            return "preferences";
        case Condition::kApiListener:
            return "api_listener";
        case Condition::kLogFile:
            return "log_file";
        case Condition::kClock:
            return "clock";
        case Condition::kTruncated:
            return "truncated";
        case Condition::kFlowListener:
            return "flow_listener";
        case Condition::kFlowStore:
            return "flow_store";
        case Condition::kFlowExporters:
            return "flow_exporters";
    }
    return "unknown";
}

void Conditions::raise(Condition condition, const Trouble& trouble, store::SqliteStore* store) {
    const bool changed = states_.with([&](auto& states) {
        State& now = states[index(condition)];
        if (now.state == trouble.state) return false;
        now = State{true, trouble.state, trouble.headline, false};
        return true;
    });
    if (!changed) return;
    std::string details;
    for (const std::string& line : trouble.details) details += (details.empty() ? "" : "; ") + line;
    log_->warn("condition raised condition={} state={} what={} details={}", name(condition), trouble.state,
               quote(trouble.headline), quote(details, 600));
    if (trouble.tell == Tell::kLogAndSoc) {
        tell(condition, trouble.state, notify::StatusTone::kTrouble, trouble.headline, trouble.details, store,
             false);
    }
}

void Conditions::clear(Condition condition, std::string_view headline, store::SqliteStore* store) {
    bool was_wrong = false;
    bool past_database = false;
    const bool changed = states_.with([&](auto& states) {
        State& now = states[index(condition)];
        if (now.known && now.state.empty()) return false;
        was_wrong = !now.state.empty();
        past_database = now.unqueued;
        now = State{true, "", "", false};
        return true;
    });
    if (!changed) return;
    if (was_wrong) log_->info("condition cleared condition={} what={}", name(condition), quote(headline));
    // Also for a process that knows of no trouble: an earlier one may have told it. The store then says so.
    tell(condition, "", notify::StatusTone::kRecovered, headline, {}, store, past_database);
}

void Conditions::tell(Condition condition, std::string_view state, notify::StatusTone tone,
                      std::string_view headline, const std::vector<std::string>& details,
                      store::SqliteStore* store, bool past_database) {
    Message message = notify::render_status(tone, headline, details, render_);
    if (past_database) {
        // The trouble never reached the table, so the table cannot tell that its end is news.
        if (store != nullptr && store->enqueue(message, clock_.wall())) return;
        return queue_past_database(std::move(message));
    }
    if (store != nullptr) {
        const auto changed =
            store->change(fmt::format("condition.{}", name(condition)), state, message, clock_.wall());
        if (changed) return;
        log_->error("status message could not be queued condition={} reason={}", name(condition),
                    quote(changed.error().detail));
    }
    if (tone == notify::StatusTone::kRecovered) return;  // nothing that we know of was told
    states_.with([&](auto& states) { states[index(condition)].unqueued = true; });
    queue_past_database(std::move(message));
}

std::vector<std::string> Conditions::problems() const {
    return states_.with([](const auto& states) {
        std::vector<std::string> lines;
        for (const State& state : states) {
            if (!state.state.empty()) lines.push_back(state.headline);
        }
        return lines;
    });
}

bool Conditions::wrong(Condition condition) const {
    return states_.with([&](const auto& states) { return !states[index(condition)].state.empty(); });
}

std::deque<Message> Conditions::take_unqueued() {
    return unqueued_.with([](auto& waiting) { return std::exchange(waiting, {}); });
}

void Conditions::queue_past_database(Message message) {
    const bool kept = unqueued_.with([&](auto& waiting) {
        const bool room = waiting.size() < kMaxUnqueued;
        if (room) waiting.push_back(std::move(message));
        return room;
    });
    if (!kept) {
        log_->error("status message dropped, too many wait past the database text={}",
                    quote(message.text, 600));
    }
}

void Conditions::put_back(std::deque<Message> messages) {
    unqueued_.with([&](auto& waiting) {
        waiting.insert(waiting.begin(), std::make_move_iterator(messages.begin()),
                       std::make_move_iterator(messages.end()));
    });
}

}  // namespace cam::app
