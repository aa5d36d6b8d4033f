#include "app/api_thread.h"

#include <spdlog/fmt/fmt.h>

#include "cam/api/server.h"

namespace cam::app {
namespace {

using std::chrono::seconds;

Result<std::vector<StoredEvent>> stored_events(const Settings& settings, const EventQuery& query) {
    // Each request opens the file for itself: requests come from several threads, and they are rare.
    // Read-write, because SQLite shares its lock state within a process: a read-only reader would stand in
    // the way of our own writers.
    auto store = store::SqliteStore::open(store_options(settings, store::Access::kReadWrite));
    if (!store) return store.error();
    return (*store)->events(query);
}

api::Backend backend(const Surroundings& around) {
    const PreferenceFile preferences(around.settings.paths.dashboard_prefs);
    return {.events = [&around](const EventQuery& query) { return stored_events(around.settings, query); },
            .my_prefixes_only = [preferences]() -> Result<bool> {
                auto told = preferences.my_prefixes_only();
                // What a poll would do with a file that is not there.
                if (!told && told.error().code == ErrorCode::kNotFound) return true;
                return told;
            },
            .set_my_prefixes_only = [preferences](bool on) { return preferences.set_my_prefixes_only(on); },
            .readiness =
                [&around] {
                    api::Readiness told{.ready = true, .reasons = around.conditions.problems()};
                    const std::string poll =
                        around.poll_problem.with([](const std::string& why) { return why; });
                    if (!poll.empty()) told.reasons.insert(told.reasons.begin(), poll);
                    told.ready = poll.empty() && !around.conditions.wrong(Condition::kDatabase);
                    return told;
                },
            .metrics_text = [&around] { return around.metrics.text(); }};
}

}  // namespace

void serve_api(const Surroundings& around, Heartbeat& heartbeat, const std::stop_token& stop) {
    const Settings::Api& api = around.settings.api;
    Backoff backoff({.first = seconds{2}, .most = seconds{60}});
    while (!stop.stop_requested()) {
        auto server = api::Server::start({.host = api.listen.host,
                                          .port = api.listen.port,
                                          .token = api.token,
                                          .metrics = &around.metrics},
                                         backend(around), around.log);
        if (server) {
            around.conditions.clear(Condition::kApiListener, "api listens again", nullptr);
            while (
                sleep_beating(around.clock, around.clock.steady() + std::chrono::hours{1}, stop, heartbeat)) {
            }
            break;
        }
        around.conditions.raise(
            Condition::kApiListener,
            {.state = server.error().code == ErrorCode::kBusy ? "taken" : "refused",
             .headline = fmt::format("API cannot listen on {}", api.listen.text()),
             .details = {server.error().detail, "tried again; polling and telling go on"}},
            nullptr);
        sleep_beating(around.clock, around.clock.steady() + backoff.next(), stop, heartbeat);
    }
    heartbeat.rest();
}

}  // namespace cam::app
