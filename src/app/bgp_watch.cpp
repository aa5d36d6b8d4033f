#include "app/bgp_watch.h"

namespace cam::app {
namespace {

constexpr std::chrono::seconds kBudget{8};
constexpr std::chrono::minutes kEvery{15};

}  // namespace

std::optional<BgpStatus> ask_bgp(const Surroundings& around, const std::stop_token& stop) {
    auto http = net::CurlHttpClient::create(user_agent());
    if (!http) return std::nullopt;
    cloudflare::AnalyticsClient client(**http, around.clock, cloudflare_options(around.settings));
    auto status = client.bgp_status(kBudget, stop);
    if (status) {
        around.status_board.note_advertisements(status->prefixes, around.clock.wall());
        return *status;
    }
    around.log->warn("bgp status unknown kind={} detail={}", name(status.error().kind),
                     status.error().detail);
    return std::nullopt;
}

void watch_bgp(const Surroundings& around, BgpFirst first, Heartbeat& heartbeat,
               const std::stop_token& stop) {
    if (first == BgpFirst::kNow) ask_bgp(around, stop);
    while (sleep_beating(around.clock, around.clock.steady() + kEvery, stop, heartbeat))
        ask_bgp(around, stop);
    heartbeat.rest();
}

}  // namespace cam::app
