#include "app/clickhouse_monitor.h"

#include <utility>

#include "app/clickhouse_judge.h"
#include "app/clickhouse_settings.h"
#include "app/flow_retry.h"
#include "app/flow_stores.h"

namespace cam::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRound{1'000};
/// Of one call; a minute of 50,000 prefixes is read in less than a second.
constexpr seconds kCall{15};

/// One try, until stopped or until the database refuses to begin.
Status monitor(const Surroundings& around, Heartbeat& heartbeat, const std::function<void()>& queued,
               const std::stop_token& stop) {
    auto side = open_flow_stores(around);
    if (!side) return side.error();
    const Settings::Traffic::ClickHouse& settings = around.settings.traffic.clickhouse;
    auto client = clickhouse::Client::open(clickhouse_options(settings, kCall));
    if (!client) return client.error();
    ClickHouseJudge judge({.store = *side->store,
                           .remembered = *side->remembered,
                           .client = **client,
                           .geo = around.geo,
                           .conditions = around.conditions,
                           .clock = around.clock,
                           .log = around.log,
                           .metrics = around.metrics,
                           .render = render_options(around.settings),
                           .queued = queued,
                           .beat = [&heartbeat] { heartbeat.beat(); },
                           .events = &around.events,
                           .board = &around.flow_board},
                          {.schema = schema_options(settings)});
    if (const Status begun = judge.begin(); !begun) return begun.error();
    while (!stop.stop_requested()) {
        heartbeat.beat();
        judge.step(stop);
        around.clock.sleep_until(around.clock.steady() + kRound, stop);
    }
    return Done{};
}

}  // namespace

void run_clickhouse_monitor(const Surroundings& around, Heartbeat& heartbeat,
                            const std::function<void()>& queued, const std::stop_token& stop) {
    run_with_retries(around, heartbeat, "The flow monitor cannot begin", stop, [&] {
        Status ended = monitor(around, heartbeat, queued, stop);
        around.flow_board.forget_in_clickhouse();
        return ended;
    });
}

}  // namespace cam::app
