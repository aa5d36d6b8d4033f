#include "app/flow_retry.h"

#include <chrono>

#include "cam/base/backoff.h"

namespace cam::app {

void run_with_retries(const Surroundings& around, Heartbeat& heartbeat, const std::string& headline,
                      const std::stop_token& stop, const std::function<Status()>& run) {
    Backoff backoff({.first = std::chrono::seconds{2}, .most = std::chrono::seconds{60}});
    while (!stop.stop_requested()) {
        const Status status = run();
        if (status) break;
        around.conditions.raise(Condition::kFlowStore,
                                {.state = "unreadable",
                                 .headline = headline,
                                 .details = {status.error().detail, "tried again"},
                                 .tell = Tell::kLogAndSoc},
                                nullptr);
        sleep_beating(around.clock, around.clock.steady() + backoff.next(), stop, heartbeat);
    }
    heartbeat.rest();
}

}  // namespace cam::app
