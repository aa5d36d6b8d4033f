#include "app/conditions.h"

#include <cerrno>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include "cam/base/unique_fd.h"

namespace cam::app {
namespace {

constexpr std::size_t kMaxUnqueued = 64;

std::size_t index(Condition condition) {
    return static_cast<std::size_t>(condition);
}

std::string key(Condition condition) {
    return fmt::format("condition.{}", name(condition));
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
        case Condition::kProgress:
            return "progress";
        case Condition::kFlowListener:
            return "flow_listener";
        case Condition::kFlowStore:
            return "flow_store";
        case Condition::kFlowExporters:
            return "flow_exporters";
        case Condition::kFlowSilence:
            return "flow_silence";
        case Condition::kClickHouse:
            return "clickhouse";
        case Condition::kClickHouseWriter:
            return "clickhouse_writer";
        case Condition::kKafkaProducer:
            return "kafka_producer";
        case Condition::kSecondJudge:
            return "second_judge";
    }
    return "unknown";
}

void Conditions::raise(Condition condition, const Trouble& trouble, store::SqliteStore* store) {
    bool first_word = false;
    const bool changed = states_.with([&](auto& states) {
        State& now = states[index(condition)];
        if (now.state == trouble.state) return false;
        first_word = !now.known;
        const WallTime since = now.state.empty() ? clock_.wall() : now.since;
        now = State{true, trouble.state, trouble.headline, false, trouble.details, since};
        return true;
    });
    if (!changed) return;
    std::string details;
    for (const std::string& line : trouble.details) details += (details.empty() ? "" : "; ") + line;
    log_->warn("condition raised condition={} state={} what={} details={}", name(condition), trouble.state,
               quote(trouble.headline), quote(details, 600));
    if (trouble.tell == Tell::kLogAndSoc) tell_trouble(condition, trouble, store, first_word);
}

void Conditions::clear(Condition condition, std::string_view headline, store::SqliteStore* store) {
    bool was_wrong = false;
    bool past_database = false;
    const bool changed = states_.with([&](auto& states) {
        State& now = states[index(condition)];
        if (now.known && now.state.empty()) return false;
        was_wrong = !now.state.empty();
        past_database = now.unqueued || (!now.known && is_marked(condition));
        now = State{.known = true, .state = "", .headline = "", .unqueued = false};
        return true;
    });
    if (!changed) return;
    if (was_wrong) log_->info("condition cleared condition={} what={}", name(condition), quote(headline));
    // Also for a process that knows of no trouble: an earlier one may have told it. The store then says so.
    tell_end(condition, headline, store, past_database);
}

void Conditions::tell_trouble(Condition condition, const Trouble& trouble, store::SqliteStore* store,
                              bool first_word) {
    Message message =
        notify::render_status(notify::StatusTone::kTrouble, trouble.headline, trouble.details, render_);
    if (store != nullptr) {
        const auto changed = store->change(key(condition), trouble.state, message, clock_.wall());
        if (changed) return;
        log_->error("status message could not be queued condition={} reason={}", name(condition),
                    quote(changed.error().detail));
    }
    states_.with([&](auto& states) { states[index(condition)].unqueued = true; });
    if (first_word && is_marked(condition)) {
        log_->info("an earlier process has told it past the database condition={}", name(condition));
        return;
    }
    queue_past_database({std::move(message), condition});
}

void Conditions::tell_end(Condition condition, std::string_view headline, store::SqliteStore* store,
                          bool past_database) {
    Message message = notify::render_status(notify::StatusTone::kRecovered, headline, {}, render_);
    if (!past_database) {
        if (store == nullptr) return;  // nothing that we know of was told
        const auto changed = store->change(key(condition), "", message, clock_.wall());
        if (!changed) {
            log_->error("status message could not be queued condition={} reason={}", name(condition),
                        quote(changed.error().detail));
        }
        return;
    }
    // The trouble never reached the table, so the table cannot tell that its end is news.
    if (store == nullptr || !store->enqueue(message, clock_.wall()))
        queue_past_database({std::move(message), std::nullopt});
    if (!database_.empty()) ::unlink(marker(condition).c_str());
}

std::string Conditions::marker(Condition condition) const {
    return fmt::format("{}.told-{}", database_, name(condition));
}

bool Conditions::is_marked(Condition condition) const {
    return !database_.empty() && ::access(marker(condition).c_str(), F_OK) == 0;
}

void Conditions::sent(const UnqueuedMessage& message) {
    if (!message.trouble || database_.empty()) return;
    const std::string path = marker(*message.trouble);
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!file.valid()) {
        log_->warn("cannot keep in mind what was told, a restart will tell it again file={} reason={}",
                   quote(path), quote(std::generic_category().message(errno)));
    }
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

std::vector<RaisedCondition> Conditions::raised() const {
    return states_.with([](const auto& states) {
        std::vector<RaisedCondition> all;
        for (std::size_t i = 0; i < states.size(); ++i) {
            const State& state = states[i];
            if (state.state.empty()) continue;
            all.push_back({.name = name(static_cast<Condition>(i)),
                           .headline = state.headline,
                           .details = state.details,
                           .since = state.since});
        }
        return all;
    });
}

bool Conditions::wrong(Condition condition) const {
    return states_.with([&](const auto& states) { return !states[index(condition)].state.empty(); });
}

std::deque<UnqueuedMessage> Conditions::take_unqueued() {
    return unqueued_.with([](auto& waiting) { return std::exchange(waiting, {}); });
}

void Conditions::queue_past_database(UnqueuedMessage message) {
    const bool kept = unqueued_.with([&](auto& waiting) {
        const bool room = waiting.size() < kMaxUnqueued;
        if (room) waiting.push_back(std::move(message));
        return room;
    });
    if (!kept) {
        log_->error("status message dropped, too many wait past the database text={}",
                    quote(message.message.text, 600));
    }
}

void Conditions::put_back(std::deque<UnqueuedMessage> messages) {
    unqueued_.with([&](auto& waiting) {
        waiting.insert(waiting.begin(), std::make_move_iterator(messages.begin()),
                       std::make_move_iterator(messages.end()));
    });
}

}  // namespace cam::app
