#include "app/api_thread.h"

#include <spdlog/fmt/fmt.h>

#include "app/api_backend.h"
#include "cam/api/server.h"

namespace cam::app {
namespace {

using std::chrono::seconds;

}  // namespace

void serve_api(const Surroundings& around, Heartbeat& heartbeat, const std::stop_token& stop) {
    const Settings::Api& api = around.settings.api;
    Backoff backoff({.first = seconds{2}, .most = seconds{60}});
    while (!stop.stop_requested()) {
        auto server = api::Server::start({.host = api.listen.host,
                                          .port = api.listen.port,
                                          .token = api.token,
                                          .metrics = &around.metrics,
                                          .events = &around.events},
                                         api_backend(around), around.log);
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
